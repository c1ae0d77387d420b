/* test_crash_load.c - workers are killed under load: their own channels end,
 * and nobody else notices. */
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lib/daemon.h"
#include "lib/load.h"
#include "lib/procs.h"

#define WORKERS 2
#define KILLS	20
#define BRIEF	6
#define FDS_TOP 1024 /* more than a worker has here */

static unsigned
sockets_of(pid_t pid)
{
	const char *to;
	unsigned n = 0;
	int fd;

	for (fd = 0; fd < FDS_TOP; fd++) {
		to = procs_fd(pid, fd);
		n += to != NULL && strncmp(to, "socket:", 7) == 0;
	}
	return n;
}

static void
stop_process(pid_t pid)
{
	int64_t end = procs_now() + DAEMON_MS;
	const char *state;

	assert_int_equal(kill(pid, SIGSTOP), 0);
	while ((state = procs_status(pid, "State")) != NULL && *state != 'T') {
		assert_true(procs_now() < end);
		poll(NULL, 0, 1);
	}
}

/* One that forwards to an echo server of the load. */
static struct daemon *
start(struct load *l, const char *settings)
{
	return daemon_start("process = { workers = %d; };\n"
			    "servers = ( { name = \"r\"; %s"
			    " listen = \"127.0.0.1:0\";"
			    " middlewares = ( { type = \"forward\";"
			    "  to = \"127.0.0.1:%u\"; } ); } );",
		WORKERS, settings, load_echo(l, NULL));
}

static uint64_t
failures_of(const struct load *l)
{
	return load_failed(load_look(l), LOAD_KINDS_N);
}

/* Kills it; how long it was until the slot had another one. */
static int64_t
kill_worker(struct daemon *d, pid_t pid)
{
	int64_t start = procs_now();

	assert_int_equal(kill(pid, SIGKILL), 0);
	daemon_wait_log(d, "is ready", DAEMON_MS);
	return procs_now() - start;
}

/* Of those that fail exactly as many as it had channels: a BRIEF one may end
 * well at the last moment, or not have got its backend yet. */
static void
kill_and_compare(struct daemon *d, struct load *l, pid_t pid, unsigned own)
{
	uint64_t before, failed;
	unsigned channels;

	stop_process(pid);
	before = failures_of(l);
	channels = (sockets_of(pid) - own) / 2;
	kill_worker(d, pid);
	load_settle(l);
	failed = failures_of(l) - before;
	print_message("# killed with %u channels: %llu failed\n", channels,
		(unsigned long long)failed);
	assert_true(failed + BRIEF >= channels);
	assert_true(failed <= channels + BRIEF);
}

/* Nobody is refused or stays unanswered, no byte is wrong or lost that a
 * living worker had. */
static void
expect_only_ends(const struct load_result *r)
{
	uint64_t ends = load_failed(r, LOAD_UNSERVED) +
			load_failed(r, LOAD_RESET) + load_failed(r, LOAD_SHORT);

	assert_int_equal(load_failed(r, LOAD_KINDS_N), ends);
	assert_true(ends > 0);
	assert_true(r->ok[LOAD_BRIEF] > 0);
	assert_true(r->ok[LOAD_KEPT] > 0);
}

static void
test_kill_one_of_two(void **state)
{
	struct load_plan plan = { .connections = { [LOAD_BRIEF] = BRIEF,
					  [LOAD_KEPT] = 20,
					  [LOAD_IDLE] = 100 },
		.brief_rate = 300,
		.kept_rate = 300,
		.bytes_max = 20000 };
	struct load *l = load_new();
	struct load_result r;
	int64_t ms, slowest = 0;
	struct daemon *d;
	unsigned i, own;
	pid_t pid;

	(void)state;
	d = start(l, "");
	daemon_expect_alert(d, "was killed by signal 9");
	for (i = 0; i < WORKERS; i++)
		daemon_wait_log(d, "is ready", DAEMON_MS);
	own = sockets_of(daemon_worker(d, 0));
	plan.ports[0] = daemon_port(d, "r", 0);
	load_start(l, &plan);
	load_settle(l);
	for (i = 0; i < KILLS; i++) {
		/* Slow enough for the slots' limit of starts in a second. */
		load_await(l, 100);
		pid = daemon_worker(d, i % WORKERS);
		if (i / WORKERS % 2 == 0) {
			kill_and_compare(d, l, pid, own);
			continue;
		}
		ms = kill_worker(d, pid);
		slowest = ms > slowest ? ms : slowest;
		load_settle(l);
	}
	load_stop(l, &r);
	load_say(&r, "kill -9 of one of two workers");
	print_message("# slowest to be ready again: %lld ms; %u had to wait\n",
		(long long)slowest, daemon_log_count(d, "is started again in"));
	expect_only_ends(&r);
	daemon_stop(d);
}

/* The workers of a dead master serve whom they have for close_wait; after
 * that nobody listens. */
static void
test_kill_the_master(void **state)
{
	struct load_plan plan = { .connections = { [LOAD_KEPT] = 8 },
		.kept_rate = 400 };
	struct load *l = load_new();
	struct load_result r;
	struct daemon *d;

	(void)state;
	d = start(l, "close_wait = 1;");
	plan.ports[0] = daemon_port(d, "r", 0);
	load_start(l, &plan);
	load_settle(l);
	daemon_kill_master(d);
	load_stop(l, &r);
	load_say(&r, "kill -9 of the master");
	assert_int_equal(r.failed[LOAD_KEPT][LOAD_RESET], 8);
	assert_int_equal(load_failed(&r, LOAD_KINDS_N),
		8 + r.failed[LOAD_KEPT][LOAD_REFUSED]);
	assert_true(r.ok[LOAD_KEPT] > 20);
	daemon_launch(d);
	daemon_stop(d);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		daemon_test(test_kill_one_of_two),
		daemon_test(test_kill_the_master),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
