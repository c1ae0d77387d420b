/* test_keeper_busy.c - an operator before an API that others keep busy. */
#include <sys/socket.h>

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/daemon.h"
#include "lib/http.h"
#include "lib/peer.h"
#include "lib/procs.h"

#define CONF                                                                   \
	"process = { workers = %d; pidfile = \"weir.pid\"; };\n"               \
	"api = { listen = [ \"unix:api\", \"127.0.0.1:0\" ]; };\n"             \
	"servers = ( { name = \"e\"; listen = \"127.0.0.1:0\";\n"              \
	"  middlewares = ( { type = \"echo\"; } ); } );\n"
#define LONG	"GET /v1/channels?rate_ms=10000 HTTP/1.1\r\nHost: [::1]\r\n\r\n"
#define READERS 300 /* more than there may be at a time, questions or not */
#define LOCAL	70  /* enough of them for all questions */
#define FULL	190 /* descriptors of a keeper that has let them in */

static struct daemon *
start(int workers)
{
	struct daemon *d = daemon_start(CONF, workers);

	daemon_fds_allow(d, 6);
	return d;
}

static void
ask(struct daemon *d, const char *what)
{
	struct http h = http_ask(d, what, NULL, 200);

	http_done(&h);
}

/* Questions that workers have not answered for a long time. */
static void
readers_begin(struct daemon *d, int *fds, int n, bool tcp)
{
	int i;

	for (i = 0; i < n; i++) {
		fds[i] = tcp ? peer_connect(daemon_port(d, "api", 1))
			     : peer_connect_unix(daemon_path(d, "api"));
		peer_send_text(fds[i], LONG);
		/* A unix socket refuses whom its backlog has no room for. */
		if (!tcp && i % 10 == 0)
			ask(d, "GET /v1/config");
	}
}

static void
readers_end(int *fds, int n)
{
	int i;

	for (i = 0; i < n; i++)
		close(fds[i]);
}

static void
test_a_pause_waits_for_no_question(void **state)
{
	struct daemon *d = start(2);
	int fds[LOCAL], client;
	struct http h;

	(void)state;
	http_until(d, "GET /v1/status", "workers", 2);
	readers_begin(d, fds, LOCAL, false);
	h = http_ask(d, "POST /v1/servers/e/pause", NULL, 200);
	assert_int_equal(http_length(&h, "silent"), 0);
	http_done(&h);
	client = peer_connect(daemon_port(d, "e", 0));
	peer_send_text(client, "hello");
	assert_true(peer_is_silent(client, 200));
	ask(d, "POST /v1/servers/e/resume");
	peer_expect_text(client, "hello");
	close(client);
	readers_end(fds, LOCAL);
	daemon_stop(d);
}

static void
test_f62_readers_over_tcp_leave_room(void **state)
{
	struct daemon *d = start(2);
	int fds[READERS], traces[20], i, n;
	int64_t since;
	pid_t keeper;
	struct http h;

	(void)state;
	http_until(d, "GET /v1/status", "workers", 2);
	keeper = (pid_t)http_value(d, "GET /v1/status", "keeper.pid");
	for (i = 0; i < 20; i++) {
		traces[i] = peer_connect(daemon_port(d, "api", 1));
		peer_send_text(traces[i],
			"GET /v1/trace?client=all HTTP/1.1\r\n"
			"Host: 127.0.0.1\r\n\r\n");
	}
	readers_begin(d, fds, READERS, true);
	since = procs_now();
	do {
		n = procs_fds(keeper);
		assert_true(peer_is_silent(fds[0], 300));
	} while ((n < FULL || procs_fds(keeper) != n) &&
		 procs_now() - since < DAEMON_MS);
	since = procs_now();
	for (i = 0; i < 20; i++) {
		h = http_ask(d, "GET /v1/status", NULL, 200);
		assert_int_equal(http_number(&h, "workers"), 2);
		assert_int_equal(http_length(&h, "silent"), 0);
		http_done(&h);
	}
	assert_true(procs_now() - since < 5000);
	for (i = 0; i < 20; i++)
		close(traces[i]);
	readers_end(fds, READERS);
	daemon_stop(d);
}

/* More connect than there are descriptors for: the keeper does not spin, says
 * so once, and answers again as soon as some leave. */
