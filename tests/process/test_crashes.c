/* test_crashes.c - deaths and ends at the wrong moment, each of which another
 * daemon took badly. */
#include <sys/stat.h>

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
#include "lib/held.h"
#include "lib/peer.h"
#include "lib/procs.h"
#include "lib/relay.h"

#define WORKERS 2
#define FDS_TOP 256

#define CONF                                                                   \
	"process = { workers = 2; };\n"                                        \
	"servers = ( { name = \"r\"; listen = \"127.0.0.1:0\";\n"              \
	"  middlewares = \"echo\"; } );\n"

/* ---- what is not shared -------------------------------------------------- */

/* Inode of descriptor fd of pid, as an epoll set shows it; 0: not open. */
static unsigned long
inode_of(pid_t pid, int fd)
{
	char path[64];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)pid, fd);
	return stat(path, &st) == 0 ? (unsigned long)st.st_ino : 0;
}

/* How many descriptors the epoll set fd has; each must be open in pid, and be
 * the same file there. */
static unsigned
check_epoll(pid_t pid, int fd)
{
	unsigned long inode;
	char path[64], line[256];
	unsigned n = 0;
	int target;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/fdinfo/%d", (int)pid, fd);
	f = fopen(path, "re");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f) != NULL) {
		const char *ino = strstr(line, "ino:");

		if (sscanf(line, "tfd: %d", &target) != 1)
			continue;
		assert_non_null(ino);
		inode = strtoul(ino + 4, NULL, 16);
		assert_int_equal(inode_of(pid, target), inode);
		n++;
	}
	fclose(f);
	return n;
}

/* How many epoll sets pid has. */
static unsigned
epolls_of(pid_t pid, unsigned *targets)
{
	unsigned n = 0;
	int fd;

	*targets = 0;
	for (fd = 0; fd < FDS_TOP; fd++) {
		const char *to = procs_fd(pid, fd);

		if (to == NULL || strcmp(to, "anon_inode:[eventpoll]") != 0)
			continue;
		n++;
		*targets += check_epoll(pid, fd);
	}
	return n;
}

static void
test_f13_event_base_is_made_after_the_fork(void **state)
{
	struct daemon *d = daemon_start(CONF);
	unsigned slot, targets;

	(void)state;
	/* What the master does not have, no child can share with it. */
	assert_int_equal(epolls_of(daemon_pid(d), &targets), 0);
	for (slot = 0; slot < WORKERS; slot++) {
		assert_int_equal(
			epolls_of(daemon_worker(d, slot), &targets), 2);
		/* Signals, control, one set in the other; and the listener,
		 * when it was told to accept. */
		assert_in_range(targets, 3, 8);
	}
	daemon_stop(d);
}

/* Nor do workers and master share what their handlers write to: the master
 * would open its log again. */
static void
test_f13_signals_of_a_worker_are_its_own(void **state)
{
	struct daemon *d = daemon_new();
	char from[1024];
	pid_t worker;

	(void)state;
	daemon_write(d, "log = { target = \"weir.log\"; };\n" CONF);
	daemon_log_file(d, "weir.log");
	daemon_expect_alert(d, "was killed by signal 9");
	daemon_launch(d);
	worker = daemon_worker(d, 0);
	snprintf(from, sizeof(from), "%s", daemon_path(d, "weir.log"));
	assert_int_equal(rename(from, daemon_path(d, "old.log")), 0);
	daemon_log_file(d, "old.log");
	kill(worker, SIGUSR1);
	kill(worker, SIGHUP);
	/* What comes later is in the old file still. */
	kill(worker, SIGKILL);
	daemon_wait_log(d, "was killed by signal 9", DAEMON_MS);
	daemon_wait_log(d, ") is ready", DAEMON_MS);
	assert_int_equal(access(from, F_OK), -1);
	assert_false(daemon_logged(d, "loading"));
	daemon_stop(d);
}

/* ---- many deaths at once ------------------------------------------------- */

static unsigned
zombies_of(struct daemon *d)
{
	pid_t pids[DAEMON_WORKERS];
	size_t i, n = daemon_workers(d, pids);
	unsigned zombies = 0;

	for (i = 0; i < n; i++) {
		const char *s = procs_status(pids[i], "State");

		zombies += s != NULL && *s == 'Z';
	}
	return zombies;
}

