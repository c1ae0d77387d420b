/* test_keep.c - a table that is kept in a file, of a real weir. */
#include <sys/stat.h>

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/daemon.h"
#include "lib/http.h"
#include "lib/peer.h"
#include "lib/procs.h"

#define CONF(columns, listen)                                                  \
	"process = { workers = 2; pidfile = \"weir.pid\"; };\n"                \
	"api = { listen = \"unix:api\"; };\n"                                  \
	"extensions = ( { type = \"table\"; name = \"t\";\n"                   \
	"  keep = \"%s/t\"; keep_every = \"1s\"; " columns " } );\n"           \
	"servers = ( { name = \"e\"; listen = \"" listen "\";\n"               \
	"  middlewares = ( \"echo\" ); } );\n"
#define COUNTS "columns = ( { name = \"n\"; type = \"count\"; } );"
#define OTHERS "columns = ( { name = \"m\"; type = \"count\"; } );"
#define ANY    "127.0.0.1:0"
#define ROW    "/v1/tables/t/keys/127.0.0.9"

static struct daemon *
keep_new(void)
{
	struct daemon *d = daemon_new();

	/* The keeper is another user, when we are root. */
	assert_int_equal(chmod(daemon_dir(d), 0777), 0);
	daemon_write(d, CONF(COUNTS, ANY), daemon_dir(d));
	return d;
}

static void
row_put(struct daemon *d, int n)
{
	struct http h;
	char body[64];

	snprintf(body, sizeof(body), "{\"columns\":{\"n\":%d}}", n);
	h = http_ask(d, "PUT " ROW, body, 200);
	http_done(&h);
}

static void
row_is(struct daemon *d, const char *column, int64_t n)
{
	char path[32];

	snprintf(path, sizeof(path), "columns.%s", column);
	assert_int_equal(http_value(d, "GET " ROW, path), n);
}

static bool
file_is(struct daemon *d, const char *file)
{
	return access(daemon_path(d, file), F_OK) == 0;
}

/* It is written anew, by a weir that goes on. */
static void
file_wait(struct daemon *d)
{
	int64_t until = procs_now() + DAEMON_MS;

	if (unlink(daemon_path(d, "t")) == -1)
		assert_int_equal(errno, ENOENT);
	while (!file_is(d, "t")) {
		assert_true(procs_now() < until);
		poll(NULL, 0, 10);
	}
}

static void
file_rename(struct daemon *d, const char *from, const char *to)
{
	char old[256];

	snprintf(old, sizeof(old), "%s", daemon_path(d, from));
	assert_int_equal(rename(old, daemon_path(d, to)), 0);
}

static void
restart(struct daemon *d)
{
	daemon_kill_master(d);
	daemon_launch(d);
}

static void
test_over_a_restart(void **state)
{
	struct daemon *d = keep_new();

	(void)state;
	daemon_launch(d);
	row_put(d, 7);
	restart(d);
	row_is(d, "n", 7);
	assert_true(daemon_logged(d, "has 1 keys of "));
	/* What was written last when all processes end at once. */
	file_wait(d);
	file_rename(d, "t", "saved");
	row_put(d, 8);
	daemon_kill_master(d);
	file_rename(d, "saved", "t");
	daemon_launch(d);
	row_is(d, "n", 7);
	daemon_signal(d, SIGTERM);
	daemon_finish(d, 0);
}

/* A generation that never serves leaves the file as it is; one that does puts
 * aside what it cannot read, and no older keeper writes there again. */
