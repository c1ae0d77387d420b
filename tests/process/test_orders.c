/* test_orders.c - signals in any order, at any rate and at any moment. */
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/daemon.h"
#include "lib/load.h"
#include "lib/peer.h"
#include "lib/procs.h"
#include "lib/reload.h"

#define SIGNALS 200 /* of a storm */

#define CONF                                                                   \
	"process = { workers = %d; };\nservers = ( { name = \"r\";"            \
	" listen = \"127.0.0.1:0\"; middlewares = \"echo\"; } );\n"
/* One that is given up only after a while. */
#define CONF_BUSY                                                              \
	"servers = ( { name = \"r\"; listen = ( \"127.0.0.1:0\","              \
	" \"127.0.0.1:%u\" ); middlewares = \"echo\"; } );\n"

/* ---- HUP while there is a reload ----------------------------------------- */

/* Nothing else happens that could remind the master of the second one. */
static void
test_f14_hup_while_one_fails(void **state)
{
	struct daemon *d = daemon_start(CONF, 1);
	uint16_t port;
	int taken = peer_listen(&port);

	(void)state;
	daemon_write(d, CONF_BUSY, port);
	daemon_signal(d, SIGHUP);
	daemon_wait_log(d, "as generation 2", DAEMON_MS);
	daemon_signal(d, SIGHUP);
	daemon_wait_log(d, "generation 2 is given up", DAEMON_MS);
	daemon_wait_log(d, "generation 3 is given up", DAEMON_MS);
	close(taken);
	daemon_stop(d);
}

/* The same: those who are to leave have channels, and stay. */
static void
test_f14_hup_while_one_succeeds(void **state)
{
	struct daemon *d = daemon_start(CONF, 1);
	int held[3];
	size_t i;

	(void)state;
	for (i = 0; i < 3; i++) {
		held[i] = daemon_join(d, "r");
		daemon_signal(d, SIGHUP);
		daemon_wait_log(d, "as generation", DAEMON_MS);
		daemon_signal(d, SIGHUP);
		daemon_wait_log(d, "ready gen=", DAEMON_MS);
		daemon_wait_log(d, "ready gen=", DAEMON_MS);
	}
	for (i = 0; i < 3; i++)
		close(held[i]);
	reload_alone(d, 1);
	daemon_stop(d);
}

/* ---- HUP, then others ---------------------------------------------------- */

static void
stop_reload(int signo, const char *moment)
{
	struct daemon *d = daemon_start(CONF, 4);

	daemon_signal(d, SIGHUP);
	daemon_wait_log(d, moment, DAEMON_MS);
	daemon_signal(d, signo);
	daemon_finish(d, 0);
}

/* At whatever moment of a reload: none of its processes stays. */
static void
test_f14_stop_and_quit_win_over_hup(void **state)
{
	static const char *const moments[] = { "as generation 2", "worker 0",
		"worker 3", "is ready", "ready gen=2" };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(moments) / sizeof(moments[0]); i++) {
		stop_reload(SIGTERM, moments[i]);
		stop_reload(SIGQUIT, moments[i]);
	}
}

/* Whatever came first: two signals that wait have no order. */
static void
test_f14_drain_and_hup_at_once(void **state)
{
	static const int signals[][2] = { { SIGWINCH, SIGHUP },
		{ SIGHUP, SIGWINCH } };
	struct daemon *d;
	size_t i;

	(void)state;
	for (i = 0; i < 2; i++) {
		d = daemon_start(CONF, 1);
		daemon_signal(d, SIGSTOP);
		daemon_signal(d, signals[i][0]);
		daemon_signal(d, signals[i][1]);
		daemon_signal(d, SIGCONT);
		daemon_wait_log(d, "ready gen=2 ", DAEMON_MS);
		reload_alone(d, 1);
		close(daemon_join(d, "r"));
		daemon_stop(d);
	}
}

