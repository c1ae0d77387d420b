/* test_keeper_links.c - sockets between keeper and workers that get lost. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
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

#define CONF                                                                   \
	"process = { workers = 2; nofile = 60; user = \"root\";\n"             \
	"  pidfile = \"weir.pid\"; };\n"                                       \
	"api = { listen = [ \"unix:api\", \"127.0.0.1:0\" ]; };\n"             \
	"servers = ( { name = \"e\"; listen = \"127.0.0.1:0\";\n"              \
	"  middlewares = ( { type = \"echo\"; } ); } );\n"
#define LONG	"GET /v1/channels?rate_ms=4000 HTTP/1.1\r\nHost: [::1]\r\n\r\n"
#define CLIENTS 100
#define TRACES	600

static struct daemon *
start(void)
{
	struct daemon *d = daemon_start(CONF);

	daemon_fds_allow(d, 6);
	http_until(d, "GET /v1/status", "workers", 2);
	return d;
}

/* The keeper has no descriptor left when it gets its end of one. */
static void
test_an_end_that_gets_lost(void **state)
{
	struct daemon *d = start();
	pid_t hangs = daemon_worker(d, 1);
	int fds[CLIENTS], i;

	(void)state;
	daemon_expect_alert(d, "was killed by signal 9");
	assert_int_equal(procs_spare_fds((pid_t)http_value(d, "GET /v1/status",
						 "keeper.pid"),
				 3),
		0);
	/* So that nobody is answered. */
	assert_int_equal(kill(hangs, SIGSTOP), 0);
	for (i = 0; i < CLIENTS; i++) {
		fds[i] = peer_connect(daemon_port(d, "api", 1));
		peer_send_text(fds[i], LONG);
	}
	daemon_wait_log(d, "the API accepts nobody", DAEMON_MS);
	/* Somebody else gets the place that is free then. */
	assert_int_equal(kill(daemon_pid(d), SIGSTOP), 0);
	assert_int_equal(kill(daemon_worker(d, 0), SIGKILL), 0);
	assert_true(peer_is_silent(fds[0], 500));
	assert_int_equal(kill(daemon_pid(d), SIGCONT), 0);
	daemon_wait_log(d, "got lost: Too many open files", DAEMON_MS);
	for (i = 0; i < CLIENTS; i++)
		close(fds[i]);
	assert_int_equal(kill(hangs, SIGCONT), 0);
	http_until(d, "GET /v1/status", "workers", 2);
	daemon_stop(d);
}

/* So many words wait for a worker that hangs that no more do: it gets another
 * link, and so is told what it has missed. */
static void
test_f62_a_worker_that_reads_nothing(void **state)
{
	struct daemon *d = start();
	pid_t pids[2] = { daemon_worker(d, 0), daemon_worker(d, 1) };
	char text[64];
	int fd, i;
	struct http h;

	(void)state;
	for (i = 0; i < 2; i++)
		assert_int_equal(kill(pids[i], SIGSTOP), 0);
	for (i = 0; i < TRACES; i++) {
		fd = peer_connect_unix(daemon_path(d, "api"));
		peer_send_text(fd, "GET /v1/trace?client=all HTTP/1.1\r\n\r\n");
		peer_read_exact(fd, text, strlen("HTTP/1.1"));
		close(fd);
	}
	daemon_wait_log(d, "reads no questions: its link ends", DAEMON_MS);
	h = http_ask(d, "POST /v1/servers/e/pause", NULL, 200);
	http_done(&h);
	for (i = 0; i < 2; i++)
		assert_int_equal(kill(pids[i], SIGCONT), 0);
	http_until(d, "GET /v1/status", "workers", 2);
	fd = peer_connect(daemon_port(d, "e", 0));
	peer_send_text(fd, "hello");
	assert_true(peer_is_silent(fd, 200));
	close(fd);
	daemon_stop(d);
}

/* Who asks as soon as that can be is told of all there is. */
static void
test_the_first_answer_is_whole(void **state)
{
	struct daemon *d = start();
	int fd = daemon_join(d, "e"), i;
	struct http h;
	pid_t keeper;

	(void)state;
	daemon_expect_alert(d, "keeper");
	for (i = 0; i < 10; i++) {
		keeper = (pid_t)http_value(d, "GET /v1/status", "keeper.pid");
		assert_int_equal(kill(keeper, SIGKILL), 0);
		assert_true(procs_wait_end(keeper, DAEMON_MS));
		assert_int_equal(http_value(d, "GET /v1/status", "workers"), 2);
	}
	for (i = 1; i < 8; i++) {
		h = http_ask(d, "POST /v1/reload", NULL, 200);
		http_done(&h);
		h = http_ask(d, "GET /v1/generations", NULL, 200);
		/* The one with the channel is there still. */
		assert_int_equal(http_number(&h, "generations.0.number"), 1);
		assert_int_equal(http_number(&h, "generations.0.channels"), 1);
		http_done(&h);
	}
	close(fd);
	daemon_stop(d);
}

/* What is asked behind it finds no worker that accepts still. */
static void
test_a_drain_has_begun_when_it_is_answered(void **state)
{
	struct daemon *d = start();
	struct http h;
	size_t n, k;
	char path[64];
	int i;

	(void)state;
	for (i = 0; i < 12; i++) {
		h = http_ask(d, "POST /v1/drain", NULL, 200);
		assert_string_equal(http_string(&h, "outcome"), "drain: begun");
		http_done(&h);
		h = http_ask(d, "GET /v1/workers", NULL, 200);
		n = http_length(&h, "workers");
		for (k = 0; k < n; k++) {
			snprintf(path, sizeof(path), "workers.%zu.state", k);
			assert_string_equal(http_string(&h, path), "drains");
		}
		http_done(&h);
		h = http_ask(d, "POST /v1/reload", NULL, 200);
		http_done(&h);
	}
	daemon_stop(d);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		daemon_test(test_an_end_that_gets_lost),
		daemon_test(test_f62_a_worker_that_reads_nothing),
		daemon_test(test_the_first_answer_is_whole),
		daemon_test(test_a_drain_has_begun_when_it_is_answered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
