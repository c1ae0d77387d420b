/* test_claims.c - which limits may count in one column of a table: what a file
 * is told when they would spoil one another. */
#include "unit/conf_try.h"

#define TABLE "extensions = ( { type = \"table\"; } );\n"
#define DAYS  "extensions = ( { type = \"table\"; ttl = \"2d\"; } );\n"
#define CHAIN(text)                                                            \
	"servers = ( { name = \"a\"; listen = \"127.0.0.1:0\";\n"              \
	"middlewares = (\n" text " ); } );\n"
#define OTHER(one, two)                                                        \
	"servers = ( { name = \"a\"; listen = \"127.0.0.1:0\";\n"              \
	"middlewares = (\n" one " ); }, { name = \"b\";\n"                     \
	"listen = \"127.0.0.1:0\"; middlewares = (\n" two " ); } );\n"

static void
assert_taken(const char *text)
{
	struct trial t = try_text(text);

	if (t.conf == NULL || *t.said != '\0')
		fail_msg("%s\nsaid: %s", text, t.said);
	try_end(&t);
}

static void
test_rates_differ(void **state)
{
	const char *chain = TABLE CHAIN(
		"{ type = \"limit_new\"; max = 10; },\n"
		"{ type = \"limit_new\"; name = \"slow\"; max = 100;\n"
		"  window = \"1m\";\n  column = \"new\"; }");

	(void)state;
	/* Both places, and what to do. */
	assert_refused(chain,
		"weir.conf:7: servers.a.middlewares[1] (limit_new): counts in "
		"column \"new\" of table \"table\" as weir.conf:4 "
		"(servers.a.middlewares[0] (limit_new)) does, which has a rate "
		"of 10 in 1s there, and this one of 100 in 1m: give each a "
		"column of its own (option \"column\", and \"columns\" of the "
		"table)");
	assert_refused(TABLE OTHER("{ type = \"limit_new\"; max = 10; }",
			       "{ type = \"limit_new\"; max = 20; }"),
		"servers.b.middlewares[0] (limit_new): counts in column");
	assert_refused(
		TABLE OTHER("{ type = \"limit_rate\"; table = \"table\";\n"
			    "up = \"1M\"; }",
			"{ type = \"limit_rate\"; table = \"table\";\n"
			"up = \"2M\"; }"),
		"a rate of 1048576 in 1s there, and this one of 2097152 in 1s");
	/* The rate alone makes what was taken come again. */
	assert_taken(TABLE OTHER("{ type = \"limit_new\"; max = 10; }",
		"{ type = \"limit_new\"; max = 20; window = \"2s\"; }"));
	assert_taken(TABLE OTHER(
		"{ type = \"limit_rate\"; table = \"table\"; up = \"1M\"; }",
		"{ type = \"limit_rate\"; table = \"table\"; up = \"1M\";\n"
		"down = \"2M\"; burst = \"5M\"; }"));
}

static void
test_periods_differ(void **state)
{
	(void)state;
	assert_refused(DAYS OTHER("{ type = \"quota\"; max = 1; }",
			       "{ type = \"quota\"; max = 1;\n"
			       "period = \"1h\"; }"),
		"which has a period of 1d there, and this one of 1h");
	assert_taken(DAYS OTHER("{ type = \"quota\"; max = 1; }",
		"{ type = \"quota\"; max = 2; }"));
}

static void
test_other_things_are_counted(void **state)
{
	(void)state;
	assert_refused(DAYS CHAIN("{ type = \"quota\"; max = 1;\n"
				  "count = \"up\"; }, { type = \"quota\";\n"
				  "name = \"q\"; max = 1; count = \"down\"; }"),
		"which counts bytes from the client there, and this bytes to "
		"the client");
	assert_refused(
		TABLE CHAIN("{ type = \"limit_new\"; max = 100;\n"
			    "column = \"up\"; }, { type = \"limit_rate\";\n"
			    "table = \"table\"; up = 100; }"),
		"which counts new channels there, and this bytes");
	/* Both directions may have one rate together. */
	assert_taken(TABLE CHAIN("{ type = \"limit_rate\"; up = \"1M\";\n"
				 "down = \"1M\"; down_column = \"up\";\n"
				 "table = \"table\"; }"));
	assert_refused(TABLE CHAIN("{ type = \"limit_rate\"; up = \"1M\";\n"
				   "down = \"2M\"; down_column = \"up\";\n"
				   "table = \"table\"; }"),
		"a rate of 1048576 in 1s there");
}