static void
test_no_descriptor_is_left(void **state)
{
	struct daemon *d = daemon_start(
		"process = { workers = 1; nofile = 60; user = \"root\"; };\n"
		"api = { listen = [ \"unix:api\", \"127.0.0.1:0\" ]; };\n"
		"servers = ( { name = \"e\"; listen = \"127.0.0.1:0\"; } );\n");
	int fds[100], i;
	int64_t before, after;
	pid_t keeper;

	(void)state;
	daemon_fds_allow(d, 6);
	keeper = (pid_t)http_value(d, "GET /v1/status", "keeper.pid");
	assert_int_equal(procs_spare_fds(keeper, 3), 0);
	for (i = 0; i < 100; i++) {
		fds[i] = peer_connect(daemon_port(d, "api", 1));
		peer_send_text(fds[i], LONG);
	}
	daemon_wait_log(d, "the API accepts nobody for 100 ms", DAEMON_MS);
	before = procs_cpu_ms(keeper);
	assert_true(peer_is_silent(fds[0], 1000));
	after = procs_cpu_ms(keeper);
	assert_true(after - before < 500);
	for (i = 0; i < 100; i++)
		close(fds[i]);
	ask(d, "GET /v1/status");
	assert_int_equal(daemon_log_count(d, "the API accepts nobody"), 1);
	daemon_stop(d);
}

/* There are few, and whoever comes over TCP may not have them all. */
static void
test_few_descriptors(void **state)
{
	struct daemon *d = daemon_start(
		"process = { workers = 1; nofile = 64; };\n"
		"api = { listen = [ \"unix:api\", \"127.0.0.1:0\" ]; };\n"
		"servers = ( { name = \"e\"; listen = \"127.0.0.1:0\"; } );\n");
	int fds[100], i;

	(void)state;
	daemon_fds_allow(d, 6);
	ask(d, "GET /v1/status");
	for (i = 0; i < 100; i++) {
		fds[i] = peer_connect(daemon_port(d, "api", 1));
		peer_send_text(fds[i], LONG);
	}
	for (i = 0; i < 5; i++)
		ask(d, "GET /v1/status");
	for (i = 0; i < 100; i++)
		close(fds[i]);
	assert_int_equal(daemon_log_count(d, "the API accepts nobody"), 0);
	daemon_stop(d);
}

/* Pid of a child of the master that is not the keeper, nor old; 0: none. */
static pid_t
worker_but(struct daemon *d, pid_t old)
{
	pid_t pids[DAEMON_WORKERS];
	size_t n = procs_children(daemon_pid(d), pids, DAEMON_WORKERS), i;

	for (i = 0; i < n; i++)
		if (pids[i] != old && !procs_is_keeper(pids[i]))
			return pids[i];
	return 0;
}

/* Does it hear SIGTERM?  Then it has been at its end of the start. */
static bool
has_started(pid_t pid)
{
	const char *held = procs_status(pid, "SigBlk");

	return held != NULL &&
	       (strtoull(held, NULL, 16) >> (SIGTERM - 1) & 1) == 0;
}

/* The master is slow, so that a server is paused when its new worker has looked
 * already, but does not accept yet; and there is no keeper to tell it. */
static void
test_a_pause_while_a_worker_starts(void **state)
{
	struct daemon *d = start(1);
	pid_t old = daemon_worker(d, 0), pid = 0, keeper;
	int64_t end = procs_now() + DAEMON_MS;
	int client;

	(void)state;
	http_until(d, "GET /v1/status", "workers", 1);
	keeper = (pid_t)http_value(d, "GET /v1/status", "keeper.pid");
	daemon_expect_alert(d, "was killed by signal 9");
	assert_int_equal(kill(old, SIGKILL), 0);
	while (pid == 0 && procs_now() < end)
		pid = worker_but(d, old);
	assert_int_equal(kill(daemon_pid(d), SIGSTOP), 0);
	assert_int_not_equal(pid, 0);
	while (!has_started(pid) && procs_now() < end)
		continue;
	ask(d, "POST /v1/servers/e/pause");
	client = peer_connect(daemon_port(d, "e", 0));
	peer_send_text(client, "hello");
	assert_int_equal(kill(keeper, SIGKILL), 0);
	assert_int_equal(kill(daemon_pid(d), SIGCONT), 0);
	assert_true(peer_is_silent(client, 500));
	ask(d, "POST /v1/servers/e/resume");
	peer_expect_text(client, "hello");
	close(client);
	daemon_stop(d);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		daemon_test(test_a_pause_waits_for_no_question),
		daemon_test(test_f62_readers_over_tcp_leave_room),
		daemon_test(test_no_descriptor_is_left),
		daemon_test(test_few_descriptors),
		daemon_test(test_a_pause_while_a_worker_starts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
