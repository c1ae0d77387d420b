/* test_shared_starts.c - shared memory over reloads and starts: tables of
 * another size, name or columns; what the dead have left; no room at all. */
#include <sys/socket.h>
#include <netinet/in.h>

#include <dirent.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/daemon.h"
#include "lib/http.h"
#include "lib/peer.h"
#include "lib/procs.h"
#include "lib/reload.h"

#ifndef STARTS
#define STARTS	     20
#define WATCHDOG_SEC 120
#endif
#define MORE_FDS 8
#define KEYS	 8000

#define CONF(table, limit)                                                     \
	"process = { workers = 2; pidfile = \"weir.pid\"; };\n"                \
	"api = { listen = \"unix:api\"; };\n"                                  \
	"extensions = ( { type = \"table\"; " table " },\n"                    \
	"  { type = \"stats\"; } );\n"                                         \
	"servers = ( { name = \"e\"; listen = \"127.0.0.1:0\";\n"              \
	"  middlewares = ( { type = \"limit_conn\"; " limit " },\n"            \
	"    { type = \"echo\"; } ); } );\n"

/* ---- clients ------------------------------------------------------------- */

/* Is it let in, so that it hears what it says? */
static bool
echoes(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char c = 'x';

	if (send(fd, &c, 1, MSG_NOSIGNAL) != 1)
		return false;
	assert_int_equal(poll(&p, 1, PEER_MS), 1);
	return recv(fd, &c, 1, 0) == 1 && c == 'x';
}

static bool
is_let_in(struct daemon *d, uint32_t address)
{
	int fd = peer_connect_from(address, daemon_port(d, "e", 0));
	bool in = echoes(fd);

	close(fd);
	return in;
}

static void
held_until(struct daemon *d, const char *table, int64_t n)
{
	char what[128];

	snprintf(what, sizeof(what), "GET /v1/tables/%s/keys/127.0.0.1", table);
	http_until(d, what, "columns.conns", n);
}

/* ---- reloads ------------------------------------------------------------- */

/* A channel that is held by the old generation, over a reload; it must be
 * counted still, when the table is the same one, as there may be one only. */
static void
test_f7_a_table_of_another_size(void **state)
{
	struct daemon *d = daemon_start(CONF("size = \"16M\";", "max = 1;"));
	int fd;

	(void)state;
	daemon_fds_allow(d, MORE_FDS);
	fd = daemon_join(d, "e");
	daemon_write(d, CONF("size = \"32M\";", "max = 1;"));
	reload_takes(d, 2);
	reload_drained(d, 2);
	held_until(d, "table", 1);
	assert_false(is_let_in(d, INADDR_LOOPBACK));
	daemon_write(d, CONF("size = \"8M\";", "max = 1;"));
	reload_takes(d, 3);
	reload_drained(d, 4);
	held_until(d, "table", 1);
	assert_false(is_let_in(d, INADDR_LOOPBACK));
	peer_echo(fd, "the first generation is there");
	close(fd);
	reload_gone(d, 2);
	held_until(d, "table", 0);
	assert_true(is_let_in(d, INADDR_LOOPBACK));
	assert_false(daemon_logged(d, "begins empty"));
	daemon_stop(d);
}

/* The new generation counts in a table of its own; the old one's channels go on
 * with theirs. */
static void
fresh_after(const char *table, const char *limit, const char *name, bool warns)
{
	struct daemon *d = daemon_start(CONF("", "max = 1;"));
	char text[2048];
	struct http h;
	int old, new;

	daemon_fds_allow(d, MORE_FDS);
	old = daemon_join(d, "e");
	assert_false(is_let_in(d, INADDR_LOOPBACK));
	snprintf(text, sizeof(text), CONF("%s", "%s"), table, limit);
	daemon_write(d, "%s", text);
	reload_takes(d, 2);
	reload_drained(d, 2);
	assert_int_equal(
		daemon_logged(d, "has other columns than before, or room for "
				 "other numbers of workers and generations: it "
				 "begins empty"),
		warns);
	new = daemon_join(d, "e");
	held_until(d, name, 1);
	assert_false(is_let_in(d, INADDR_LOOPBACK));
	peer_echo(old, "what was there goes on");
	close(old);
	reload_gone(d, 1);
	/* What it let go of was not of the new table. */
	held_until(d, name, 1);
	assert_false(is_let_in(d, INADDR_LOOPBACK));
	h = http_ask(d, "GET /v1/tables", NULL, 200);
	assert_int_equal(http_length(&h, "tables"), 1);
	assert_string_equal(http_string(&h, "tables.0.name"), name);
	http_done(&h);
	close(new);
	held_until(d, name, 0);
	assert_true(is_let_in(d, INADDR_LOOPBACK));
	daemon_stop(d);
}

static void
test_f7_a_table_of_another_name(void **state)
{
	(void)state;
	fresh_after("name = \"other\";", "max = 1; table = \"other\";", "other",
		false);
}

static void
test_f7_a_table_of_other_columns(void **state)
{
	(void)state;
	fresh_after("columns = ( { name = \"conns\"; type = \"held\"; },"
		    " { name = \"hits\"; type = \"count\"; } );",
		"max = 1;", "table", true);
	fresh_after("key_max = 128;", "max = 1;", "table", true);
}

/* ---- starts -------------------------------------------------------------- */

/* Those whose names have the word. */
static unsigned
count_files(const char *path, const char *word)
{
	DIR *dir = opendir(path);
	const struct dirent *file;
	unsigned n = 0;

	assert_non_null(dir);
	while ((file = readdir(dir)) != NULL)
		n += strstr(file->d_name, word) != NULL;
	closedir(dir);
	return n;
}

