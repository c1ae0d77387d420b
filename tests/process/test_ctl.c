/* test_ctl.c - weirctl: what each command asks, and what it shows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "lib/ctl.h"
#include "lib/text.h"

#define WORDS 6

/* A command line, the reply to it, and what comes of it. */
struct row {
	const char *args[WORDS];
	const char *request; /* first line of it, without the version */
	const char *body;    /* of the reply */
	const char *out;
};

/* The request is that one and no other, and the whole output is that. */
static void
check(const struct row *row)
{
	struct ctl_reply replies[] = { { row->request, .body = row->body },
		{ 0 } };
	struct ctl_run r = { .replies = replies };
	size_t n = strlen(row->request);

	ctl_run_list(&r, row->args);
	if (strncmp(r.requests, row->request, n) != 0 ||
		strncmp(r.requests + n, " HTTP/1.1\r\n", 11) != 0)
		print_error("asked: %s\n", r.requests);
	assert_int_equal(strncmp(r.requests, row->request, n), 0);
	assert_int_equal(strncmp(r.requests + n, " HTTP/1.1\r\n", 11), 0);
	ctl_expect(&r, 0, row->out, "");
}

static void
check_all(const struct row *rows, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		check(&rows[i]);
}

#define CHECK_ALL(rows) check_all(rows, sizeof(rows) / sizeof(rows[0]))

#define STATUS                                                                 \
	"{\"version\":\"0.1.0\",\"pid\":12,\"generation\":3,\"workers\":2,"    \
	"\"channels\":12345,\"copied_bytes\":1023,\"spliced_bytes\":1048064,"  \
	"\"paused\":[\"pg\",\"my\"],"                                          \
	"\"keeper\":{\"pid\":5,\"generation\":3,\"age_ms\":192000},"           \
	"\"silent\":[]}"
#define FLOW(bytes, rate, splice)                                              \
	"{\"state\":\"open\",\"bytes\":" bytes ",\"rate\":" rate               \
	",\"held\":0,\"splice\":" splice "}"
#define CHANNELS                                                               \
	"{\"channels\":[{\"id\":\"2.0.17\",\"age_ms\":999,\"idle_ms\":0,"      \
	"\"server\":\"pg\",\"listen\":\"127.0.0.1:80\","                       \
	"\"client\":\"127.0.0.1:4711\",\"local\":\"127.0.0.1:80\","            \
	"\"backend\":null,\"state\":\"route\",\"up\":" FLOW(                   \
		"0", "0", "false") ",\"down\":" FLOW("0", "0",                 \
		"false") ","                                                   \
			 "\"holder\":{\"middleware\":\"sni\",\"since_ms\":"    \
			 "1500,"                                               \
			 "\"hook\":\"up\"}},"                                  \
			 "{\"id\":\"2.1.9\",\"age_ms\":7500000,\"idle_ms\":"   \
			 "61000,"                                              \
			 "\"server\":\"pg\",\"client\":\"[2001:db8::1]:80\","  \
			 "\"backend\":\"unix:/run/"                            \
			 "\\u001b[31mx\",\"state\":\"joined\",\"up\":" FLOW(   \
				 "5000000", "20480",                           \
				 "true") ",\"down\":" FLOW("99999999999", "1", \
				 "false") ",\"holder\":null}],"                \
					  "\"total\":2,\"silent\":[]}"