static void
test_a_channel_would_count_twice(void **state)
{
#define TWICE(one, two)                                                        \
	TABLE CHAIN(                                                           \
		"{ type = \"limit_conn\"; max = 100; " one " },\n"             \
		"{ type = \"limit_conn\"; name = \"c\"; max = 50; " two " }")
	(void)state;
	assert_refused(TWICE("", "dry_run = true;"),
		"so that each channel counts twice");
	assert_refused(TWICE("key = \"x\";", "key = \"x\";"),
		"so that each channel counts twice");
	assert_refused(TWICE("", "prefix4 = 24;"),
		"so that each channel counts twice");
	assert_taken(TWICE("", "key = \"x\";"));
	assert_taken(TWICE("", "prefix4 = 24; prefix6 = 48;"));
	assert_taken(TWICE("when = \"client.port > 1024\";",
		"when = \"not client.port > 1024\";"));
	assert_taken(TABLE OTHER("{ type = \"limit_conn\"; max = 1; }",
		"{ type = \"limit_conn\"; max = 2; }"));
}

static void
test_the_table_forgets_early(void **state)
{
	(void)state;
	assert_refused(TABLE CHAIN("{ type = \"quota\"; max = 1; }"),
		"weir.conf:4: servers.a.middlewares[0] (quota): table "
		"\"table\" forgets a key 1h after its last use (its option "
		"\"ttl\"), but what this counts has to be known for 1d: give "
		"the table a longer ttl");
	assert_refused(TABLE CHAIN("{ type = \"limit_new\"; max = 10;\n"
				   "burst = 36001; }"),
		"has to be known for 3600100ms");
	assert_taken(TABLE CHAIN("{ type = \"limit_new\"; max = 10;\n"
				 "burst = 36000; }"));
	assert_taken("extensions = ( { type = \"table\"; ttl = \"off\"; } "
		     ");\n" CHAIN("{ type = \"quota\"; max = 1; }"));
}

static void
test_columns_are_looked_for(void **state)
{
#define OWN(columns)                                                           \
	"extensions = ( { type = \"table\"; columns = ( " columns " ); } );\n"
	(void)state;
	assert_refused(TABLE CHAIN("{ type = \"limit_new\"; max = 10;\n"
				   "column = \"news\"; }"),
		"weir.conf:5: servers.a.middlewares[0] (limit_new): option "
		"\"column\" = \"news\": table \"table\" has no column of that "
		"name and of type \"tokens\" (of that type it has: \"new\", "
		"\"up\", \"down\")");
	assert_refused(OWN("{ name = \"conns\"; type = \"count\"; }")
			       CHAIN("{ type = \"limit_conn\"; max = 10; }"),
		"of type \"held\" (of that type it has: none)");
	assert_refused(OWN("{ name = \"up\"; type = \"tokens\"; }") CHAIN(
			       "{ type = \"limit_rate\"; table = \"table\";\n"
			       "up = 100; down = 100; }"),
		"option \"down_column\" = \"down\"");
	/* Which a direction without a limit does not need. */
	assert_taken(OWN("{ name = \"up\"; type = \"tokens\"; }") CHAIN(
		"{ type = \"limit_rate\"; table = \"table\"; up = 100; }"));
	assert_taken(OWN("{ name = \"down\"; type = \"tokens\"; }") CHAIN(
		"{ type = \"limit_rate\"; table = \"table\"; down = 100; }"));
}

