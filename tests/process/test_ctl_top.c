/* test_ctl_top.c - weirctl on a terminal: top, width and colours. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "lib/ctl.h"
#include "lib/text.h"

#define STATUS                                                                 \
	"{\"version\":\"0.1.0\",\"generation\":3,\"workers\":2,"               \
	"\"channels\":40,\"copied_bytes\":1,\"spliced_bytes\":2048}"
#define CHANNEL(id)                                                            \
	"{\"id\":\"" id "\",\"age_ms\":999,\"idle_ms\":5,\"server\":\"pg\","   \
	"\"client\":\"[2001:db8:1111:2222:3333:4444:5555:6666]:12345\","       \
	"\"backend\":\"[2001:db8:1111:2222:3333:4444:5555:7777]:54321\","      \
	"\"state\":\"closing\",\"up\":{\"bytes\":5,\"rate\":7},"               \
	"\"down\":{\"bytes\":6,\"rate\":777},\"holder\":null}"

static const struct ctl_reply replies[] = {
	{ "GET /v1/status", .body = STATUS },
	{ "GET /v1/channels?sort=rate&reverse=1&limit=19 ",
		.body = "{\"channels\":[" CHANNEL("2.0.17") "],\"total\":1}" },
	{ "GET /v1/channels?sort=rate&reverse=1&limit=19&rate_ms=",
		.body = "{\"channels\":[" CHANNEL("BBBBBB") "],\"total\":1}" },
	{ "GET /v1/channels?sort=id&reverse=1&limit=19",
		.body = "{\"channels\":[" CHANNEL("CCCCCC") "],\"total\":1}" },
	{ "GET /v1/channels?sort=id&limit=19",
		.body = "{\"channels\":[" CHANNEL(
			"DDDDDD") "],\"total\":40,"
				  "\"silent\":[{}]}" },
	{ "GET /v1/channels?sort=id&limit=20",
		.body = "{\"channels\":[{}," CHANNEL(
			"EEEEEE") "],"
				  "\"total\":40}" },
	{ "GET /v1/channels ",
		.body = "{\"channels\":[" CHANNEL("2.0.17") "],\"total\":1}" },
	{ 0 },
};

/* Each key asks for another picture, which comes. */
static void
test_top(void **state)
{
	static const struct ctl_key keys[] = { { "2.0.17", "" },
		{ "BBBB", "s" }, { "CCCC", "r" }, { "DDDD", "\033OB" },
		{ "EEEE", "q" }, { 0 } };
	struct ctl_run r = { .replies = replies, .keys = keys };

	(void)state;
	ctl_run(&r, "top", "-i", "100ms", NULL);
	assert_contains(r.out, "generation 3");
	assert_contains(r.out, "DOWN/S");
	assert_contains(r.out, "777");
	assert_contains(r.out, "by rate, largest first");
	assert_contains(r.out, "1 worker did not answer");
	assert_contains(r.requests, "&rate_ms=100 ");
	ctl_expect(&r, 0, NULL, NULL);
}

/* It stays when weir goes, and says so. */
static void
test_top_without_weir(void **state)
{
	static const struct ctl_reply once[] = {
		{ "GET /v1/status", .body = STATUS, .times = 1 },
		{ "GET /v1/status", .manner = CTL_RAW },
		{ 0 },
	};
	static const struct ctl_key keys[] = { { "does not answer", "q" },
		{ 0 } };
	struct ctl_run r = { .replies = once, .keys = keys };

	(void)state;
	ctl_run(&r, "top", NULL);
	ctl_expect(&r, 0, NULL, NULL);
}

/* Interrupted while it waits for an answer: the terminal is given back. */
static void
test_top_is_interrupted(void **state)
{
	static const struct ctl_reply silent[] = {
		{ "GET /v1/status", .body = STATUS },
		{ "GET /v1/channels", .manner = CTL_SILENT },
		{ 0 },
	};
	static const struct ctl_key keys[] = { { "DOWN/S", "sq" }, { 0 } };
	struct ctl_run r = { .replies = silent, .keys = keys };

	(void)state;
	ctl_run(&r, "top", NULL);
	ctl_expect(&r, 0, NULL, NULL);
}

