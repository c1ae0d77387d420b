/* test_keeper_many.c - thousands of channels to be listed, and clients of the
 * API that read nothing or say nothing: time and memory stay within bounds. */
#include <sys/resource.h>

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/daemon.h"
#include "lib/http.h"
#include "lib/load.h"
#include "lib/peer.h"
#include "lib/procs.h"

#ifndef CHANNELS
#define CHANNELS     2000
#define KEYS	     2000 /* beside that of the channels */
#define WATCHDOG_SEC 120
#endif
#define WORKERS	 3
#define PINGS	 8
#define SECOND	 1000 /* ms */
#define PING_US	 50000
#define MEMORY	 20480 /* kB that a keeper or a worker may grow by */
#define UNREAD	 20
#define SILENT	 1000
#define MORE_FDS 300

#define CONF                                                                   \
	"process = { workers = %d; };\n"                                       \
	"api = { listen = [ \"unix:api\", \"127.0.0.1:0\" ]; };\n"             \
	"extensions = ( { type = \"table\"; } );\n"                            \
	"servers = ( { name = \"e\"; listen = \"127.0.0.1:0\";\n"              \
	"  middlewares = ( { type = \"limit_conn\"; max = 100000; },\n"        \
	"    { type = \"echo\"; } ); } );\n"

struct many {
	struct daemon *d;
	struct load *l;
	int *fds;
	pid_t pids[WORKERS + 1]; /* the keeper's is the first */
	long kb[WORKERS + 1];
	struct load_result before;
};

/* A weir without sanitizers. */
static struct daemon *
start(void)
{
	const char *plain = getenv("WEIR_PLAIN");
	struct daemon *d = daemon_new();

	assert_non_null(plain);
	setenv("WEIR", plain, 1);
	daemon_watchdog(WATCHDOG_SEC);
	daemon_keep_clock(d);
	daemon_write(d, CONF, WORKERS);
	daemon_launch(d);
	daemon_fds_allow(d, MORE_FDS);
	http_until(d, "GET /v1/status", "workers", WORKERS);
	return d;
}

static long
kilobytes(pid_t pid, const char *field)
{
	const char *text = procs_status(pid, field);

	assert_non_null(text);
	return strtol(text, NULL, 10);
}

static void
many_pids(struct many *m)
{
	struct http h = http_ask(m->d, "GET /v1/status", NULL, 200);
	unsigned i;

	m->pids[0] = (pid_t)http_number(&h, "keeper.pid");
	http_done(&h);
	for (i = 0; i < WORKERS; i++)
		m->pids[1 + i] = daemon_worker(m->d, i);
}

/* Channels, and a load beside them. */
static void
many_start(struct many *m)
{
	struct load_plan plan = { .connections = { [LOAD_KEPT] = PINGS },
		.seconds = 600,
		.kept_rate = 400,
		.bytes_max = 100 };
	unsigned i;

	*m = (struct many){ .d = start(), .l = load_new() };
	m->fds = calloc(CHANNELS, sizeof(*m->fds));
	assert_non_null(m->fds);
	many_pids(m);
	plan.ports[0] = daemon_port(m->d, "e", 0);
	load_start(m->l, &plan);
	for (i = 0; i < CHANNELS; i++)
		m->fds[i] = peer_connect(daemon_port(m->d, "e", 0));
	http_until(m->d, "GET /v1/channels?limit=0", "total", CHANNELS + PINGS);
}

static void
many_note(struct many *m, const char *field)
{
	unsigned i;

	for (i = 0; i < WORKERS + 1; i++)
		m->kb[i] = kilobytes(m->pids[i], field);
	m->before = *load_look(m->l);
}

/* What has grown since, and how long echoes took. */
static void
many_say(const struct many *m, const char *what, const char *field)
{
	const struct load_result *r = load_look(m->l);
	unsigned i;

	print_message("# %s: %s + ", what, field);
	for (i = 0; i < WORKERS + 1; i++)
		print_message("%s%ld", i == 0 ? "" : ", ",
			kilobytes(m->pids[i], field) - m->kb[i]);
	print_message(" kB (keeper, workers); %llu echoes of others took "
		      "%.1f ms at most\n",
		(unsigned long long)(load_ok(r) - load_ok(&m->before)),
		(double)load_took_us(r, &m->before, 1000) / 1000);
}

static void
many_check(const struct many *m, const char *field, uint64_t us)
{
	unsigned i;

	for (i = 0; i < WORKERS + 1; i++)
		assert_true(kilobytes(m->pids[i], field) - m->kb[i] < MEMORY);
	assert_in_range(load_took_us(load_look(m->l), &m->before, 1000), 0, us);
}

static void
many_stop(struct many *m)
{
	struct load_result r;
	unsigned i;

	load_stop(m->l, &r);
	load_check(&r);
	for (i = 0; i < CHANNELS; i++)
		close(m->fds[i]);
	free(m->fds);
	daemon_stop(m->d);
}

/* One page; how long it took. */
static int64_t
list(struct many *m, const char *what, size_t rows)
{
	int64_t since = procs_now();
	struct http h = http_ask(m->d, what, NULL, 200);

	since = procs_now() - since;
	assert_int_equal(http_number(&h, "total"), CHANNELS + PINGS);
	assert_int_equal(http_length(&h, "channels"), rows);
	assert_int_equal(http_length(&h, "silent"), 0);
	print_message("# %s: %lld ms, %zu bytes\n", what, (long long)since,
		strlen(h.body));
	http_done(&h);
	return since;
}

