/* test_spread.c - how connections are spread over workers, and who serves them
 * when one is missing. */
#include <sys/mman.h>

#include <bsd/unistd.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "heritage.h"
#include "lib/daemon.h"
#include "lib/load.h"
#include "lib/peer.h"
#include "lib/plan.h"
#include "lib/procs.h"

#define MANY	1000
#define SLOWLY	60
#define SLOW_MS 100 /* between two of those */
#define WORKERS 4
#define TITLE	1024

#define CONF(settings, listen)                                                 \
	"process = { " settings " };\n"                                        \
	"servers = ( { name = \"r\"; listen = " listen ";\n"                   \
	"  middlewares = \"echo\"; } );\n"
#define SHARED "( { address = \"127.0.0.1:0\"; reuseport = true; } )"

/* ---- one who leaves a connection to the others --------------------------- */

#define BRIEF	  60
#define BRIEF_MS  5
#define APART_MS  30 /* so that whoever was away is back */
#define SLOW_MOST 4  /* of those, in the best of some tries */
#define TRIES	  3

/* Opens so many connections, each answered before the next comes; how many of
 * them had to wait. */
static unsigned
count_slow(struct daemon *d)
{
	unsigned i, slow = 0;
	int fds[BRIEF];

	for (i = 0; i < BRIEF; i++) {
		int64_t since = procs_now();

		fds[i] = peer_connect(daemon_port(d, "r", 0));
		peer_send_text(fds[i], "a");
		peer_expect_text(fds[i], "a");
		slow += procs_now() - since > BRIEF_MS;
		poll(NULL, 0, APART_MS);
	}
	for (i = 0; i < BRIEF; i++)
		close(fds[i]);
	return slow;
}

/* Whoever is ahead leaves what comes to the others, who sleep: they have to
 * hear of it. */
static void
test_who_is_left_a_connection_hears_of_it(void **state)
{
	struct daemon *d =
		daemon_start(CONF("workers = 2;", "\"127.0.0.1:0\""));
	unsigned i, slow = BRIEF;

	(void)state;
	for (i = 0; i < TRIES && slow > SLOW_MOST; i++)
		slow = count_slow(d);
	assert_true(slow <= SLOW_MOST);
	daemon_stop(d);
}

/* ---- figures ------------------------------------------------------------- */

/* The process title; valid until the next call. */
static const char *
title_of(pid_t pid)
{
	static char title[TITLE];
	char path[64];
	size_t n;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/cmdline", (int)pid);
	f = fopen(path, "r");
	assert_non_null(f);
	n = fread(title, 1, sizeof(title) - 1, f);
	fclose(f);
	title[n] = '\0';
	return title;
}

/* Channels of that worker, as its title has them. */
static unsigned
channels_of(pid_t pid)
{
	const char *at = strstr(title_of(pid), "generation 1: ");
	unsigned n = 0;

	assert_non_null(at);
	if (sscanf(at, "generation 1: %u channels", &n) != 1)
		assert_true(strstr(at, ": no channels") != NULL ||
			    strstr(at, ": starts") != NULL);
	return n;
}

/* Waits until the titles have all n channels; the most and the least. */
static void
wait_for(struct daemon *d, unsigned n, unsigned *least, unsigned *most)
{
	int64_t end = procs_now() + DAEMON_MS;
	unsigned sum, slot, has;

	do {
		assert_true(procs_now() < end);
		poll(NULL, 0, 10);
		sum = *most = 0;
		*least = UINT32_MAX;
		for (slot = 0; slot < WORKERS; slot++) {
			has = channels_of(daemon_worker(d, slot));
			sum += has;
			*most = has > *most ? has : *most;
			*least = has < *least ? has : *least;
		}
	} while (sum != n);
	print_message(
		"# %u channels: from %u to %u a worker\n", n, *least, *most);
}

static void
connect_all(struct daemon *d, int *fds, unsigned n, int pause_ms)
{
	unsigned i;

	for (i = 0; i < n; i++) {
		fds[i] = peer_connect(daemon_port(d, "r", 0));
		if (pause_ms > 0)
			poll(NULL, 0, pause_ms);
	}
	for (i = 0; i < n; i++)
		peer_echo(fds[i], "a");
}

static void
close_all(int *fds, unsigned n)
{
	unsigned i;

	for (i = 0; i < n; i++)
		close(fds[i]);
}

