/* test_ctl_faults.c - weirctl: mistakes on its command line, and an API that is
 * not there, refuses, or says what makes no sense. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lib/ctl.h"
#include "lib/text.h"

#define WORDS	 6
#define CHANNELS 10000

struct mistake {
	const char *args[WORDS];
	const char *said;
};

/* Nothing was asked, it is exit status 2, and part of what is said is that. */
static void
check_all(const struct mistake *rows, size_t n)
{
	struct ctl_run r = { 0 };
	size_t i;

	for (i = 0; i < n; i++) {
		ctl_run_list(&r, rows[i].args);
		assert_contains(r.err, rows[i].said);
		assert_string_equal(r.requests, "");
		ctl_expect(&r, 2, "", NULL);
	}
}

#define CHECK_ALL(rows) check_all(rows, sizeof(rows) / sizeof(rows[0]))

static void
test_wrong_usage(void **state)
{
	static const struct mistake rows[] = {
		{ { NULL }, "usage: weirctl [OPTION...] COMMAND" },
		{ { "chanels" }, "unknown command \"chanels\" (did you mean "
				 "\"channels\"?)" },
		{ { "qqqqqqq" }, "unknown command \"qqqqqqq\"; weirctl -h" },
		{ { "channels", "--sevrer", "x" },
			"unknown option \"--sevrer\" (did you mean "
			"\"--server\"?)" },
		{ { "-x" }, "unknown option \"-x\"" },
		{ { "channels", "--limit" },
			"option \"--limit\" needs an argument" },
		{ { "channels", "-n", "0" }, "\"--limit\": \"0\": less than" },
		{ { "channels", "-n", "x" }, "\"x\": not a whole number" },
		{ { "channels", "--min-age", "3w" },
			"option \"--min-age\": \"3w\": not a time" },
		{ { "channels", "--client", "10.0.0.1/8" },
			"\"10.0.0.1/8\": the address has bits set" },
		{ { "channels", "--sort", "size" },
			"option \"--sort\" wants one of id, age, idle" },
		{ { "channels", "--json=1" },
			"option \"--json\" takes no argument" },
		{ { "channels", "x" }, "unexpected argument \"x\"" },
		{ { "kill", "1.0.1", "--sort", "age" },
			"kill takes no --sort; usage: weirctl kill ID ..." },
		{ { "kill" }, "kill needs more" },
		{ { "kill", "17" }, "\"17\" is no id of a channel" },
		{ { "kill", "1.2.3.4" }, "\"1.2.3.4\" is no id" },
		{ { "trace", "pg" }, "\"pg\" is neither an id of a channel" },
		{ { "trace", "1.0.1", "--bytes", "1x" }, "not a size" },
	};

	(void)state;
	CHECK_ALL(rows);
}

static void
test_wrong_arguments(void **state)
{
	static const struct mistake rows[] = {
		{ { "table", "seen" }, "table needs more" },
		{ { "table", "seen", "sohw" },
			"unknown word \"sohw\" (did you mean \"show\"?)" },
		{ { "table", "seen", "get" }, "table get needs a KEY" },
		{ { "table", "seen", "get", "a", "b" },
			"unexpected argument \"b\"" },
		{ { "table", "seen", "set", "a" }, "needs a KEY and COLUMN" },
		{ { "table", "seen", "set", "a", "b" },
			"COLUMN=VALUE is wanted, not \"b\"" },
		{ { "table", "seen", "get", "" }, "the key is empty" },
		{ { "table", "seen", "clear", "--ttl=1s" },
			"table clear takes no --ttl" },
		{ { "ext", "a", "b", "c" }, "KEY=VALUE is wanted, not \"c\"" },
		{ { "wait", "drain" }, "drained or generation=N is wanted" },
		{ { "wait", "generation=0" }, "\"generation=0\": less than 1" },
		{ { "wait", "generation=x" }, "not a whole number" },
		{ { "wait", "drained", "--timeout=0" }, "1ms is the least" },
		{ { "help", "me" }, "there is no command \"me\"" },
		{ { "top", "--json" }, "top has no --json" },
		{ { "top", "--interval=1ms" }, "\"--interval\": less than" },
		{ { "-S", "ftp://x", "status" }, "not \"ftp://x\"" },
		{ { "-S", "http://x/y", "status" }, "not \"http://x/y\"" },
		{ { "-S", "http://", "status" }, "not \"http://\"" },
		{ { "-S", "", "status" }, "not \"\"" },
		{ { "--token-file", "/none", "status" },
			"cannot read the token of /none: No such file" },
	};

	(void)state;
	CHECK_ALL(rows);
}