static void
test_many_channels_are_listed(void **state)
{
	struct many m;
	int i;

	(void)state;
	many_start(&m);
	many_note(&m, "VmHWM");
	assert_in_range(list(&m, "GET /v1/channels?limit=100", 100), 0, SECOND);
	assert_in_range(list(&m, "GET /v1/channels?limit=100&sort=idle", 100),
		0, SECOND);
	many_say(&m, "a hundred of many channels", "VmHWM");
	many_check(&m, "VmHWM", PING_US);
	for (i = 0; i < 5; i++)
		assert_in_range(list(&m, "GET /v1/channels?limit=100000",
					CHANNELS + PINGS),
			0, SECOND);
	many_say(&m, "all of them, 5 times", "VmHWM");
	many_check(&m, "VmHWM", PING_US);
	many_stop(&m);
}

/* Rows of a table, as long a page as there may be. */
static void
test_many_keys_are_listed(void **state)
{
	int64_t since, end = procs_now() + DAEMON_MS;
	struct many m;
	struct http h;
	unsigned i;

	(void)state;
	many_start(&m);
	for (i = 0; i < KEYS; i++)
		close(peer_connect_from(
			0x7f010101 + i, daemon_port(m.d, "e", 0)));
	while (http_value(m.d, "GET /v1/tables", "tables.0.keys") < KEYS + 1)
		assert_true(procs_now() < end);
	many_note(&m, "VmHWM");
	since = procs_now();
	h = http_ask(
		m.d, "GET /v1/tables/table?limit=10000&check=1", NULL, 200);
	since = procs_now() - since;
	assert_int_equal(http_length(&h, "rows"), KEYS + 1);
	assert_true(json_is_null(json_object_get(h.json, "fault")));
	http_done(&h);
	many_say(&m, "keys of a table", "VmHWM");
	print_message("# %d keys took %lld ms\n", KEYS, (long long)since);
	assert_in_range(since, 0, SECOND);
	many_check(&m, "VmHWM", SECOND * 1000);
	many_stop(&m);
}

/* Asks as many do; how long until the answer is here. */
static int64_t
ask_status(struct daemon *d)
{
	int64_t since = procs_now();
	struct http h = http_ask(d, "GET /v1/status", NULL, 200);

	http_done(&h);
	return procs_now() - since;
}

static void
test_f62_long_lists_that_nobody_reads(void **state)
{
	int64_t ms, longest = 0;
	int fds[UNREAD], i;
	struct many m;

	(void)state;
	many_start(&m);
	many_note(&m, "VmRSS");
	for (i = 0; i < UNREAD; i++) {
		fds[i] = peer_connect_unix(daemon_path(m.d, "api"));
		peer_send_text(fds[i],
			"GET /v1/channels?limit=100000 HTTP/1.1\r\n\r\n");
	}
	for (i = 0; i < UNREAD; i++) {
		load_await(m.l, 40);
		ms = ask_status(m.d);
		longest = ms > longest ? ms : longest;
	}
	many_say(&m, "long lists that nobody reads", "VmRSS");
	print_message("# a status took %lld ms at most\n", (long long)longest);
	assert_in_range(longest, 0, SECOND);
	many_check(&m, "VmRSS", SECOND * 1000);
	for (i = 0; i < UNREAD; i++)
		close(fds[i]);
	load_await(m.l, 400);
	many_say(&m, "after their end", "VmRSS");
	/* No more than its allocator keeps for the next one. */
	assert_true(kilobytes(m.pids[0], "VmRSS") - m.kb[0] < MEMORY / 2);
	(void)list(&m, "GET /v1/channels?limit=100000", CHANNELS + PINGS);
	many_stop(&m);
}

static void
test_f62_silent_clients_of_both_kinds(void **state)
{
	int *fds = calloc(SILENT, sizeof(*fds)), i;
	int64_t ms, longest = 0;
	struct many m;

	(void)state;
	assert_non_null(fds);
	many_start(&m);
	many_note(&m, "VmRSS");
	for (i = 0; i < SILENT; i++) {
		fds[i] = i % 2 == 0
				 ? peer_connect(daemon_port(m.d, "api", 1))
				 : peer_connect_unix(daemon_path(m.d, "api"));
		if (i % 3 == 0)
			peer_send_text(fds[i], "GET /v1/st");
		if (i % 50 != 49)
			continue;
		ms = ask_status(m.d);
		longest = ms > longest ? ms : longest;
	}
	many_say(&m, "clients that say nothing", "VmRSS");
	print_message("# a status took %lld ms at most\n", (long long)longest);
	assert_in_range(longest, 0, SECOND);
	many_check(&m, "VmRSS", SECOND * 1000);
	for (i = 0; i < SILENT; i++)
		close(fds[i]);
	free(fds);
	assert_in_range(ask_status(m.d), 0, SECOND);
	many_stop(&m);
}

/* As many descriptors as we may have. */
static int
setup(void **state)
{
	struct rlimit limit;

	(void)state;
	if (getrlimit(RLIMIT_NOFILE, &limit) == -1)
		return -1;
	limit.rlim_cur = limit.rlim_max;
	return setrlimit(RLIMIT_NOFILE, &limit);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		daemon_test(test_many_channels_are_listed),
		daemon_test(test_many_keys_are_listed),
		daemon_test(test_f62_long_lists_that_nobody_reads),
		daemon_test(test_f62_silent_clients_of_both_kinds),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