/* Else all clients would be one. */
static void
test_keys_are_known_in_time(void **state)
{
	(void)state;
	assert_refused(TABLE CHAIN("{ type = \"limit_conn\"; max = 10;\n"
				   "key = \"a %{client.ip} %{backend.ip}\"; }"),
		"weir.conf:5: servers.a.middlewares[0] (limit_conn): option "
		"\"key\": column 16: \"backend.ip\" is not known yet when "
		"this is wanted, so that it would be \"-\" for all; there "
		"are: channel.id, channel.age_ms, server.name");
	assert_refused(TABLE CHAIN("{ type = \"limit_rate\"; up = 1000;\n"
				   "table = \"table\";\n"
				   "key = \"%{backend.ip}\"; }"),
		"\"backend.ip\" is not known yet");
	assert_refused(TABLE CHAIN("{ type = \"limit_new\"; max = 10;\n"
				   "key = \"%{count.up_lines}\"; }, \"count\""),
		"\"count.up_lines\" is not known yet");
	assert_taken(TABLE CHAIN("\"count\", { type = \"limit_new\";\n"
				 "max = 10; key = \"%{count.up_lines}\"; }"));
	assert_taken(TABLE CHAIN("{ type = \"limit_rate\"; up = 1000;\n"
				 "table = \"table\";\n"
				 "key = \"%{count.up_lines}\"; }, \"count\""));
}

/* What the first bytes tell is known to who is shown bytes behind them, and to
 * who takes part because of it. */
static void
test_keys_of_first_bytes(void **state)
{
#define SELECT                                                                 \
	"{ type = \"select\"; backends = ( { name = \"a\";\n"                  \
	"address = \"127.0.0.1:9\"; } ); }"
#define RATE                                                                   \
	"{ type = \"limit_rate\"; up = 1000; table = \"table\";\n"             \
	"key = \"%{select.name}\"; }"
#define CONN(when)                                                             \
	"{ type = \"limit_conn\"; max = 1; key = \"%{select.name}\"; " when " }"
	(void)state;
	assert_taken(TABLE CHAIN(SELECT ", " RATE));
	assert_refused(TABLE CHAIN(RATE ", " SELECT),
		"\"select.name\" is not known yet");
	assert_refused(TABLE CHAIN(SELECT ", " CONN("")),
		"\"select.name\" is not known yet");
	assert_taken(TABLE CHAIN(
		SELECT ", " CONN("when = \"select.name == 'a'\";")));
}

/* Its figures and pages are there once. */
static void
test_one_stats(void **state)
{
	(void)state;
	assert_refused("extensions = ( { type = \"stats\"; },\n"
		       "{ type = \"stats\"; name = \"more\"; } );\n"
		       "servers = ( { } );",
		"weir.conf:2: extensions: there can be only one extension of "
		"type \"stats\" (the other: weir.conf:1)");
	assert_taken("extensions = ( \"stats\" ); servers = ( { } );");
}

/* What is wrong with one is said of that one alone. */
static void
test_who_is_wrong_claims_nothing(void **state)
{
	struct trial t = try_text(TABLE CHAIN("{ type = \"limit_new\";\n"
					      "max = 10; window = \"soon\";\n"
					      "column = \"news\"; }"));

	(void)state;
	assert_null(t.conf);
	assert_null(strstr(t.said, "news"));
	try_end(&t);
	t = try_text(OWN("{ type = \"tokens\"; }")
			CHAIN("{ type = \"limit_new\"; max = 10; }"));
	assert_null(t.conf);
	assert_null(strstr(t.said, "limit_new"));
	try_end(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rates_differ),
		cmocka_unit_test(test_periods_differ),
		cmocka_unit_test(test_other_things_are_counted),
		cmocka_unit_test(test_a_channel_would_count_twice),
		cmocka_unit_test(test_the_table_forgets_early),
		cmocka_unit_test(test_columns_are_looked_for),
		cmocka_unit_test(test_keys_are_known_in_time),
		cmocka_unit_test(test_keys_of_first_bytes),
		cmocka_unit_test(test_one_stats),
		cmocka_unit_test(test_who_is_wrong_claims_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
