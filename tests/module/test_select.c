/* test_select.c - the first line decides, and only the first line. */
#include <sys/socket.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "lib/cut.h"
#include "lib/pair.h"
#include "lib/said.h"
#include "lib/spy.h"

extern const struct weir_middleware mw_select;

static struct {
	const char *name;
	struct weir_addr address;
} backends[] = { { "d", { 0 } }, { "db", { 0 } } };

struct choice {
	const char *prefix;
	size_t line_max;
	struct weir_list backends;
	const char *answer;
};

static const struct choice at = { "@", 6, { 2, backends }, "OK\n" },
			   to = { "to ", 64, { 2, backends }, "" },
			   bare = { "", 6, { 2, backends }, "" };

/* As the real one, with the listener of this test behind both names. */
static struct weir_middleware tried;

static struct weir_verdict
learn(struct weir_call *c)
{
	(void)c;
	backends[0].address = backends[1].address = dial.to[0];
	return weir_pass(0);
}

static int
try_on(void **state)
{
	(void)state;
	tried = mw_select;
	tried.open = learn;
	return 0;
}

static void
comes_to(const struct choice *cf, const char *text, const char *up,
	const char *why, const char *called)
{
	each_cut(spy_on(&tried), cf, text,
		&(struct cut_seen){ .up = up, .why = why });
	assert_string_equal(spy_text("name"), called);
}

static void
test_a_known_name_connects(void **state)
{
	(void)state;
	comes_to(&at, "@db\nhello", "hello", "done", "db");
	comes_to(&at, "@d\n", "", "done", "d");
	comes_to(&at, "@db\r\n\r\n", "\r\n", "done", "db");
	comes_to(&at, "@d\n@db\n", "@db\n", "done", "d");
	comes_to(&to, "to db\nx\n", "x\n", "done", "db");
	comes_to(&bare, "db\nx\n", "x\n", "done", "db");
}

static void
test_an_unknown_name_is_denied(void **state)
{
	(void)state;
	comes_to(&at, "@xx\nhi", NULL, "denied", "-");
	comes_to(&at, "@\nhi", NULL, "denied", "-");
	comes_to(&at, "@DB\n", NULL, "denied", "-");
	comes_to(&at, "@db \n", NULL, "denied", "-");
	comes_to(&at, "@dbx\n", NULL, "denied", "-");
	comes_to(&bare, "\n", NULL, "denied", "-");
}

static void
test_what_is_no_such_line_is_refused(void **state)
{
	static const char *const texts[] = { "", "@db", "@db\r", "db\n", "\n",
		"\r\n", "@@@@@@@@", "@12345\n", "x", "!db\nhello" };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		comes_to(&at, texts[i], NULL, "protocol", "-");
	comes_to(&at, "@1234\n", NULL, "denied", "-");
	comes_to(&to, "to", NULL, "protocol", "-");
	comes_to(&to, "to\n", NULL, "protocol", "-");
}

static void
end_want(const char *text, size_t len, struct cut_seen *seen)
{
	seen->why = len < 5 ? "protocol" : "done";
	seen->up = len < 5 ? NULL : text + 5;
	seen->down = len < 5 ? "" : "OK\n";
}

/* The end may come behind any byte. */
static void
test_each_end_of_the_line(void **state)
{
	(void)state;
	each_end_of(
		&(struct cut_talk){
			.mw = &tried, .conf = &at, .text = "@db\r\n@d\n" },
		end_want);
}

/* Too long is too long, whether or not the client goes on. */
static void
test_a_long_line_is_refused_at_once(void **state)
{
	pair_start(state);
	rig_add(&rig, &tried, &at);
	rig_add(&rig, &rig_dial, &dial);
	rig_start(&rig);
	client = rig_client(&rig);
	rig_say(client, "@1234");
	rig_hear_nothing(&rig, client);
	rig_say(client, "5");
	rig_hear_end(&rig, client);
	rig_close(&client);
	rig_until(&rig, rig_ends.n == 1);
	assert_int_equal(rig_ends.reason, WEIR_R_PROTOCOL);
	pair_stop(state);
}

static void
test_the_client_is_answered_before_the_backend_speaks(void **state)
{
	pair_start(state);
	rig_add(&rig, &tried, &at);
	rig_start(&rig);
	client = rig_client(&rig);
	rig_say(client, "@db\nhello");
	server = rig_take(&rig, listener);
	rig_hear(&rig, server, "hello");
	rig_say(server, "welcome");
	rig_hear(&rig, client, "OK\nwelcome");
	assert_int_equal(flow_interest(&rig_channel(&rig)->flows[WEIR_UP]), 0);
	pair_stop(state);
}