static void
test_top_needs_a_terminal(void **state)
{
	static const char *const dumb[] = { "TERM=dumb", NULL };
	static const char *const unknown[] = { "TERM=no-such-thing", NULL };
	static const struct ctl_key none[] = { { 0 } };
	struct ctl_run r = { .replies = replies };

	(void)state;
	ctl_run(&r, "top", NULL);
	assert_contains(r.err, "top needs a terminal that can draw");
	ctl_expect(&r, 1, "", NULL);
	r.keys = none;
	r.env = dumb;
	ctl_run(&r, "top", NULL);
	assert_contains(r.out, "(TERM is \"dumb\"); weirctl channels --sort");
	ctl_expect(&r, 1, NULL, NULL);
	r.keys = none;
	r.env = unknown;
	ctl_run(&r, "top", NULL);
	assert_contains(r.out, "(TERM is \"no-such-thing\")");
	ctl_expect(&r, 1, NULL, NULL);
}

/* No line is wider, and no address loses its port. */
static void
test_width_and_colours(void **state)
{
	static const char *const plain[] = { "NO_COLOR=1", NULL };
	static const char *const dumb[] = { "TERM=dumb", NULL };
	static const struct ctl_key none[] = { { 0 } };
	struct ctl_run r = { .replies = replies, .keys = none };
	const char *line, *end;

	(void)state;
	ctl_run(&r, "channels", NULL);
	assert_contains(r.out, "\033[1mID");
	assert_contains(r.out, "\033[33m2.0.17");
	ctl_expect(&r, 0, NULL, NULL);
	r.env = dumb;
	r.keys = none;
	ctl_run(&r, "channels", NULL);
	assert_null(strchr(r.out, '\033'));
	ctl_expect(&r, 0, NULL, NULL);
	r.env = plain;
	r.keys = none;
	ctl_run(&r, "channels", NULL);
	assert_null(strchr(r.out, '\033'));
	assert_contains(r.out, ":12345");
	assert_contains(r.out, "[2001");
	for (line = r.out; (end = strstr(line, "\r\n")) != NULL; line = end + 2)
		assert_true(end - line <= CTL_SCREEN_WIDTH);
	assert_string_equal(line, "");
	ctl_expect(&r, 0, NULL, NULL);
}

/* What a shell may offer next. */
static void
test_completion(void **state)
{
	static const struct ctl_reply names[] = {
		{ "GET /v1/listeners ",
			.body = "{\"listeners\":[{\"server\":\"pg\"},"
				"{\"server\":\"pg\"},{\"server\":\"web\"},"
				"{\"server\":\"$(reboot)\"}]}" },
		{ "GET /v1/channels?limit=100 ",
			.body = "{\"channels\":[{\"id\":\"2.0.17\"},"
				"{\"id\":\"3.0.1\"}]}" },
		{ "GET /v1/tables ",
			.body = "{\"tables\":[{\"name\":\"seen\"}]}" },
		{ "GET /v1/extensions ",
			.body = "{\"extensions\":[{\"name\":\"d\",\"commands\":"
				"[{\"word\":\"add\"},{\"word\":\"list\"}]}]}" },
		{ 0 },
	};
	static const struct {
		const char *args[6];
		const char *out;
	} rows[] = {
		{ { "--complete", "gen" }, "generations\n" },
		{ { "--complete", "re" }, "reload\nreopen\nresume\n" },
		{ { "--complete", "pause", "" }, "pg\nweb\n" },
		{ { "--complete", "pause", "pg", "" }, "" },
		{ { "--complete", "channels", "--server", "=", "w" }, "web\n" },
		{ { "--complete", "channels", "--sort", "up" }, "up_bytes\n" },
		{ { "--complete", "channels", "--min" },
			"--min-age\n--min-idle\n" },
		{ { "--complete", "kill", "--min" }, "" },
		{ { "--complete", "kill", "2.0.17", "3" }, "3.0.1\n" },
		{ { "--complete", "table", "" }, "seen\n" },
		{ { "--complete", "table", "seen", "" },
			"show\nget\nset\ndel\nclear\n" },
		{ { "--complete", "table", "seen", "get", "" }, "" },
		{ { "--complete", "ext", "d", "" }, "add\nlist\n" },
		{ { "--complete", "wait", "" }, "drained\ngeneration=\n" },
		{ { "--complete", "help", "tr" }, "trace\n" },
		{ { "--complete", "-S", "/none", "pause", "" }, "" },
		{ { "--complete", "nonsense", "" }, NULL },
		{ { "--complete" }, NULL },
	};
	struct ctl_run r = { .replies = names };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		ctl_run_list(&r, rows[i].args);
		ctl_expect(&r, 0, rows[i].out, "");
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_top),
		cmocka_unit_test(test_top_without_weir),
		cmocka_unit_test(test_top_is_interrupted),
		cmocka_unit_test(test_top_needs_a_terminal),
		cmocka_unit_test(test_width_and_colours),
		cmocka_unit_test(test_completion),
	};

	return cmocka_run_group_tests(tests, ctl_setup, ctl_teardown);
}