/* Whoever is leaving reads no file any more. */
static void
test_f14_hup_after_quit_changes_nothing(void **state)
{
	struct daemon *d = daemon_start(CONF, 2);
	int held = daemon_join(d, "r");

	(void)state;
	daemon_signal(d, SIGQUIT);
	daemon_wait_log(d, "finishing", DAEMON_MS);
	daemon_signal(d, SIGHUP);
	daemon_signal(d, SIGUSR1);
	daemon_wait_log(d, "log files were opened again", DAEMON_MS);
	peer_send_text(held, "b");
	peer_expect_text(held, "b");
	assert_false(daemon_logged(d, "as generation 2"));
	close(held);
	daemon_finish(d, 0);
}

/* ---- before it is ready -------------------------------------------------- */

static int
run_weir(int ready_fd, void *arg)
{
	(void)ready_fd;
	(void)arg;
	execl(getenv("WEIR"), "weir", "-c", "weir.conf", (char *)NULL);
	return 1;
}

static bool
has_signal(pid_t pid, const char *field, int signo)
{
	const char *set = procs_status(pid, field);

	return set != NULL && (strtoull(set, NULL, 16) >> (signo - 1) & 1) != 0;
}

/* As soon as it can be asked not to die of it, it does not. */
static void
test_f14_hup_while_starting(void **state)
{
	struct daemon *d = daemon_new();
	int64_t end = procs_now() + DAEMON_MS;

	(void)state;
	daemon_write(d, CONF, 2);
	daemon_fork_function(d, run_weir, NULL);
	while (!has_signal(daemon_pid(d), "SigBlk", SIGHUP) &&
		!has_signal(daemon_pid(d), "SigCgt", SIGHUP)) {
		assert_true(procs_now() < end);
		poll(NULL, 0, 1);
	}
	daemon_signal(d, SIGHUP);
	daemon_signal(d, SIGUSR1);
	daemon_wait_log(d, "ready gen=1 ", DAEMON_MS);
	daemon_wait_log(d, "ready gen=2 ", DAEMON_MS);
	reload_alone(d, 2);
	daemon_signal(d, SIGTERM);
	daemon_finish(d, 0);
}

/* They wait for the end of the start, and end as they do later. */
static void
test_f14_drain_and_hup_while_starting(void **state)
{
	static const int signals[][2] = { { SIGWINCH, SIGHUP },
		{ SIGHUP, SIGWINCH } };
	int64_t end = procs_now() + DAEMON_MS;
	struct daemon *d;
	size_t i;

	(void)state;
	for (i = 0; i < 2; i++) {
		d = daemon_new();
		daemon_write(d, CONF, 2);
		daemon_fork_function(d, run_weir, NULL);
		while (!has_signal(daemon_pid(d), "SigCgt", SIGWINCH)) {
			assert_true(procs_now() < end);
			poll(NULL, 0, 1);
		}
		daemon_signal(d, signals[i][0]);
		daemon_signal(d, signals[i][1]);
		daemon_wait_log(d, "ready gen=1 ", DAEMON_MS);
		daemon_wait_log(d, "nobody accepts", DAEMON_MS);
		daemon_wait_log(d, "ready gen=2 ", DAEMON_MS);
		reload_alone(d, 2);
		assert_int_equal(daemon_log_count(d, "nobody accepts"), 1);
		daemon_signal(d, SIGTERM);
		daemon_finish(d, 0);
	}
}

/* ---- storms -------------------------------------------------------------- */

/* Each that comes while one is under way is not lost; they are not counted. */
static void
test_f14_storm_of_hup(void **state)
{
	struct daemon *d = daemon_start(CONF, 2);
	int i;

	(void)state;
	for (i = 0; i < SIGNALS; i++)
		daemon_signal(d, SIGHUP);
	daemon_write(d, CONF, 3);
	reload_storm_end(d, 3);
	close(daemon_join(d, "r"));
	daemon_stop(d);
}

/* ---- what reaches all processes ------------------------------------------ */

static bool
is_worker(struct daemon *d, pid_t pid)
{
	char line[64];

	snprintf(line, sizeof(line), "worker 0 (pid %d)", (int)pid);
	return daemon_logged(d, line);
}

/* HUP until the one that reads the file could be stopped, in the midst of it:
 * its pid. */