/* Master, workers and keeper at once, so that nobody does anything more. */
static void
kill_all(struct daemon *d)
{
	pid_t pids[DAEMON_WORKERS], master = daemon_pid(d);
	size_t n, i;
	int status;

	assert_int_equal(kill(master, SIGSTOP), 0);
	n = procs_children(master, pids, DAEMON_WORKERS);
	assert_int_equal(n, 3);
	for (i = 0; i < n; i++)
		assert_int_equal(kill(pids[i], SIGKILL), 0);
	assert_int_equal(kill(master, SIGKILL), 0);
	assert_true(procs_reap(master, &status, DAEMON_MS));
	for (i = 0; i < n; i++)
		assert_true(procs_reap(pids[i], &status, DAEMON_MS));
}

static void
end_in_order(struct daemon *d)
{
	int status;

	daemon_signal(d, SIGTERM);
	assert_true(procs_reap(daemon_pid(d), &status, DAEMON_MS));
	assert_int_equal(status, 0);
}

static void
test_f8_starts_after_all_were_killed(void **state)
{
	unsigned shm = count_files("/dev/shm", "weir"), own, i;
	struct daemon *d = daemon_new();
	int fds[2], files = 0;
	pid_t pids[1];

	(void)state;
	daemon_watchdog(WATCHDOG_SEC);
	daemon_write(d, CONF("", "max = 1;"));
	own = count_files("/proc/self/fd", "");
	for (i = 0; i < STARTS; i++) {
		daemon_launch(d);
		/* Nobody who is dead holds anything. */
		fds[0] = daemon_join(d, "e");
		assert_false(is_let_in(d, INADDR_LOOPBACK));
		held_until(d, "table", 1);
		http_until(d, "GET /v1/status", "workers", 2);
		if (i == 0)
			files = procs_fds(daemon_pid(d));
		assert_int_equal(procs_fds(daemon_pid(d)), files);
		if (i % 2 == 0)
			kill_all(d);
		else
			end_in_order(d);
		close(fds[0]);
		assert_int_equal(procs_children(getpid(), pids, 1), 0);
	}
	assert_int_equal(count_files("/dev/shm", "weir"), shm);
	assert_int_equal(count_files("/proc/self/fd", ""), own);
	print_message("# started %d times, killed every other time\n", STARTS);
	daemon_launch(d);
	daemon_fds_allow(d, MORE_FDS);
	daemon_stop(d);
}

/* ---- no room ------------------------------------------------------------- */

static unsigned
many_let_in(struct daemon *d, unsigned n)
{
	unsigned in = 0, i;

	for (i = 0; i < n; i++)
		in += is_let_in(d, 0x7f010101 + i);
	return in;
}

/* Two tables that could have more rows, but the segment has no room: each part
 * of them has some. */
static struct daemon *
start_small(const char *full)
{
	struct daemon *d = daemon_start(
		"process = { workers = 2; shm_max = \"4M\"; };\n"
		"api = { listen = \"unix:api\"; };\n"
		"extensions = ( { type = \"table\"; size = \"2M\"; ttl = 5;\n"
		"    full = \"%s\"; },\n"
		"  { type = \"table\"; name = \"other\"; size = \"2M\"; ttl = "
		"5;\n"
		"    full = \"%s\"; }, { type = \"stats\"; } );\n"
		"servers = ( { name = \"e\"; listen = \"127.0.0.1:0\";\n"
		"  middlewares = ( { type = \"limit_conn\"; max = 2; },\n"
		"    { type = \"limit_conn\"; name = \"second\"; max = 2;\n"
		"      table = \"other\"; }, { type = \"echo\"; } ); } );\n",
		full, full);

	daemon_fds_allow(d, MORE_FDS);
	return d;
}

static void
test_f6_a_full_segment(void **state)
{
	static const struct {
		const char *full;
		bool all;
	} t[] = { { "evict", true }, { "allow", true }, { "refuse", false } };
	struct daemon *d;
	unsigned in, lines;
	int64_t ms;
	size_t i;

	(void)state;
	for (i = 0; i < 3; i++) {
		d = start_small(t[i].full);
		ms = procs_now();
		in = many_let_in(d, KEYS);
		ms = procs_now() - ms;
		lines = daemon_log_count(d, "its table is full");
		print_message("# full = %s, %d keys: %u were let in, %u lines "
			      "of a full table in %lld ms\n",
			t[i].full, KEYS, in, lines, (long long)ms);
		if (t[i].all)
			assert_int_equal(in, KEYS);
		else
			assert_in_range(in, 100, KEYS - 100);
		/* A line a second, of each worker and middleware. */
		if (i == 0)
			assert_int_equal(lines, 0);
		else
			assert_in_range(lines, 1, 4 * (ms / 1000 + 1));
		assert_true(daemon_logged(d, "more than process.shm_max"));
		/* Keys that end make room for others. */
		daemon_clock_advance(d, 6000);
		http_until(d, "GET /v1/tables", "tables.0.keys", 0);
		http_until(d, "GET /v1/tables", "tables.1.keys", 0);
		assert_int_equal(many_let_in(d, 500), 500);
		daemon_stop(d);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		daemon_test(test_f7_a_table_of_another_size),
		daemon_test(test_f7_a_table_of_another_name),
		daemon_test(test_f7_a_table_of_other_columns),
		daemon_test(test_f8_starts_after_all_were_killed),
		daemon_test(test_f6_a_full_segment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