static void
test_lists(void **state)
{
	static const struct row rows[] = {
		{ { "status" }, "GET /v1/status", STATUS,
			"version     0.1.0\n"
			"pid         12\n"
			"generation  3\n"
			"workers     2\n"
			"channels    12345\n"
			"copied      1023\n"
			"spliced     1.0M\n"
			"paused      pg, my\n"
			"keeper      5\n"
			"keeper age  3m12s\n" },
		{ { "workers" }, "GET /v1/workers",
			"{\"workers\":[{\"generation\":1,\"slot\":0,\"pid\":7,"
			"\"state\":\"drains\",\"channels\":10,\"oldest_ms\":"
			"null,\"copied_bytes\":0,\"spliced_bytes\":0,\"turns\":"
			"1,\"answer_ms\":1}],\"silent\":[]}",
			"GEN  SLOT  PID  STATE   CHANNELS  OLDEST  COPIED  "
			"SPLICED  TURNS  ANSWER\n"
			"  1     0    7  drains        10       -       0  "
			"      0      1     1ms\n" },
		{ { "generations" }, "GET /v1/generations",
			"{\"generations\":[{\"number\":11,\"state\":\"serves\","
			"\"workers\":2,\"channels\":3,\"oldest_ms\":86400000}],"
			"\"silent\":[]}",
			"GEN  STATE   WORKERS  CHANNELS  OLDEST\n"
			" 11  serves        2         3   1d00h\n" },
		{ { "channels" }, "GET /v1/channels", CHANNELS,
			"ID        AGE   IDLE  SERVER  CLIENT            "
			"BACKEND"
			"              STATE     UP  DOWN  UP/S  DOWN/S  HOW  "
			"HOLDER\n"
			"2.0.17  999ms    0ms  pg      127.0.0.1:4711    -     "
			" "
			"              route      0     0     0       0  cc   "
			"sni 1.5s\n"
			"2.1.9   2h05m  1m01s  pg      [2001:db8::1]:80  "
			"unix:/run/\\x1b[31mx  joined  4.8M   93G   20k       1"
			"  sc   -\n" },
	};

	(void)state;
	CHECK_ALL(rows);
}

static void
test_more_lists(void **state)
{
	static const struct row rows[] = {
		{ { "listeners" }, "GET /v1/listeners",
			"{\"listeners\":[{\"server\":\"pg\",\"address\":"
			"\"127.0.0.1:80\",\"state\":\"paused\",\"backlog\":"
			"null}]}",
			"SERVER  ADDRESS       STATE   BACKLOG\n"
			"pg      127.0.0.1:80  paused  -\n" },
		{ { "tables" }, "GET /v1/tables",
			"{\"tables\":[{\"name\":\"seen\",\"keys\":2,\"columns\""
			":[{\"name\":\"n\",\"type\":\"count\"},{\"name\":\"v\","
			"\"type\":\"value\"}],\"bytes\":65536}]}",
			"NAME  KEYS  MEMORY  COLUMNS\n"
			"seen     2     64k  n:count, v:value\n" },
		{ { "config" }, "GET /v1/config",
			"{\"file\":\"weir.conf\",\"settings\":[{\"path\":"
			"\"process.workers\",\"value\":\"2\",\"default\":\"0\","
			"\"origin\":\"weir.conf:3\"}]}",
			"SETTING          VALUE  DEFAULT  ORIGIN\n"
			"process.workers  2      0        weir.conf:3\n" },
	};

	(void)state;
	CHECK_ALL(rows);
}

/* --json changes nothing, not even what no program can read. */
static void
test_json_is_as_it_came(void **state)
{
	static const struct row rows[] = {
		{ { "--json", "status" }, "GET /v1/status",
			"{ \"new\" : 1,\n \"a\":\"\\u001b\" }",
			"{ \"new\" : 1,\n \"a\":\"\\u001b\" }\n" },
		{ { "channels", "-j" }, "GET /v1/channels", CHANNELS,
			CHANNELS "\n" },
		{ { "kill", "-j", "1.0.1" }, "POST /v1/channels/1.0.1/kill",
			"{}\n", "{}\n" },
		{ { "ext", "a", "b", "-j" }, "POST /v1/extensions/a/b", "text",
			"text\n" },
		{ { "trace", "1.0.1", "-j" }, "GET /v1/trace?id=1.0.1",
			"{\"a\": 1}\n{}\n", "{\"a\": 1}\n{}\n" },
	};

	(void)state;
	CHECK_ALL(rows);
}

static void
test_filters(void **state)
{
	static const char *const args[] = { "channels", "--server=a b&c",
		"--client", "10.0.0.0/8", "--backend", "/run", "--state",
		"joined", "--min-age", "5m", "--min-idle", "300ms", "--sort",
		"up_bytes", "-r", "-n", "12", "--rate", "2", NULL };
	static const struct ctl_reply replies[] = {
		{ "GET /v1/channels?server=a%20b%26c&client=10.0.0.0%2F8&"
		  "backend=%2Frun&state=joined&min_age_ms=300000&"
		  "min_idle_ms=300&sort=up_bytes&reverse=1&limit=12&"
		  "rate_ms=2000 HTTP",
			.body = "{\"channels\":[],\"total\":0}" },
		{ 0 },
	};
	struct ctl_run r = { .replies = replies };

	(void)state;
	ctl_run_list(&r, args);
	ctl_expect(&r, 0,
		"ID  AGE  IDLE  SERVER  CLIENT  BACKEND  STATE  UP  DOWN  UP/S "
		" DOWN/S  HOW  HOLDER\n",
		"");
}