static void
test_long_path(void **state)
{
	char path[200];
	struct ctl_run r = { 0 };

	(void)state;
	memset(path, 'a', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	ctl_run(&r, "-S", path, "status", NULL);
	assert_contains(r.err, "the path of a socket has at most 107 bytes");
	ctl_expect(&r, 2, "", NULL);
}

static void
test_nobody_is_there(void **state)
{
	struct ctl_run r = { 0 };
	const char *file = ctl_file("");

	(void)state;
	ctl_run(&r, "-S", "/none/api", "status", NULL);
	ctl_expect(&r, 3, "",
		"weirctl: cannot reach weir at /none/api: No such file or "
		"directory; is weir running, with api.listen set?\n");
	ctl_run(&r, "-S", file, "top", NULL);
	assert_contains(r.err, "Connection refused; is weir running");
	ctl_expect(&r, 3, "", NULL);
	ctl_run(&r, "wait", "drained", "-S", "unix:/none", NULL);
	assert_contains(r.err, "cannot reach weir at /none: No such");
	ctl_expect(&r, 3, "", NULL);
	/* Port 1 of the loopback: nobody listens there. */
	ctl_run(&r, "-S", "http://127.0.0.1:1", "kill", "1.0.1", "1.0.2", NULL);
	ctl_expect(&r, 3, "",
		"weirctl: cannot reach weir at http://127.0.0.1:1: Connection "
		"refused; is weir running, with api.listen set?\n");
}

static void
test_bad_answers(void **state)
{
	static const struct {
		struct ctl_reply reply;
		int status;
		const char *said;
	} rows[] = {
		{ { .status = 403,
			  .body = "{\"error\":\"you may only read\"}" },
			1, ": you may only read\n" },
		{ { .status = 404, .body = "{\"error\":\"a\\u001b[2Jb\"}" }, 1,
			": a\\x1b[2Jb\n" },
		{ { .status = 500, .body = "oh" }, 1,
			"answered with HTTP status 500 and no reason" },
		{ { .status = 302, .body = "" }, 1, "HTTP status 302" },
		{ { .body = "oh" }, 3, "it does not speak JSON" },
		{ { .body = "[]" }, 3, "it does not speak JSON" },
		{ { .body = "" }, 3, "it does not speak JSON" },
		{ { .body = "{\"a\":[1,2,3,4,5]}", .manner = CTL_PART }, 3,
			"broke off its answer" },
		{ { .body = "", .manner = CTL_RAW }, 3,
			"broke off its answer" },
		{ { .body = "SSH-2.0-x\r\n", .manner = CTL_RAW }, 3,
			"it does not speak HTTP" },
		{ { .body = "HTTP/9.9 \377\r\n\r\n", .manner = CTL_RAW }, 3,
			"weirctl: " },
		{ { .manner = CTL_SILENT }, 3, "did not answer within 300ms" },
	};
	struct ctl_reply replies[2] = { 0 };
	struct ctl_run r = { .replies = replies };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		replies[0] = rows[i].reply;
		replies[0].request = "";
		ctl_run(&r, "status", "--timeout=300ms", NULL);
		if (rows[i].reply.manner != CTL_SILENT) {
			ctl_done(&r);
			ctl_run(&r, "status", NULL);
		}
		assert_contains(r.err, rows[i].said);
		ctl_expect(&r, rows[i].status, "", NULL);
	}
}

/* JSON of another shape is shown as far as it goes. */
static void
test_odd_json(void **state)
{
	static const char *const bodies[] = { "{}", "{\"channels\":{}}",
		"{\"channels\":[1,\"x\",null,[],{}],\"silent\":7}",
		"{\"channels\":[{\"id\":{\"a\":[1.5,true]},\"up\":7,"
		"\"age_ms\":\"x\",\"holder\":[],\"idle_ms\":-5,"
		"\"down\":{\"bytes\":1e300}}],\"silent\":[3]}" };
	struct ctl_reply replies[] = { { "GET /v1/channels ", .body = NULL },
		{ 0 } };
	struct ctl_run r = { .replies = replies };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
		replies[0].body = bodies[i];
		ctl_run(&r, "channels", NULL);
		assert_contains(r.out, "ID");
		ctl_expect(&r, 0, NULL, NULL);
	}
}

static void
test_bad_traces(void **state)
{
	static const char *const rows[][2] = {
		{ "{}\nx\n", "no trace: a line is not JSON" },
		{ "[]\n", "no trace: a line is not JSON" },
	};
	struct ctl_reply replies[] = { { "GET /v1/trace", .body = NULL },
		{ 0 } };
	struct ctl_run r = { .replies = replies };
	char *line = malloc(2 << 20);
	size_t i;

	(void)state;
	for (i = 0; i < 2; i++) {
		replies[0].body = rows[i][0];
		ctl_run(&r, "trace", "1.0.1", NULL);
		assert_contains(r.err, rows[i][1]);
		ctl_expect(&r, 3, NULL, NULL);
	}
	assert_non_null(line);
	memset(line, ' ', 2 << 20);
	line[(2 << 20) - 1] = '\0';
	replies[0].body = line;
	ctl_run(&r, "trace", "1.0.1", NULL);
	assert_contains(r.err, "no trace: a line has no end");
	ctl_expect(&r, 3, "", NULL);
	free(line);
}

