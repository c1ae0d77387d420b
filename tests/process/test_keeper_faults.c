/* test_keeper_faults.c - a keeper that is killed again and again, under load
 * and with requests on their way. */
#include <sys/socket.h>

#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/daemon.h"
#include "lib/http.h"
#include "lib/load.h"
#include "lib/peer.h"
#include "lib/procs.h"

#ifndef KILLS
#define KILLS	     10
#define CALM	     1500
#define WATCHDOG_SEC 120
#endif
#define WORKERS	  2
#define PACE	  200	/* requests between two deaths: 5 a second */
#define REQUESTS  4	/* of the API that are on their way */
#define ANSWER_MS 1000	/* until the next keeper answers */
#define SLACK_US  20000 /* of whoever shares the machine */

#define CONF                                                                   \
	"process = { workers = %d; };\n"                                       \
	"api = { listen = \"unix:api\"; };\n"                                  \
	"extensions = ( { type = \"table\"; }, { type = \"stats\"; } );\n"     \
	"servers = ( { name = \"r\"; listen = \"127.0.0.1:0\";\n"              \
	"  middlewares = ( { type = \"limit_conn\"; max = 1000; },\n"          \
	"    { type = \"forward\"; to = \"127.0.0.1:%u\"; } ); } );\n"

static pid_t
keeper_of(struct daemon *d)
{
	pid_t pids[DAEMON_WORKERS];
	size_t n = procs_children(daemon_pid(d), pids, DAEMON_WORKERS), i;

	for (i = 0; i < n; i++)
		if (procs_is_keeper(pids[i]))
			return pids[i];
	return 0;
}

/* Waits until it has told of all workers. */
static void
expect_answer(struct daemon *d)
{
	http_until(d, "GET /v1/status", "workers", WORKERS);
}

/* Kills it while it waits for workers; how long until the next one answers. */
static int64_t
kill_keeper(struct daemon *d)
{
	int fds[REQUESTS], i;
	int64_t since;
	char byte;
	pid_t pid = keeper_of(d);

	assert_int_not_equal(pid, 0);
	for (i = 0; i < REQUESTS; i++) {
		fds[i] = peer_connect_unix(daemon_path(d, "api"));
		peer_send_text(fds[i],
			i % 2 == 0 ? "GET /v1/channels?rate_ms=5000 "
				     "HTTP/1.1\r\n\r\n"
				   : "GET /v1/trace?client=all&bytes=64 "
				     "HTTP/1.1\r\n\r\n");
	}
	/* It has read them when it answers one that came later. */
	expect_answer(d);
	since = procs_now();
	assert_int_equal(kill(pid, SIGKILL), 0);
	/* Their clients hear of it. */
	for (i = 0; i < REQUESTS; i++) {
		struct pollfd p = { .fd = fds[i], .events = POLLIN };

		do
			assert_int_equal(poll(&p, 1, DAEMON_MS), 1);
		while (recv(fds[i], &byte, 1, 0) > 0);
		close(fds[i]);
	}
	expect_answer(d);
	since = procs_now() - since;
	assert_int_not_equal(keeper_of(d), pid);
	return since;
}

/* Waits until the process has as many descriptors as that. */
static void
expect_fds(pid_t pid, int fds)
{
	int64_t end = procs_now() + DAEMON_MS;

	while (procs_fds(pid) != fds && procs_now() < end)
		poll(NULL, 0, 2);
	assert_int_equal(procs_fds(pid), fds);
}

static void
test_f62_traffic_does_not_need_the_keeper(void **state)
{
	struct load_plan plan = { .connections = { [LOAD_BRIEF] = 4,
					  [LOAD_KEPT] = 20,
					  [LOAD_IDLE] = 20 },
		.seconds = 3600,
		.brief_rate = 150,
		.kept_rate = 600 };
	struct load *l = load_new();
	struct load_result calm, r;
	uint64_t before_us, us;
	int64_t ms, longest = 0;
	struct daemon *d;
	int i, fds;

	(void)state;
	daemon_watchdog(WATCHDOG_SEC);
	d = daemon_start(CONF, WORKERS, load_echo(l, NULL));
	daemon_expect_alert(d, "keeper");
	daemon_fds_allow(d, 4);
	expect_answer(d);
	fds = procs_fds(daemon_pid(d));
	plan.ports[0] = daemon_port(d, "r", 0);
	load_start(l, &plan);
	load_settle(l);
	load_await(l, CALM);
	calm = *load_look(l);
	for (i = 0; i < KILLS; i++) {
		ms = kill_keeper(d);
		longest = ms > longest ? ms : longest;
		/* Else it is not started again before a second is over. */
		load_await(l, PACE);
	}
	load_stop(l, &r);
	load_say(&r, "kill -9 of the keeper");
	before_us = load_took_us(&calm, NULL, 990);
	us = load_took_us(&r, &calm, 990);
	print_message("# killed %d times: the next one answers after %lld ms "
		      "at most; 99 %% of requests took %llu us before, %llu us "
		      "meanwhile\n",
		KILLS, (long long)longest, (unsigned long long)before_us,
		(unsigned long long)us);
	load_check(&r);
	assert_in_range(longest, 0, ANSWER_MS);
	assert_in_range(us, 0, 2 * before_us + SLACK_US);
	/* Its links are gone with it: those of workers daemon_stop() counts. */
	expect_fds(daemon_pid(d), fds);
	daemon_stop(d);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		daemon_test(test_f62_traffic_does_not_need_the_keeper),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