static void
test_words(void **state)
{
	static const struct row rows[] = {
		{ { "pause", "a/b" }, "POST /v1/servers/a%2Fb/pause", "{}",
			"a/b: paused\n" },
		{ { "resume", ".." }, "POST /v1/servers/../resume", "{}",
			"..: resumed\n" },
		{ { "reload" }, "POST /v1/reload",
			"{\"code\":0,\"outcome\":\"generation 2 serves\","
			"\"messages\":[\"a warning\"]}",
			"a warning\ngeneration 2 serves\n" },
		{ { "drain" }, "POST /v1/drain",
			"{\"code\":0,\"outcome\":\"\",\"messages\":[]}", "" },
		{ { "reopen" }, "POST /v1/reopen",
			"{\"code\":0,\"outcome\":\"reopen: begun\"}",
			"reopen: begun\n" },
		{ { "ext" }, "GET /v1/extensions",
			"{\"extensions\":[{\"name\":\"d\",\"type\":\"denylist\""
			",\"state\":\"runs\",\"commands\":[{\"word\":\"add\","
			"\"help\":\"h\",\"reads\":false},{\"word\":\"list\"}]}]"
			"}",
			"NAME  TYPE      STATE  COMMANDS\n"
			"d     denylist  runs   add, list\n" },
		{ { "ext", "d" }, "GET /v1/extensions",
			"{\"extensions\":[{\"name\":\"x\"},{\"name\":\"d\","
			"\"commands\":[{\"word\":\"add\",\"help\":\"adds one\","
			"\"reads\":false}]}]}",
			"WORD  READS  HELP\nadd   no     adds one\n" },
		{ { "ext", "d", "add", "address=::1", "ttl=1 h" },
			"POST /v1/extensions/d/add?address=%3A%3A1&ttl=1%20h",
			"{\"added\":1}", "added  1\n" },
		{ { "ext", "d", "list" }, "POST /v1/extensions/d/list",
			"{\"n\":2,\"list\":[{\"a\":\"x\",\"b\":1},{\"a\":\"yy\""
			",\"b\":22}]}",
			"n  2\n\nlist:\na    b\nx    1\nyy  22\n" },
		{ { "ext", "d", "list" }, "POST /v1/extensions/d/list",
			"one\n\033two\n", "one\n\\x1btwo\n" },
	};

	(void)state;
	CHECK_ALL(rows);
}

static void
test_tables(void **state)
{
	static const struct row rows[] = {
		{ { "table", "seen", "show", "--prefix=a", "-n2" },
			"GET /v1/tables/seen?limit=2&prefix=a",
			"{\"rows\":[{\"key\":\"a\",\"expires_ms\":1000,"
			"\"columns\":{\"n\":1,\"v\":\"x\"}},{\"key\":\"ab\","
			"\"expires_ms\":null,\"columns\":{\"n\":22}}],"
			"\"total\":2}",
			"KEY  EXPIRES  COLUMNS\n"
			"a       1.0s  n=1 v=x\n"
			"ab         -  n=22\n" },
		{ { "table", "seen", "get", "10.0.0.0/8" },
			"GET /v1/tables/seen/keys/10.0.0.0%2F8",
			"{\"columns\":{\"n\":1,\"value\":\"x\"}}",
			"n      1\nvalue  x\n" },
		{ { "table", "seen", "get", "%7f%0x" },
			"GET /v1/tables/seen/keys/%7f%250x", "{\"columns\":{}}",
			"" },
		{ { "table", "seen", "del", "a" },
			"DELETE /v1/tables/seen/keys/a", "{}", "" },
		{ { "table", "seen", "clear" }, "DELETE /v1/tables/seen/keys",
			"{}", "" },
	};
	static const struct ctl_reply replies[] = {
		{ "GET /v1/tables HTTP",
			.body = "{\"tables\":[{\"name\":\"x\"},{\"name\":"
				"\"seen\",\"columns\":[{\"name\":\"n\","
				"\"type\":"
				"\"count\"},{\"name\":\"v\",\"type\":\"value\"}"
				"]}"
				"]}" },
		{ "PUT /v1/tables/seen/keys/k HTTP", .body = "{}" },
		{ 0 },
	};
	struct ctl_run r = { .replies = replies };

	(void)state;
	CHECK_ALL(rows);
	ctl_run(&r, "table", "seen", "set", "k", "n=12", "v=7", "--ttl", "5m",
		NULL);
	assert_contains(r.requests,
		"\r\n\r\n{\"columns\":{\"n\":12,\"v\":\"7\"},"
		"\"ttl_ms\":300000}\n");
	assert_contains(r.requests, "\r\nContent-Type: application/json\r\n");
	ctl_expect(&r, 0, "", "");
	ctl_run(&r, "table", "none", "set", "k", "n=12", NULL);
	ctl_expect(&r, 1, "",
		"weirctl: there is no table \"none\"; weirctl tables lists "
		"them\n");
	ctl_run(&r, "table", "seen", "set", "k", "n=\377", NULL);
	assert_contains(r.err, "is not UTF-8");
	ctl_expect(&r, 2, "", NULL);
}