static void
test_a_backend_that_refuses_is_no_answer(void **state)
{
	pair_start(state);
	rig_refusing(&dial.to[0]);
	rig_add(&rig, &tried, &at);
	rig_start(&rig);
	client = rig_client(&rig);
	rig_say(client, "@db\nhello");
	rig_until(&rig, rig_ends.n == 1);
	assert_int_equal(rig_ends.reason, WEIR_R_CONNECT);
	rig_hear_reset(&rig, client);
	pair_stop(state);
}

/* A middleware in front that says ready lets the route be taken: select sees
 * bytes of a client that has its backend already. */
static struct weir_verdict
hasty_open(struct weir_call *c)
{
	weir_ready(c);
	return learn(c);
}

static void
test_another_choice_is_left_alone(void **state)
{
	struct weir_middleware hasty = mw_select;

	hasty.open = hasty_open;
	pair_start(state);
	rig_add(&rig, &hasty, &at);
	pair_join();
	rig_say(client, "@db\nhello");
	rig_hear(&rig, server, "@db\nhello");
	rig_say(server, "welcome");
	rig_hear(&rig, client, "welcome");
	pair_stop(state);
}

/* Connects when the client has been silent for so long. */
static struct weir_verdict
racer_open(struct weir_call *c)
{
	weir_timer(c, 60000);
	return weir_pass(0);
}

static struct weir_verdict
racer_timer(struct weir_call *c)
{
	weir_connect(c, &dial.to[0], NULL);
	return weir_pass(0);
}

static const struct weir_middleware racer = {
	.name = "racer",
	.open = racer_open,
	.timer = racer_timer,
};

static void
race_start(void)
{
	pair_start(NULL);
	rig_add(&rig, &tried, &at);
	rig_add(&rig, &racer, NULL);
	rig_start(&rig);
	client = rig_client(&rig);
	rig_quiet(&rig);
	rig_advance(&rig, 60000);
	server = rig_take(&rig, listener);
}

static void
test_a_race_that_the_backend_wins(void **state)
{
	race_start();
	rig_say(server, "welcome");
	rig_hear(&rig, client, "welcome");
	rig_say(client, "@db\nhello");
	rig_hear(&rig, server, "@db\nhello");
	rig_hear_nothing(&rig, client);
	assert_int_equal(flow_interest(&rig_channel(&rig)->flows[WEIR_UP]), 0);
	pair_stop(state);
}

static void
test_a_race_that_the_client_wins(void **state)
{
	race_start();
	rig_say(client, "@d");
	rig_quiet(&rig);
	rig_say(client, "b\nhello");
	rig_hear(&rig, client, "OK\n");
	rig_hear_end(&rig, server);
	rig_close(&server);
	server = rig_take(&rig, listener);
	rig_hear(&rig, server, "hello");
	pair_stop(state);
}

#define DB(name, port)                                                         \
	"{ name = \"" name "\"; address = \"127.0.0.1:" port "\"; }"

static void
test_options_have_to_fit(void **state)
{
	(void)state;
	said_of("select", "backends = (" DB("a", "1") "," DB("b", "1") ");",
		"");
	said_of("select",
		"backends = " DB("a", "1") "; line_max = 3; answer = \"x\";",
		"");
	said_of("select", "", "\"backends\" is missing");
	said_of("select", "backends = ( );", "\"backends\" is empty");
	said_of("select", "backends = " DB("", "1") ";", "1 to 255 bytes");
	said_of("select", "backends = (" DB("a", "1") "," DB("a", "2") ");",
		"backend \"a\" is the name of another one too");
	said_of("select", "backends = " DB("a", "0") ";", "port from 1");
	said_of("select", "backends = " DB("a", "1") "; line_max = 2;",
		"backend \"a\" does not fit into \"line_max\"");
	said_of("select", "backends = " DB("a b\\r\\n", "1") ";",
		"has a line end, so no line can name it");
	said_of("select", "backends = " DB("a\\r", "1") ";",
		"has a line end, so no line can name it");
	said_of("select", "backends = " DB("a\\nb", "1") ";",
		"has a line end, so no line can name it");
	said_of("select", "backends = " DB("a", "1") "; prefix = \"@\\n\";",
		"\"prefix\" has a line end");
	said_of("select", "backends = { name = \"a\"; };",
		"\"address\" is missing");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_known_name_connects),
		cmocka_unit_test(test_an_unknown_name_is_denied),
		cmocka_unit_test(test_what_is_no_such_line_is_refused),
		cmocka_unit_test(test_a_long_line_is_refused_at_once),
		cmocka_unit_test(
			test_the_client_is_answered_before_the_backend_speaks),
		cmocka_unit_test(test_a_backend_that_refuses_is_no_answer),
		cmocka_unit_test(test_another_choice_is_left_alone),
		cmocka_unit_test(test_a_race_that_the_backend_wins),
		cmocka_unit_test(test_a_race_that_the_client_wins),
		cmocka_unit_test(test_each_end_of_the_line),
		cmocka_unit_test(test_options_have_to_fit),
	};

	return cmocka_run_group_tests(tests, try_on, NULL);
}
