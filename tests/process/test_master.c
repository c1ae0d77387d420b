/* test_master.c - the master with workers that misbehave in every way. */
#include <bsd/unistd.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/msg.h"
#include "heritage.h"
#include "lib/daemon.h"
#include "lib/plan.h"
#include "lib/procs.h"
#include "lib/reload.h"
#include "master/workers.h"

/* Follows messages of the master to its end; 0: told or alone. */
static void
worker_serve(const struct heritage *h)
{
	struct pollfd pfd = { .fd = h->control_fd, .events = POLLIN };
	struct msg m = { .type = MSG_GO };

	msg_send(h->control_fd, MSG_READY, 0);
	while (poll(&pfd, 1, -1) != 1 || msg_recv(h->control_fd, &m) == -1 ||
		m.type == MSG_GO)
		continue;
	_exit(0);
}

static void
worker_refuses(const struct heritage *h)
{
	if (h->slot == 1)
		_exit(2);
	worker_serve(h);
}

static void
worker_breaks_before_ready(const struct heritage *h)
{
	if (h->slot == 1)
		_exit(7);
	worker_serve(h);
}

static void
worker_never_ready(const struct heritage *h)
{
	if (h->slot == 0)
		worker_serve(h);
	for (;;)
		pause();
}

/* Says READY and then hears nothing any more. */
static void
worker_deaf(const struct heritage *h)
{
	signal(SIGQUIT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	msg_send(h->control_fd, MSG_READY, 0);
	for (;;)
		pause();
}

/* Lives for a start, and never gets ready again after that. */
static void
worker_once(const struct heritage *h)
{
	if (access("once", F_OK) == 0)
		_exit(1);
	worker_serve(h);
}

static void
worker_once_then_refuses(const struct heritage *h)
{
	if (access("once", F_OK) == 0)
		_exit(2);
	worker_serve(h);
}

static void
worker_once_then_hangs(const struct heritage *h)
{
	if (access("once", F_OK) != 0)
		worker_serve(h);
	for (;;)
		pause();
}

static void
worker_talks_nonsense(const struct heritage *h)
{
	msg_send(h->control_fd, MSG_QUIT, 0);
	worker_serve(h);
}

/* A start that must end with status 1 and these words, nothing left. */
static struct daemon *
start_fails(struct plan *plan, const char *words)
{
	struct daemon *d = daemon_new();

	if (plan->start_timeout_ms == 0)
		plan->start_timeout_ms = DAEMON_MS;
	daemon_fork_function(d, plan_run, plan);
	daemon_wait_log(d, words, DAEMON_MS);
	daemon_wait_log(d, "start failed", DAEMON_MS);
	return d;
}

static void
test_stops(void **state)
{
	struct plan plan = { .worker = worker_serve, .workers = 3 };
	struct daemon *d = plan_start(&plan);
	pid_t pids[DAEMON_WORKERS];

	(void)state;
	assert_int_equal(daemon_workers(d, pids), 3);
	daemon_stop(d);
}

static void
test_worker_that_cannot_start(void **state)
{
	struct plan plan = { .worker = worker_refuses, .workers = 3 };
	struct daemon *d;

	(void)state;
	d = start_fails(&plan, "worker 1 (pid ");
	assert_true(daemon_logged(d, ") could not start"));
	daemon_finish(d, 1);
}

/* Its caller sees all that was said, and the same status. */
static void
test_background_worker_that_cannot_start(void **state)
{
	struct plan plan = {
		.worker = worker_refuses, .workers = 2, .background = true
	};
	struct daemon *d = start_fails(&plan, ") could not start");

	(void)state;
	daemon_finish(d, 1);
}

static void
test_worker_that_breaks_before_ready(void **state)
{
	struct plan plan = { .worker = worker_breaks_before_ready,
		.workers = 2 };
	struct daemon *d = start_fails(&plan, ") exited with code 7");

	(void)state;
	daemon_expect_alert(d, "exited with code 7");
	daemon_finish(d, 1);
}

static void
test_worker_that_is_never_ready(void **state)
{
	struct plan plan = { .worker = worker_never_ready,
		.workers = 2,
		.start_timeout_ms = 50 };
	struct daemon *d = daemon_new();

	(void)state;
	daemon_expect_alert(d, "it was not ready within start_timeout");
	daemon_fork_function(d, plan_run, &plan);
	daemon_wait_log(d, "start failed", DAEMON_MS);
	daemon_finish(d, 1);
}

/* Whoever hangs in its start does not outlive its master. */
static void
test_f11_master_dies_while_a_worker_hangs(void **state)
{
	struct plan plan = { .worker = worker_never_ready,
		.workers = 2,
		.start_timeout_ms = DAEMON_MS };
	struct daemon *d = daemon_new();
	pid_t workers[DAEMON_WORKERS], master;
	size_t n, i;
	int status;

	(void)state;
	daemon_fork_function(d, plan_run, &plan);
	daemon_wait_log(d, "is ready", DAEMON_MS);
	master = daemon_pid(d);
	n = daemon_workers(d, workers);
	assert_int_equal(n, 2);
	kill(master, SIGKILL);
	assert_true(procs_reap(master, &status, DAEMON_MS));
	for (i = 0; i < n; i++)
		assert_true(procs_reap(workers[i], &status, DAEMON_MS));
}

static void
test_f14_stop_while_starting(void **state)
{
	struct plan plan = { .worker = worker_never_ready,
		.workers = 1,
		.start_timeout_ms = DAEMON_MS };
	static const int signals[] = { SIGTERM, SIGINT, SIGQUIT };
	struct daemon *d;
	size_t i;

	(void)state;
	/* Slot 0 alone is ready; slot 1 keeps the start from its end. */
	plan.workers = 2;
	for (i = 0; i < 3; i++) {
		d = daemon_new();
		daemon_expect_alert(d, "it did not leave within 2 s");
		daemon_fork_function(d, plan_run, &plan);
		daemon_wait_log(d, "worker 0 (pid ", DAEMON_MS);
		daemon_wait_log(d, "is ready", DAEMON_MS);
		daemon_signal(d, signals[i]);
		daemon_finish(d, 0);
	}
}

/* Ctrl-\\ and a supervisor's TERM reach workers at any moment of their start,
 * and are no accident there. */
static void
test_f14_group_is_stopped_while_starting(void **state)
{
	struct plan plan = { .worker = worker_main,
		.workers = 4,
		.start_timeout_ms = DAEMON_MS,
		.close_wait_ms = DAEMON_MS };
	static const char *const moments[] = { "worker 0 (pid", "worker 3 (pid",
		"is ready" };
	struct daemon *d;
	int i;

	(void)state;
	for (i = 0; i < 24; i++) {
		d = daemon_new();
		daemon_fork_function(d, plan_run, &plan);
		daemon_wait_log(d, moments[i % 3], DAEMON_MS);
		assert_int_equal(
			kill(-daemon_pid(d), i % 2 ? SIGQUIT : SIGTERM), 0);
		daemon_finish(d, 0);
	}
}

static void
test_deaf_workers_are_killed(void **state)
{
	struct plan plan = {
		.worker = worker_deaf, .workers = 2, .close_wait_ms = 50
	};
	struct daemon *d = plan_start(&plan);

	(void)state;
	daemon_expect_alert(d, "it did not leave within 2 s");
	daemon_stop(d);
	d = plan_start(&plan);
	daemon_expect_alert(d, "it did not leave within close_wait and 1 s");
	daemon_signal(d, SIGQUIT);
	daemon_finish(d, 0);
}

/* 0.1, 0.2, 0.4 s: a worker that breaks at once does not heat the machine. */
static void
test_f9_crash_loop_backs_off(void **state)
{
	struct plan plan = { .worker = worker_once, .workers = 2 };
	struct daemon *d = plan_start(&plan);
	pid_t other = daemon_worker(d, 0);

	(void)state;
	daemon_expect_alert(d, "was killed by signal 9");
	daemon_expect_alert(d, "exited with code 1");
	daemon_put(d, "once", "");
	kill(daemon_worker(d, 1), SIGKILL);
	daemon_wait_log(d, "worker 1 is started again in 100 ms", DAEMON_MS);
	daemon_wait_log(d, "worker 1 is started again in 200 ms", DAEMON_MS);
	daemon_wait_log(d, "worker 1 is started again in 400 ms", DAEMON_MS);
	assert_int_equal(daemon_worker(d, 0), other);
	/* Cured, it comes back. */
	unlink(daemon_path(d, "once"));
	daemon_wait_log(d, ") is ready", DAEMON_MS);
	daemon_stop(d);
}

/* Five at once, then not more than five a second. */
static void
test_replacing_has_a_limit(void **state)
{
	struct plan plan = { .worker = worker_serve, .workers = 2 };
	struct daemon *d = plan_start(&plan);
	int i;

	(void)state;
	daemon_expect_alert(d, "was killed by signal 9");
	daemon_wait_log(d, "ready gen=1", DAEMON_MS);
	/* A busy machine may need more than a second for some of them. */
	for (i = 0; i < 100; i++) {
		if (daemon_logged(d, "worker 1 is started again in "))
			break;
		kill(daemon_worker(d, 1), SIGKILL);
		daemon_wait_log(d, ") is ready", DAEMON_MS);
	}
	assert_in_range(i, WORKERS_BURST, 99);
	daemon_stop(d);
}

static void
test_refusal_later_empties_one_slot(void **state)
{
	struct plan plan = { .worker = worker_once_then_refuses, .workers = 2 };
	struct daemon *d = plan_start(&plan);
	pid_t pids[DAEMON_WORKERS];

	(void)state;
	daemon_expect_alert(d, "was killed by signal 9");
	daemon_put(d, "once", "");
	kill(daemon_worker(d, 1), SIGKILL);
	daemon_wait_log(d, ") could not start", DAEMON_MS);
	assert_int_equal(daemon_workers(d, pids), 1);
	daemon_stop(d);
}

/* It has no channels, so it gets no time for them. */
static void
test_leaving_does_not_wait_for_a_start(void **state)
{
	struct plan plan = { .worker = worker_once_then_hangs, .workers = 2 };
	struct daemon *d;
	int i;

	(void)state;
	for (i = 0; i < 2; i++) {
		d = plan_start(&plan);
		daemon_expect_alert(d, "was killed by signal 9");
		daemon_put(d, "once", "");
		daemon_wait_log(d, "ready gen=1", DAEMON_MS);
		kill(daemon_worker(d, 1), SIGKILL);
		daemon_wait_log(d, ") started", DAEMON_MS);
		daemon_signal(d, i == 0 ? SIGWINCH : SIGQUIT);
		daemon_wait_log(d, "it was not ready when it had to leave",
			DAEMON_MS / 2);
		if (i == 0)
			reload_alone(d, 0);
		if (i == 0)
			daemon_signal(d, SIGTERM);
		daemon_finish(d, 0);
	}
}

static void
test_no_worker_left_ends_it(void **state)
{
	struct plan plan = { .worker = worker_once_then_refuses, .workers = 1 };
	struct daemon *d = plan_start(&plan);

	(void)state;
	daemon_expect_alert(d, "was killed by signal 9");
	daemon_put(d, "once", "");
	kill(daemon_worker(d, 0), SIGKILL);
	daemon_wait_log(d, "no worker is left and none can start", DAEMON_MS);
	daemon_finish(d, 1);
}

static void
test_nonsense_is_an_alert(void **state)
{
	struct plan plan = { .worker = worker_talks_nonsense, .workers = 1 };
	struct daemon *d = plan_start(&plan);

	(void)state;
	daemon_expect_alert(d, "sent \"quit\" out of turn");
	daemon_wait_log(d, "out of turn", DAEMON_MS);
	daemon_stop(d);
}

/* At whatever moment of its start the master dies, nobody stays. */
static void
test_f11_master_is_killed_while_starting(void **state)
{
	struct plan plan = { .worker = worker_serve,
		.workers = 2,
		.start_timeout_ms = DAEMON_MS };
	static const char *const moments[] = { "worker 0 (pid", "worker 1 (pid",
		"is ready" };
	struct daemon *d;
	int i;

	(void)state;
	for (i = 0; i < 60; i++) {
		d = daemon_new();
		daemon_fork_function(d, plan_run, &plan);
		daemon_wait_log(d, moments[i % 3], DAEMON_MS);
		daemon_kill_master(d);
		daemon_teardown(NULL);
	}
}

/* Any number of signals, in any order: one generation, and TERM wins. */
static void
test_storm_of_signals(void **state)
{
	static const int signals[] = { SIGUSR1, SIGUSR2, SIGCHLD };
	struct plan plan = { .worker = worker_serve, .workers = 2 };
	struct daemon *d = plan_start(&plan);
	pid_t before[DAEMON_WORKERS], after[DAEMON_WORKERS];
	unsigned i, seed = 1;

	(void)state;
	assert_int_equal(daemon_workers(d, before), 2);
	for (i = 0; i < 2000; i++)
		daemon_signal(d, signals[rand_r(&seed) % 3]);
	assert_int_equal(daemon_workers(d, after), 2);
	assert_memory_equal(before, after, 2 * sizeof(before[0]));
	daemon_stop(d);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		daemon_test(test_stops),
		daemon_test(test_worker_that_cannot_start),
		daemon_test(test_background_worker_that_cannot_start),
		daemon_test(test_worker_that_breaks_before_ready),
		daemon_test(test_worker_that_is_never_ready),
		daemon_test(test_f11_master_dies_while_a_worker_hangs),
		daemon_test(test_f14_stop_while_starting),
		daemon_test(test_f14_group_is_stopped_while_starting),
		daemon_test(test_deaf_workers_are_killed),
		daemon_test(test_f9_crash_loop_backs_off),
		daemon_test(test_replacing_has_a_limit),
		daemon_test(test_refusal_later_empties_one_slot),
		daemon_test(test_leaving_does_not_wait_for_a_start),
		daemon_test(test_no_worker_left_ends_it),
		daemon_test(test_nonsense_is_an_alert),
		daemon_test(test_f11_master_is_killed_while_starting),
		daemon_test(test_storm_of_signals),
	};

	setproctitle_init(argc, argv, environ);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