static void
test_over_reloads(void **state)
{
	struct daemon *d = keep_new();
	uint16_t port;
	int fd = peer_listen(&port);

	(void)state;
	daemon_launch(d);
	row_put(d, 7);
	file_wait(d);
	daemon_write(d, CONF(OTHERS, "127.0.0.1:%d"), daemon_dir(d), port);
	assert_int_equal(daemon_say(d, "reload", "in use"), 1);
	assert_false(file_is(d, "t.damaged"));
	assert_true(file_is(d, "t"));
	row_is(d, "n", 7);
	daemon_write(d, CONF(OTHERS, ANY), daemon_dir(d));
	assert_int_equal(daemon_say(d, "reload", "generation 3"), 0);
	daemon_wait_log(d, "t.damaged now", DAEMON_MS);
	daemon_wait_log(d, "generation 1 is gone", DAEMON_MS);
	file_wait(d);
	restart(d);
	assert_int_equal(daemon_log_count(d, "begins empty: "), 1);
	assert_int_equal(unlink(daemon_path(d, "t.damaged")), 0);
	close(fd);
	daemon_signal(d, SIGTERM);
	daemon_finish(d, 0);
}

#define QUOTA                                                                  \
	"process = { workers = 1; };\n"                                        \
	"api = { listen = \"unix:api\"; };\n"                                  \
	"extensions = ( { type = \"table\"; keep = \"%s/t\"; ttl = \"2d\"; } " \
	");"                                                                   \
	"\nservers = ( { name = \"e\"; listen = \"127.0.0.1:0\";\n"            \
	"  close_wait = \"10s\";\n"                                            \
	"  middlewares = ( { type = \"quota\"; max = \"1G\"; }, \"echo\" ); "  \
	"} );\n"

/* What channels count while weir finishes is in the file. */
static void
test_what_is_counted_last(void **state)
{
	struct daemon *next = daemon_new(), *d;
	char text[1001] = "";
	int64_t counted, wanted = 0, until;
	int fd;

	(void)state;
	assert_int_equal(chmod(daemon_dir(next), 0777), 0);
	d = daemon_start(QUOTA, daemon_dir(next));
	fd = daemon_join(d, "e");
	daemon_signal(d, SIGQUIT);
	daemon_wait_log(d, "finishing", DAEMON_MS);
	memset(text, 'x', sizeof(text) - 1);
	/* Longer than a keeper takes that does not wait for workers. */
	for (until = procs_now() + 300; procs_now() < until; wanted += 2000)
		peer_echo(fd, text);
	close(fd);
	daemon_finish(d, 0);
	daemon_write(next, QUOTA, daemon_dir(next));
	daemon_launch(next);
	counted = http_value(
		next, "GET /v1/tables/table/keys/127.0.0.1", "columns.quota");
	assert_in_range(counted, wanted, wanted + 100);
	daemon_signal(next, SIGTERM);
	daemon_finish(next, 0);
}

static void
expect_refused(const char *wanted, const char *extensions)
{
	char *said = daemon_start_fails("extensions = ( %s );\n"
					"servers = ( { listen = \"" ANY "\";\n"
					"  middlewares = ( \"echo\" ); } );\n",
		extensions);

	assert_non_null(strstr(said, wanted));
	free(said);
}

static void
test_what_is_refused(void **state)
{
	(void)state;
	expect_refused("option \"keep\" = \"t\" wants a path that begins with "
		       "\"/\"",
		"{ type = \"table\"; keep = \"t\"; }");
	expect_refused("\"b\" is to be kept in /x/t, where \"a\" is kept "
		       "already (weir.conf:1)",
		"{ type = \"table\"; name = \"a\"; keep = \"/x/t\"; }, "
		"{ type = \"denylist\"; name = \"b\"; keep = \"/x/t\"; }");
	expect_refused("\"b\" is to be kept in /x/t, where",
		"{ type = \"table\"; name = \"a\"; keep = \"/x//t.new\"; }, "
		"{ type = \"table\"; name = \"b\"; keep = \"/x/t\"; }");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		daemon_test(test_over_a_restart),
		daemon_test(test_over_reloads),
		daemon_test(test_what_is_counted_last),
		daemon_test(test_what_is_refused),
	};

	return cmocka_run_group_tests_name("keep", tests, NULL, NULL);
}
