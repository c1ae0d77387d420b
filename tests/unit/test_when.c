/* test_when.c - formats and conditions in a configuration: where they are
 * compiled, and what an entry may be decided by. */
#include "conf_try.h"
#include "registry_fake.h"

#include "call_fake.h"
#include "conf/condition.h"
#include "conf/format.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define HEAD	 "servers = ( { name = \"s\"; middlewares = (\n"
#define TAIL	 " ); } );"

static const struct conf_stage *
stage(const struct trial *t, size_t i)
{
	if (t->conf == NULL)
		fail_msg("%s", t->said);
	return conf_stage_at(conf_server_at(t->conf, 0), i);
}

static void
test_when_is_compiled(void **state)
{
	struct trial t = try_text(HEAD
		"{ type = \"echo\"; when = \"client.ip in 10.0.0.0/8\"; },"
		"{ type = \"geo\"; },"
		"{ type = \"log\"; when = \"geo.country == 'de'\"; }" TAIL);

	(void)state;
	assert_int_equal(stage(&t, 0)->when_since, WEIR_AT_OPEN);
	assert_null(stage(&t, 1)->when);
	assert_int_equal(stage(&t, 2)->when_since, WEIR_AT_OPEN);
	fake_facts.client = fake_addr("10.0.0.1:1");
	fake_contexts[1] = "de";
	assert_true(weir_condition_holds(&fake_call, stage(&t, 0)->when));
	assert_true(weir_condition_holds(&fake_call, stage(&t, 2)->when));
	fake_facts.client = fake_addr("11.0.0.1:1");
	fake_contexts[1] = "fr";
	assert_false(weir_condition_holds(&fake_call, stage(&t, 0)->when));
	assert_false(weir_condition_holds(&fake_call, stage(&t, 2)->when));
	try_end(&t);
}

/* Stages count by their place in the sorted chain. */
static void
test_the_chain_is_sorted_before(void **state)
{
	struct trial t = try_text(
		HEAD "{ type = \"every\"; order = 60; line = \"%{b.country}\"; "
		     "only = \"a.known\"; },"
		     "{ type = \"geo\"; name = \"b\"; order = 20; },"
		     "{ type = \"geo\"; name = \"a\"; order = 10; }" TAIL);
	const struct fake_every *c = stage(&t, 2)->conf;
	char text[16];

	(void)state;
	fake_contexts[0] = NULL;
	fake_contexts[1] = "de";
	weir_format_text(
		&fake_call, c->line, WEIR_ESCAPE_PLAIN, text, sizeof(text));
	assert_string_equal(text, "de");
	assert_false(weir_condition_holds(&fake_call, c->only));
	fake_contexts[0] = "x";
	assert_true(weir_condition_holds(&fake_call, c->only));
	try_end(&t);
}

static void
test_route_conditions(void **state)
{
	struct trial t = try_text(
		HEAD "\"sni\","
		     "{ type = \"echo\"; when = \"sni.name == 'x'\"; },"
		     "{ type = \"geo\"; when = \"sni.name ends '.de' or "
		     "client.port == 1\"; },"
		     /* geo itself is known late, so all that asks it is. */
		     "{ type = \"log\"; when = \"geo.known\"; },"
		     "{ type = \"forward\"; to = \"127.0.0.1:1\"; "
		     "when = \"client.port == 1\"; }" TAIL);

	(void)state;
	assert_int_equal(stage(&t, 1)->when_since, WEIR_AT_ROUTE);
	assert_int_equal(stage(&t, 2)->when_since, WEIR_AT_ROUTE);
	assert_int_equal(stage(&t, 3)->when_since, WEIR_AT_ROUTE);
	assert_int_equal(stage(&t, 4)->when_since, WEIR_AT_OPEN);
	try_end(&t);
}