static pid_t
hold_loader(struct daemon *d)
{
	int64_t end = procs_now() + DAEMON_MS;
	pid_t pids[DAEMON_WORKERS];
	const char *is;

	for (;;) {
		reload_alone(d, 1);
		daemon_signal(d, SIGHUP);
		while (procs_children(daemon_pid(d), pids, DAEMON_WORKERS) < 2)
			assert_true(procs_now() < end);
		(void)kill(pids[1], SIGSTOP);
		/* If it is a worker, the master has to say so first. */
		poll(NULL, 0, 20);
		is = procs_status(pids[1], "State");
		if (is != NULL && *is == 'T' && !is_worker(d, pids[1]))
			return pids[1];
		(void)kill(pids[1], SIGCONT);
		daemon_wait_log(d, "ready gen=", DAEMON_MS);
	}
}

/* As a service manager may send them: one that reads the file gets them, too.
 */
static void
test_f14_storm_for_the_group(void **state)
{
	static const int signals[] = { SIGHUP, SIGUSR1, SIGUSR2 };
	struct daemon *d = daemon_start(CONF, 1);
	pid_t loader = hold_loader(d);
	int i;

	(void)state;
	for (i = 0; i < 60; i++) {
		assert_int_equal(kill(-daemon_pid(d), signals[i % 3]), 0);
		poll(NULL, 0, 10);
	}
	assert_int_equal(kill(loader, SIGINT), 0);
	assert_int_equal(kill(loader, SIGCONT), 0);
	daemon_wait_log(d, "ready gen=", DAEMON_MS);
	daemon_wait_log(d, "ready gen=", DAEMON_MS);
	reload_alone(d, 1);
	close(daemon_join(d, "r"));
	assert_false(daemon_logged(d, "is given up"));
	daemon_stop(d);
}

/* Sent to all, they may end it before the master knows that it has to leave. */
static void
test_f14_loader_ends_by_stop_and_quit(void **state)
{
	static const int signals[] = { SIGTERM, SIGQUIT };
	struct daemon *d = daemon_start(CONF, 1);
	pid_t loader;
	size_t i;

	(void)state;
	for (i = 0; i < 2; i++) {
		loader = hold_loader(d);
		assert_int_equal(kill(loader, signals[i]), 0);
		assert_int_equal(kill(loader, SIGCONT), 0);
		daemon_wait_log(
			d, "[error] loading weir.conf was ended by", DAEMON_MS);
		daemon_wait_log(d, "is given up", DAEMON_MS);
	}
	daemon_stop(d);
}

static void
test_f14_storm_of_signals(void **state)
{
	struct load_plan plan = { .connections = { [LOAD_BRIEF] = 4,
					  [LOAD_KEPT] = 8,
					  [LOAD_IDLE] = 20 },
		.brief_rate = 200,
		.kept_rate = 200 };
	struct load *l = load_new();
	struct load_result r;
	struct daemon *d;

	(void)state;
	d = daemon_start("process = { workers = 2; max_generations = 64; };\n"
			 "servers = ( { name = \"r\"; listen = "
			 "\"127.0.0.1:0\"; middlewares = \"echo\"; } );\n");
	plan.ports[0] = daemon_port(d, "r", 0);
	load_start(l, &plan);
	load_settle(l);
	reload_storm(d, SIGNALS);
	daemon_write(d, "process = { workers = 3; max_generations = 64; };\n"
			"servers = ( { name = \"r\"; listen = "
			"\"127.0.0.1:0\"; middlewares = \"echo\"; } );\n");
	load_stop(l, &r);
	load_say(&r, "200 signals");
	load_check(&r);
	reload_storm_end(d, 3);
	daemon_stop(d);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		daemon_test(test_f14_hup_while_one_fails),
		daemon_test(test_f14_hup_while_one_succeeds),
		daemon_test(test_f14_stop_and_quit_win_over_hup),
		daemon_test(test_f14_drain_and_hup_at_once),
		daemon_test(test_f14_hup_after_quit_changes_nothing),
		daemon_test(test_f14_hup_while_starting),
		daemon_test(test_f14_drain_and_hup_while_starting),
		daemon_test(test_f14_storm_of_hup),
		daemon_test(test_f14_storm_for_the_group),
		daemon_test(test_f14_loader_ends_by_stop_and_quit),
		daemon_test(test_f14_storm_of_signals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