/* Rows that are not shown are told of. */
static void
test_rows_that_are_left_out(void **state)
{
	static const struct ctl_reply replies[] = {
		{ "GET /v1/tables/seen?limit=1 ",
			.body = "{\"rows\":[{\"key\":\"a\"}],\"total\":7}" },
		{ 0 }
	};
	struct ctl_run r = { .replies = replies };

	(void)state;
	ctl_run(&r, "table", "seen", "show", "-n", "1", NULL);
	ctl_expect(&r, 0, "KEY  EXPIRES  COLUMNS\na          -  -\n",
		"weirctl: 1 of 7 are shown; --limit says how many\n");
}

/* Each is tried; one that is not there fails the whole. */
static void
test_kill(void **state)
{
	static const struct ctl_reply replies[] = {
		{ "POST /v1/channels/2.0.17/kill ", .body = "{}" },
		{ "POST /v1/channels/2.0.18/kill ", .status = 404,
			.body = "{\"error\":\"there is no channel 2.0.18\"}" },
		{ "POST /v1/channels/2.0.19/kill ", .body = "{}" },
		{ 0 },
	};
	struct ctl_run r = { .replies = replies };

	(void)state;
	ctl_run(&r, "kill", "2.0.17", "2.0.18", "2.0.19", NULL);
	ctl_expect(&r, 1, "2.0.17: killed\n2.0.19: killed\n",
		"weirctl: there is no channel 2.0.18\n");
	ctl_run(&r, "kill", "2.0.17", NULL);
	ctl_expect(&r, 0, "2.0.17: killed\n", "");
}

static void
test_reload_fails(void **state)
{
	static const struct ctl_reply replies[] = {
		{ "POST /v1/reload ", .status = 409,
			.body = "{\"code\":1,\"outcome\":\"reload failed\","
				"\"messages\":[{\"kind\":\"error\",\"text\":"
				"\"weir.conf:1: no\"}],"
				"\"error\":\"reload failed\"}" },
		{ "POST /v1/drain ",
			.body = "{\"code\":1,\"outcome\":\"no\"}" },
		{ 0 },
	};
	struct ctl_run r = { .replies = replies };

	(void)state;
	ctl_run(&r, "reload", NULL);
	ctl_expect(&r, 1, "", "weir.conf:1: no\nweirctl: reload failed\n");
	ctl_run(&r, "drain", NULL);
	ctl_expect(&r, 1, "", "no\n");
}

static void
test_trace(void **state)
{
	static const struct ctl_reply replies[] = {
		{ "GET /v1/trace?client=10.0.0.0%2F8&bytes=16 ",
			.body = "{\"id\":\"2.0.17\",\"age_ms\":1500,\"event\":"
				"\"read\",\"bytes\":18,\"side\":\"client\","
				"\"spliced\":false,\"error\":null,\"data\":"
				"\"00414243ff20202020202020202020207e7F\"}\n"
				"\n"
				"{\"id\":\"2.0.17\",\"age_ms\":2,\"event\":"
				"\"closed\",\"spliced\":true}\n"
				"{\"lost\":7}\n" },
		{ 0 },
	};
	struct ctl_run r = { .replies = replies };

	(void)state;
	ctl_run(&r, "trace", "10.0.0.0/8", "--bytes=16", NULL);
	ctl_expect(&r, 0,
		"2.0.17      1.5s     read  bytes=18  side=client\n"
		"00000000  00 41 42 43 ff 20 20 20  20 20 20 20 20 20 20 20  "
		"|.ABC.           |\n"
		"00000010  7e 7f                                             "
		"|~.|\n"
		"2.0.17      2ms      closed  spliced\n"
		"(7 events are missing: they came too fast)\n",
		"");
}