static void
wait_title(pid_t pid, const char *text)
{
	int64_t end = procs_now() + DAEMON_MS;

	while (strstr(title_of(pid), text) == NULL) {
		assert_true(procs_now() < end);
		poll(NULL, 0, 10);
	}
}

static void
test_titles(void **state)
{
	struct daemon *d =
		daemon_start(CONF("workers = 1;", "\"127.0.0.1:0\""));
	pid_t pid = daemon_worker(d, 0);
	int fd;

	(void)state;
	wait_title(pid, "worker 0 generation 1: no channels");
	wait_title(daemon_pid(d),
		"master weir.conf; generation 1: 1 of 1 workers, 0 channels");
	fd = peer_connect(daemon_port(d, "r", 0));
	peer_echo(fd, "a");
	wait_title(pid, "worker 0 generation 1: 1 channels, oldest ");
	daemon_signal(d, SIGHUP);
	wait_title(pid, " s, drains");
	wait_title(daemon_pid(d), "generation 2: 1 of 1 workers, 0 channels; "
				  "generation 1: 1 of 1 workers, 1 channels, "
				  "the oldest for ");
	close(fd);
	wait_title(daemon_pid(d),
		"master weir.conf; generation 2: 1 of 1 workers, 0 channels");
	daemon_stop(d);
}

/* ---- by themselves ------------------------------------------------------- */

static void
test_f65_many_are_spread(void **state)
{
	struct daemon *d =
		daemon_start(CONF("workers = 4;", "\"127.0.0.1:0\""));
	unsigned least, most;
	int fds[MANY];

	(void)state;
	connect_all(d, fds, MANY, 0);
	wait_for(d, MANY, &least, &most);
	assert_true(most * 2 <= least * 3);
	close_all(fds, MANY);
	wait_for(d, 0, &least, &most);
	daemon_stop(d);
}

static void
test_f65_few_are_spread(void **state)
{
	struct daemon *d =
		daemon_start(CONF("workers = 4;", "\"127.0.0.1:0\""));
	unsigned least, most;
	int fds[SLOWLY];

	(void)state;
	connect_all(d, fds, SLOWLY, SLOW_MS);
	wait_for(d, SLOWLY, &least, &most);
	assert_true(most <= least * 2);
	close_all(fds, SLOWLY);
	daemon_stop(d);
}

/* A worker that has many silent channels does not leave all work to others. */
static void
test_f65_work_is_spread(void **state)
{
	struct load_plan plan = { .connections = { [LOAD_BRIEF] = 40 } };
	struct load *l = load_new();
	int64_t used[2];
	struct load_result r;
	struct daemon *d;
	int fds[200], i;
	pid_t pids[2];

	(void)state;
	d = daemon_start(
		"process = { workers = 2; };\n"
		"servers = ( { name = \"r\"; listen = \"127.0.0.1:0\";\n"
		"  middlewares = ( { type = \"forward\";"
		" to = \"127.0.0.1:%u\"; } ); },\n"
		" { name = \"i\"; listen = \"127.0.0.1:0\";\n"
		"  middlewares = \"echo\"; } );\n",
		load_echo(l, NULL));
	for (i = 0; i < 2; i++)
		pids[i] = daemon_worker(d, (unsigned)i);
	assert_int_equal(kill(pids[0], SIGSTOP), 0);
	for (i = 0; i < 200; i++) {
		fds[i] = peer_connect(daemon_port(d, "i", 0));
		peer_echo(fds[i], "a");
	}
	assert_int_equal(kill(pids[0], SIGCONT), 0);
	for (i = 0; i < 2; i++)
		used[i] = -procs_cpu_ms(pids[i]);
	plan.ports[0] = daemon_port(d, "r", 0);
	load_start(l, &plan);
	load_await(l, 6000);
	load_stop(l, &r);
	load_check(&r);
	for (i = 0; i < 2; i++)
		used[i] += procs_cpu_ms(pids[i]);
	print_message(
		"# CPU beside no and 200 silent channels: %lld, %lld ms\n",
		(long long)used[0], (long long)used[1]);
	assert_true(used[0] <= used[1] * 4 && used[1] <= used[0] * 4);
	close_all(fds, 200);
	daemon_stop(d);
}