static const struct {
	const char *entries, *said;
} bad[] = {
	{ "{ type = \"echo\"; when = \"client.prot == 1\"; }",
		"weir.conf:2: servers.s.middlewares[0] (echo): option "
		"\"when\": column 1: unknown variable \"client.prot\" "
		"(did you mean \"client.port\"?)\n" },
	{ "\"log\",\n{ type = \"every\";\nline = \"a %{b\"; }",
		"weir.conf:4: servers.s.middlewares[1] (every): option "
		"\"line\": column 3: \"%{\" has no \"}\" behind it\n" },
	{ "{ type = \"every\"; only = \"geo.known\"; }",
		"column 1: unknown variable \"geo.known\"" },
	{ "{ type = \"echo\"; when = \"\"; }",
		"option \"when\": column 1: wants a variable, " },
	{ "{ type = \"echo\"; when = true; }",
		"option \"when\" wants a condition such as "
		"\"client.ip in 10.0.0.0/8\", not a boolean" },
	{ "{ type = \"every\"; line = 7; }",
		"option \"line\" wants text with variables such as "
		"\"%{client.addr}\", not an integer" },
	{ "{ type = \"echo\"; when = \"client.port == 1 and "
	  "backend.port == 2\"; }",
		"column 22: \"backend.port\" is known only once the "
		"backend is connected; whether a middleware takes part "
		"is decided before a backend is chosen\n" },
	{ "{ type = \"echo\"; when = \"end.errno == 1\"; }",
		"column 1: \"end.errno\" is known only when the "
		"channel ends; " },
	{ "{ type = \"geo\"; when = \"geo.known\"; }",
		"column 1: \"geo.known\" is of this middleware itself, "
		"and not known yet when this is decided\n" },
	{ "{ type = \"echo\"; when = \"geo.known\"; }, \"geo\"",
		"column 1: \"geo.known\" is of a middleware behind "
		"this one, and not known yet when this is decided\n" },
	{ "{ type = \"echo\"; when = \"sni.name == 'x'\"; }, \"log\", "
	  "\"sni\"",
		"column 1: \"sni.name\" is known only once client "
		"bytes were seen, but \"sni\" behind this middleware "
		"has to see them through it: place this one behind "
		"it\n" },
	{ "\"sni\", { type = \"sni\"; name = \"two\"; "
	  "when = \"sni.name == 'x'\"; }",
		"column 1: \"sni.name\" is known only once client "
		"bytes were seen, but this middleware, \"two\", has to "
		"see them itself\n" },
	{ "\"geo\", \"geo\", { type = \"echo\"; when = \"geo.known\"; "
	  "}",
		"\"geo.known\" could be 2 variables: give each "
		"middleware a \"name\" of its own\n" },
	/* A name is unknown only when the chain is known. */
	{ "\"goe\", { type = \"echo\"; when = \"goe.known and\"; }",
		"unknown middleware \"goe\"" },
};

static void
test_messages(void **state)
{
	char text[1024];
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(bad); i++) {
		snprintf(text, sizeof(text), HEAD "%s" TAIL, bad[i].entries);
		assert_refused(text, bad[i].said);
	}
}

/* What hangs on an entry that could not be loaded is not said as well. */
static void
test_no_errors_of_errors(void **state)
{
	struct trial t = try_text(HEAD
		"\"goe\", { type = \"echo\"; when = \"goe.known\"; }" TAIL);

	(void)state;
	assert_null(t.conf);
	assert_string_equal(t.said,
		"weir.conf:2: servers.s.middlewares[0] (goe): unknown "
		"middleware \"goe\" (did you mean \"geo\"?)\n");
	try_end(&t);
}

/* What is not in the chain is as if not written. */
static void
test_entries_that_are_gone(void **state)
{
	struct trial t = try_text(HEAD
		"{ type = \"echo\"; name = \"a\"; when = \"no.such\"; },"
		"{ type = \"echo\"; enabled = false; when = \"no.such\"; },"
		"{ type = \"log\"; name = \"a\"; }" TAIL);

	(void)state;
	assert_null(stage(&t, 0)->when);
	try_end(&t);
}

static void
test_settings_show_what_was_written(void **state)
{
	static const char *const options[] = {
		"servers.s.middlewares.every.when=client.port == 1", NULL
	};
	struct conf_overrides over = { options, NULL };
	static const char text[] =
		HEAD "{ type = \"every\"; when = \"client.port  <  2\"; line = "
		     "\"100%% %{client.ip}\"; }" TAIL;
	struct trial t = try_text(text);
	const char *path = "servers.s.middlewares.every.when";

	(void)state;
	assert_non_null(stage(&t, 0)->when);
	assert_string_equal(
		setting_of(t.conf, path)->value, "client.port  <  2");
	assert_string_equal(
		setting_of(t.conf, "servers.s.middlewares.every.line")->value,
		"100%% %{client.ip}");
	assert_string_equal(
		setting_of(t.conf, "servers.s.middlewares.every.only")->value,
		"");
	try_end(&t);
	t = try_bytes(text, strlen(text), &over);
	assert_non_null(stage(&t, 0)->when);
	assert_string_equal(
		setting_of(t.conf, path)->value, "client.port == 1");
	try_end(&t);
}

/* "${ }" is for the environment, "%{ }" for the channel. */
static void
test_the_environment_comes_first(void **state)
{
	char *environ[] = { "WHO=client", NULL };
	struct conf_overrides over = { NULL, environ };
	static const char text[] =
		HEAD "{ type = \"every\"; line = \"%{${WHO}.port}\"; }" TAIL;
	struct trial t = try_bytes(text, strlen(text), &over);
	const struct fake_every *c = stage(&t, 0)->conf;
	char line[16];

	(void)state;
	fake_facts.client = fake_addr("10.0.0.1:77");
	weir_format_text(
		&fake_call, c->line, WEIR_ESCAPE_PLAIN, line, sizeof(line));
	assert_string_equal(line, "77");
	try_end(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_when_is_compiled),
		cmocka_unit_test(test_the_chain_is_sorted_before),
		cmocka_unit_test(test_route_conditions),
		cmocka_unit_test(test_messages),
		cmocka_unit_test(test_no_errors_of_errors),
		cmocka_unit_test(test_entries_that_are_gone),
		cmocka_unit_test(test_settings_show_what_was_written),
		cmocka_unit_test(test_the_environment_comes_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