/* It goes on until somebody ends it. */
static void
test_trace_is_live(void **state)
{
	static const struct ctl_reply replies[] = {
		{ "GET /v1/trace?id=2.0.17 ", .manner = CTL_OPEN,
			.body = "{\"id\":\"2.0.17\",\"event\":\"read\"}\n{" },
		{ 0 },
	};
	struct ctl_run r = { .replies = replies };

	(void)state;
	ctl_run(&r, "trace", "2.0.17", "--timeout=300ms", NULL);
	ctl_expect(&r, 0, "2.0.17      -        read\n", "");
}

static void
test_wait(void **state)
{
	static const struct ctl_reply replies[] = {
		{ "GET /v1/generations ",
			.body = "{\"generations\":[{\"number\":1,\"channels\":2"
				"},{\"number\":2,\"channels\":5}]}",
			.times = 1 },
		{ "GET /v1/generations ", .manner = CTL_PART,
			.body = "{            }", .times = 1 },
		{ "GET /v1/generations ",
			.body = "{\"generations\":[{\"number\":1,\"channels\":0"
				"},{\"number\":2,\"channels\":5}]}" },
		{ "GET /v1/status ", .body = "{\"generation\":1}", .times = 1 },
		{ "GET /v1/status ", .body = "{\"generation\":3}" },
		{ 0 },
	};
	static const struct ctl_reply late[] = {
		{ "GET /v1/generations ",
			.body = "{\"generations\":[{\"number\":2,\"state\":"
				"\"draining\",\"channels\":5}]}" },
		{ "GET /v1/status ", .body = "{\"generation\":2}" },
		{ 0 },
	};
	static const struct ctl_reply silent[] = {
		{ "GET /v1/generations ",
			.body = "{\"generations\":[],\"silent\":[{}]}" },
		{ 0 },
	};
	struct ctl_run r = { .replies = replies };

	(void)state;
	ctl_run(&r, "wait", "drained", NULL);
	ctl_expect(&r, 0, "", "");
	ctl_run(&r, "wait", "generation=2", NULL);
	ctl_expect(&r, 0, "", "");
	r.replies = late;
	ctl_run(&r, "wait", "drained", "--timeout=300ms", NULL);
	ctl_expect(&r, 4, "", "weirctl: after 300ms 5 channels are left\n");
	ctl_run(&r, "wait", "generation=3", "--timeout=1ms", NULL);
	ctl_expect(&r, 4, "", "weirctl: after 1ms it is generation 2, not 3\n");
	r.replies = silent;
	ctl_run(&r, "wait", "drained", "--timeout=1ms", NULL);
	ctl_expect(&r, 4, "",
		"weirctl: after 1ms not all workers say what they have\n");
}

/* What is there is shown; who is missing is named. */
static void
test_silent_workers(void **state)
{
	static const struct ctl_reply replies[] = {
		{ "GET /v1/generations ",
			.body = "{\"generations\":[],\"silent\":[{\"generation"
				"\":2,\"slot\":1,\"pid\":77}]}" },
		{ 0 },
	};
	struct ctl_run r = { .replies = replies };

	(void)state;
	ctl_run(&r, "generations", NULL);
	ctl_expect(&r, 0, "GEN  STATE  WORKERS  CHANNELS  OLDEST\n",
		"weirctl: worker 1 of generation 2 (pid 77) did not answer in "
		"time: what it has is missing here\n");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_more_lists),
		cmocka_unit_test(test_json_is_as_it_came),
		cmocka_unit_test(test_filters),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_tables),
		cmocka_unit_test(test_rows_that_are_left_out),
		cmocka_unit_test(test_kill),
		cmocka_unit_test(test_reload_fails),
		cmocka_unit_test(test_trace),
		cmocka_unit_test(test_trace_is_live),
		cmocka_unit_test(test_wait),
		cmocka_unit_test(test_silent_workers),
	};

	return cmocka_run_group_tests(tests, ctl_setup, ctl_teardown);
}