static void
test_f15_all_workers_die_at_once(void **state)
{
	enum { MANY = 8 };
	struct daemon *d = daemon_start(
		"process = { workers = %d; };\n"
		"servers = ( { name = \"r\"; listen = \"127.0.0.1:0\";\n"
		"  middlewares = \"echo\"; } );\n",
		MANY);
	pid_t pids[DAEMON_WORKERS];
	int64_t start;
	size_t i;

	(void)state;
	daemon_expect_alert(d, "was killed by signal 9");
	daemon_wait_log(d, "ready gen=1", DAEMON_MS);
	assert_int_equal(daemon_workers(d, pids), MANY);
	start = procs_now();
	/* One SIGCHLD stands for all that die before the master runs. */
	assert_int_equal(kill(daemon_pid(d), SIGSTOP), 0);
	for (i = 0; i < MANY; i++)
		kill(pids[i], SIGKILL);
	for (i = 0; i < MANY; i++)
		assert_true(procs_wait_end(pids[i], DAEMON_MS));
	assert_int_equal(kill(daemon_pid(d), SIGCONT), 0);
	for (i = 0; i < MANY; i++)
		daemon_wait_log(d, ") is ready", DAEMON_MS);
	start = procs_now() - start;
	print_message(
		"# %d workers again after %lld ms\n", MANY, (long long)start);
#ifndef WEIR_DEBUG
	assert_in_range(start, 0, 1000);
#endif
	assert_int_equal(daemon_workers(d, pids), MANY);
	assert_int_equal(zombies_of(d), 0);
	daemon_stop(d);
}

/* ---- channels in every state --------------------------------------------- */

static void
test_f22_quit_ends_each_state(void **state)
{
	struct held h;
	int64_t took;

	(void)state;
	held_start(&h, HELD_ALL, "1s");
	took = procs_now();
	daemon_signal(h.d, SIGQUIT);
	daemon_finish(h.d, 0);
	took = procs_now() - took;
	print_message("# gone after %lld ms\n", (long long)took);
	assert_in_range(took, 500, 1500);
	held_done(&h);
}

static void
test_f22_drain_ends_each_state(void **state)
{
	struct held h;
	int64_t took;

	(void)state;
	held_start(&h, HELD_ALL, "1s");
	daemon_signal(h.d, SIGHUP);
	daemon_wait_log(h.d, "ready gen=2", DAEMON_MS);
	took = procs_now();
	daemon_wait_log(h.d, "generation 1 is gone", DAEMON_MS);
	took = procs_now() - took;
	print_message("# gone after %lld ms\n", (long long)took);
	assert_in_range(took, 500, 1500);
	daemon_stop(h.d);
	held_done(&h);
}

/* ---- last words ---------------------------------------------------------- */

/* Whoever looks for the poison finds the client, and the middleware. */
static void
test_f10_the_last_channel_is_named(void **state)
{
	struct daemon *d;
	int fd;

	(void)state;
	relay_use_trial();
	d = daemon_start(
		"process = { workers = 1; };\n"
		"servers = ( { name = \"r\"; listen = \"127.0.0.1:0\";\n"
		"  middlewares = ( \"word\", \"echo\" ); } );\n");
	daemon_expect_alert(d, "was killed by signal 31");
	fd = peer_connect(daemon_port(d, "r", 0));
	peer_send_text(fd, "f");
	daemon_wait_log(d,
		"[error] r: #1: this worker breaks (signal 31) in middleware "
		"word, client 127.0.0.1:",
		DAEMON_MS);
	daemon_wait_log(d, "was killed by signal 31", DAEMON_MS);
	close(fd);
	daemon_stop(d);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		daemon_test(test_f13_event_base_is_made_after_the_fork),
		daemon_test(test_f13_signals_of_a_worker_are_its_own),
		daemon_test(test_f15_all_workers_die_at_once),
		daemon_test(test_f22_quit_ends_each_state),
		daemon_test(test_f22_drain_ends_each_state),
		daemon_test(test_f10_the_last_channel_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