/* The token goes to TCP, and not to where no one asks for it. */
static void
test_token(void **state)
{
	static const struct ctl_reply replies[] = {
		{ "GET /v1/generations ", .body = "{\"generations\":[]}" },
		{ "POST ", .status = 401, .body = "{\"error\":\"no token\"}" },
		{ 0 }
	};
	static const char *const env[] = { "WEIR_TOKEN=of-env",
		"http_proxy=http://127.0.0.1:1", "ALL_PROXY=socks5://[::1]:1",
		NULL };
	static const char *const bad[] = { "", "a b", "a\r\nX: y", "\n" };
	struct ctl_run r = { .replies = replies, .env = env };
	char where[64];
	size_t i;

	(void)state;
	snprintf(where, sizeof(where), "http://127.0.0.1:%u", ctl_port());
	ctl_run(&r, "-S", where, "generations", NULL);
	assert_contains(r.requests, "\r\nAuthorization: Bearer of-env\r\n");
	ctl_expect(&r, 0, NULL, "");
	ctl_run(&r, "-S", where, "generations", "--token-file",
		ctl_file("of-file\n"), NULL);
	assert_contains(r.requests, "\r\nAuthorization: Bearer of-file\r\n");
	ctl_expect(&r, 0, NULL, "");
	ctl_run(&r, "generations", NULL);
	assert_null(strstr(r.requests, "of-env"));
	ctl_expect(&r, 0, NULL, "");
	r.env = NULL;
	ctl_run(&r, "-S", where, "drain", NULL);
	ctl_expect(
		&r, 1, "", "weirctl: no token (--token-file gives a token)\n");
	for (i = 0; i < 4; i++) {
		if (i == 2)
			continue;
		ctl_run(&r, "-S", where, "drain", "--token-file",
			ctl_file(bad[i]), NULL);
		assert_contains(r.err, "token");
		assert_string_equal(r.requests, "");
		ctl_expect(&r, 2, "", NULL);
	}
}

/* Many channels take memory in proportion, and no time to speak of. */
static void
test_many_channels(void **state)
{
	static const char row[] =
		"{\"id\":\"1.0.%05u\",\"age_ms\":1,\"idle_ms\":1,\"server\":"
		"\"pg\",\"listen\":\"127.0.0.1:80\",\"client\":"
		"\"127.0.0.1:4711\",\"local\":\"127.0.0.1:80\",\"backend\":"
		"\"127.0.0.1:5432\",\"state\":\"joined\",\"up\":{\"state\":"
		"\"open\",\"bytes\":1,\"rate\":1,\"held\":0,\"splice\":true},"
		"\"down\":{\"state\":\"open\",\"bytes\":1,\"rate\":1,\"held\":"
		"0,\"splice\":true},\"holder\":null}%s";
	size_t room = (sizeof(row) + 16) * CHANNELS, n, i, lines = 0;
	char *body = malloc(room);
	struct ctl_reply replies[] = { { "GET /v1/channels ", .body = body },
		{ 0 } };
	struct ctl_run r = { .replies = replies };

	(void)state;
	assert_non_null(body);
	n = (size_t)snprintf(body, room, "{\"channels\":[");
	for (i = 0; i < CHANNELS; i++)
		n += (size_t)snprintf(body + n, room - n, row, (unsigned)i,
			i + 1 < CHANNELS ? "," : "],\"silent\":[]}");
	ctl_run(&r, "channels", NULL);
	for (i = 0; r.out[i] != '\0'; i++)
		lines += r.out[i] == '\n';
	assert_int_equal(lines, CHANNELS + 1);
	assert_contains(r.out, "\n1.0.09999 ");
	ctl_expect(&r, 0, NULL, "");
	free(body);
}

/* Help is no mistake. */
static void
test_help(void **state)
{
	struct ctl_run r = { 0 };

	(void)state;
	ctl_run(&r, "-V", NULL);
	assert_contains(r.out, "weirctl ");
	ctl_expect(&r, 0, NULL, "");
	ctl_run(&r, "--help", NULL);
	assert_contains(
		r.out, "\n  channels     the channels of all workers\n");
	ctl_expect(&r, 0, NULL, "");
	ctl_run(&r, "kill", "--help", NULL);
	assert_contains(r.out, "usage: weirctl [OPTION...] kill ID ...\n");
	ctl_expect(&r, 0, NULL, "");
	ctl_run(&r, "help", "wait", NULL);
	assert_contains(r.out, "Wait until it is so.");
	ctl_expect(&r, 0, NULL, "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_wrong_usage),
		cmocka_unit_test(test_wrong_arguments),
		cmocka_unit_test(test_long_path),
		cmocka_unit_test(test_nobody_is_there),
		cmocka_unit_test(test_bad_answers),
		cmocka_unit_test(test_odd_json),
		cmocka_unit_test(test_bad_traces),
		cmocka_unit_test(test_token),
		cmocka_unit_test(test_many_channels),
		cmocka_unit_test(test_help),
	};

	return cmocka_run_group_tests(tests, ctl_setup, ctl_teardown);
}