/* One that does not run keeps nobody waiting, though it has the least to do. */
static void
test_a_worker_that_hangs(void **state)
{
	struct daemon *d =
		daemon_start(CONF("workers = 2;", "\"127.0.0.1:0\""));
	pid_t pid = daemon_worker(d, 0);
	int64_t start;
	int fds[100], i;

	(void)state;
	assert_int_equal(kill(pid, SIGSTOP), 0);
	start = procs_now();
	for (i = 0; i < 100; i++) {
		fds[i] = peer_connect(daemon_port(d, "r", 0));
		peer_echo(fds[i], "a");
	}
	/* A few of them have waited for it, not each. */
	assert_true(procs_now() - start < 700);
	assert_int_equal(kill(pid, SIGCONT), 0);
	close_all(fds, 100);
	daemon_stop(d);
}

/* ---- with reuseport ------------------------------------------------------ */

/* Shared with the processes: slot 0 cannot start, from now on. */
static bool *broken;

static void
worker_maybe(const struct heritage *h)
{
	if (*broken && h->slot == 0)
		_exit(2);
	worker_main(h);
}

static int
run(int ready_fd, void *arg)
{
	(void)arg;
	return plan_run_file(ready_fd, worker_maybe);
}

/* Without a worker, its sockets are another's. */
static void
test_sockets_of_a_dead_worker(void **state)
{
	struct daemon *d = daemon_new();
	int fds[40], round;

	(void)state;
	*broken = false;
	daemon_write(d, CONF("workers = 3;", SHARED));
	daemon_launch_function(d, run, NULL);
	connect_all(d, fds, 40, 0);
	*broken = true;
	daemon_expect_alert(d, "was killed by signal 9");
	kill(daemon_worker(d, 0), SIGKILL);
	daemon_wait_log(d, "could not start", DAEMON_MS);
	close_all(fds, 40);
	for (round = 0; round < 3; round++) {
		connect_all(d, fds, 40, 0);
		close_all(fds, 40);
	}
	assert_true(
		daemon_logged(d, "worker 1 serves the sockets of worker 0"));
	/* Who serves them may die as well: the last one has all. */
	kill(daemon_worker(d, 1), SIGKILL);
	daemon_wait_log(
		d, "worker 2 serves the sockets of worker 0", DAEMON_MS);
	connect_all(d, fds, 40, 0);
	close_all(fds, 40);
	daemon_stop(d);
}

/* One that was told to drain, by somebody else, accepts no more. */
static void
test_sockets_of_a_worker_that_drains(void **state)
{
	struct daemon *d = daemon_start(CONF("workers = 2;", SHARED));
	int fds[40], more[40];

	(void)state;
	connect_all(d, fds, 40, 0);
	daemon_expect_alert(d, "exited with code 0");
	kill(daemon_worker(d, 0), SIGQUIT);
	daemon_wait_log(
		d, "worker 1 serves the sockets of worker 0", DAEMON_MS);
	connect_all(d, more, 40, 0);
	close_all(fds, 40);
	daemon_wait_log(d, "exited with code 0", DAEMON_MS);
	daemon_wait_log(d, "is ready", DAEMON_MS);
	close_all(more, 40);
	daemon_stop(d);
}

/* A worker that comes back has its own again, and they are no one else's. */
static void
test_sockets_are_given_back(void **state)
{
	struct daemon *d = daemon_start(CONF("workers = 4;", SHARED));
	unsigned least, most, i;
	int fds[MANY];

	(void)state;
	daemon_expect_alert(d, "was killed by signal 9");
	for (i = 0; i < WORKERS; i++)
		daemon_wait_log(d, "is ready", DAEMON_MS);
	for (i = 0; i < 3; i++) {
		kill(daemon_worker(d, i), SIGKILL);
		daemon_wait_log(d, "is ready", DAEMON_MS);
	}
	connect_all(d, fds, MANY, 0);
	wait_for(d, MANY, &least, &most);
	assert_true(least > MANY / 6);
	close_all(fds, MANY);
	daemon_stop(d);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		daemon_test(test_who_is_left_a_connection_hears_of_it),
		daemon_test(test_titles),
		daemon_test(test_f65_many_are_spread),
		daemon_test(test_f65_few_are_spread),
		daemon_test(test_f65_work_is_spread),
		daemon_test(test_a_worker_that_hangs),
		daemon_test(test_sockets_of_a_dead_worker),
		daemon_test(test_sockets_of_a_worker_that_drains),
		daemon_test(test_sockets_are_given_back),
	};

	broken = mmap(NULL, sizeof(*broken), PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (broken == MAP_FAILED)
		return 1;
	setproctitle_init(argc, argv, environ);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
