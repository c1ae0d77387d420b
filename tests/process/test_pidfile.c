/* test_pidfile.c - pidfile and weir -s. */
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <bsd/unistd.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "heritage.h"
#include "lib/daemon.h"
#include "lib/peer.h"
#include "lib/plan.h"
#include "lib/procs.h"
#include "lib/text.h"

#define CONF_PROCESS(more)                                                     \
	"process = { workers = 1; " more " };\n"                               \
	"servers = ( { name = \"pg\"; listen = \"127.0.0.1:0\"; } );\n"
#define STARTS 4 /* at once */
#define CONF   CONF_PROCESS("pidfile = \"weir.pid\";")

static pid_t
pid_in(struct daemon *d)
{
	FILE *f = fopen(daemon_path(d, "weir.pid"), "re");
	int pid = 0;

	assert_non_null(f);
	assert_int_equal(fscanf(f, "%d", &pid), 1);
	fclose(f);
	return pid;
}

static void
test_pidfile_names_the_master(void **state)
{
	struct daemon *d = daemon_start(CONF);

	(void)state;
	assert_int_equal(pid_in(d), daemon_pid(d));
	daemon_stop(d);
}

static void
test_f29_second_start_is_refused(void **state)
{
	struct daemon *d = daemon_start(CONF);
	char want[64], *out;

	(void)state;
	assert_int_equal(daemon_run(d, &out, "-c", "weir.conf", NULL), 1);
	snprintf(want, sizeof(want),
		"already running, pid %d (lock on weir.pid)",
		(int)daemon_pid(d));
	assert_contains(out, want);
	free(out);
	/* The first one and its pidfile did not notice. */
	assert_int_equal(pid_in(d), daemon_pid(d));
	close(peer_connect(daemon_port(d, "pg", 0)));
	daemon_stop(d);
}

/* The log is the first one's. */
static void
test_second_start_leaves_the_log_alone(void **state)
{
	struct daemon *d = daemon_new();
	char *out;

	(void)state;
	daemon_write(d, "log = { target = \"weir.log\"; };\n" CONF);
	daemon_log_file(d, "weir.log");
	daemon_launch(d);
	daemon_wait_log(d, "ready gen=1", DAEMON_MS);
	assert_int_equal(daemon_run(d, &out, "-c", "weir.conf", NULL), 1);
	assert_contains(out, "already running, pid ");
	free(out);
	assert_false(daemon_logged(d, "stopp"));
	assert_false(daemon_logged(d, "already running"));
	daemon_stop(d);
}

static void
test_stop_and_quit_by_word(void **state)
{
	struct daemon *d = daemon_start(CONF);

	(void)state;
	assert_int_equal(daemon_say(d, "stop", ""), 0);
	daemon_finish(d, 0);
	d = daemon_start(CONF);
	assert_int_equal(daemon_say(d, "quit", ""), 0);
	daemon_wait_log(d, "finishing", DAEMON_MS);
	daemon_finish(d, 0);
}

static void
test_words_without_effect(void **state)
{
	struct daemon *d = daemon_start(CONF);

	(void)state;
	assert_int_equal(daemon_say(d, "upgrade", "not built in yet"), 1);
	assert_int_equal(daemon_say(d, "restart",
				 "no such signal; known: stop, quit, "
				 "reload, reopen"),
		1);
	assert_int_equal(daemon_say(d, "", "no such signal"), 1);
	daemon_stop(d);
}

/* Whatever a stale pidfile says, nobody is signalled and a start works. */
static void
test_f29_stale_pidfiles(void **state)
{
	static const char *const stale[] = { "", "garbage\n", "0", "-1",
		"99999999999", "1" };
	char own[16];
	struct daemon *d;
	size_t i;

	(void)state;
	snprintf(own, sizeof(own), "%d", (int)getpid());
	for (i = 0; i < 7; i++) {
		d = daemon_new();
		daemon_write(d, CONF);
		daemon_put(d, "weir.pid", i < 6 ? stale[i] : own);
		assert_int_equal(daemon_say(d, "stop",
					 "weir is not running (no lock on "
					 "weir.pid)"),
			1);
		daemon_launch(d);
		assert_int_equal(pid_in(d), daemon_pid(d));
		daemon_stop(d);
	}
}

/* Locks the pidfile as any program can that may read it. */
static int
lock_pidfile(struct daemon *d)
{
	int fd = open(daemon_path(d, "weir.pid"), O_RDONLY | O_CLOEXEC);

	assert_int_equal(flock(fd, LOCK_EX), 0);
	return fd;
}

/* Neither a number nor a lock makes a process that may be signalled. */
static void
test_f29_locked_garbage_is_not_signalled(void **state)
{
	static const char *const bad[] = { "", "-1", "0", "12x", "1" };
	struct daemon *d = daemon_new();
	size_t i;
	int fd;

	(void)state;
	daemon_write(d, CONF);
	for (i = 0; i < 5; i++) {
		daemon_put(d, "weir.pid", bad[i]);
		fd = lock_pidfile(d);
		assert_int_equal(daemon_say(d, "stop",
					 "weir.pid is locked, but by no weir"),
			1);
		close(fd);
	}
}

/* A stale file names a process that is none of ours, and somebody locks it. */
static void
test_f29_stranger_is_not_signalled(void **state)
{
	struct daemon *d = daemon_new();
	pid_t stranger = fork();
	int fd, status;
	char text[16];

	(void)state;
	if (stranger == 0) {
		alarm(60);
		for (;;)
			pause();
	}
	daemon_write(d, CONF);
	snprintf(text, sizeof(text), "%d", (int)stranger);
	daemon_put(d, "weir.pid", text);
	fd = lock_pidfile(d);
	assert_int_equal(daemon_say(d, "stop", "is locked, but by no weir"), 1);
	assert_int_equal(daemon_say(d, "quit", "is locked, but by no weir"), 1);
	close(fd);
	assert_int_equal(waitpid(stranger, &status, WNOHANG), 0);
	kill(stranger, SIGKILL);
	assert_true(procs_reap(stranger, &status, DAEMON_MS));
	assert_int_equal(WTERMSIG(status), SIGKILL);
}

/* Whatever is written in it: locked is held. */
static void
test_f29_start_with_a_locked_pidfile(void **state)
{
	static const char *const texts[] = { "", "12\n", "x" };
	struct daemon *d = daemon_new();
	char *out;
	size_t i;
	int fd;

	(void)state;
	daemon_write(d, CONF);
	for (i = 0; i < 3; i++) {
		daemon_put(d, "weir.pid", texts[i]);
		fd = lock_pidfile(d);
		assert_int_equal(
			daemon_run(d, &out, "-c", "weir.conf", NULL), 1);
		assert_contains(out, "another program has locked weir.pid (its "
				     "pid is not known)");
		free(out);
		close(fd);
	}
}

/* Others may not even open it: a lock would keep weir from starting. */
static void
test_pidfile_is_for_its_owner(void **state)
{
	struct daemon *d = daemon_new();
	struct stat st;

	(void)state;
	daemon_write(d, CONF);
	daemon_put(d, "weir.pid", "77");
	assert_int_equal(chmod(daemon_path(d, "weir.pid"), 0644), 0);
	daemon_launch(d);
	assert_int_equal(stat(daemon_path(d, "weir.pid"), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	daemon_stop(d);
}

static void
test_f29_pidfile_that_cannot_be(void **state)
{
	struct daemon *d = daemon_new();
	struct stat st;
	char *out;

	(void)state;
	daemon_write(d, CONF);
	/* A link would have been followed, and what it names emptied. */
	assert_int_equal(symlink("weir.conf", daemon_path(d, "weir.pid")), 0);
	assert_int_equal(daemon_run(d, &out, "-c", "weir.conf", NULL), 1);
	assert_contains(out, "it exists and is not a plain file");
	free(out);
	assert_int_equal(stat(daemon_path(d, "weir.conf"), &st), 0);
	assert_true(st.st_size > 0);
	unlink(daemon_path(d, "weir.pid"));
	daemon_write(d, CONF_PROCESS("pidfile = \"none/weir.pid\";"));
	assert_int_equal(daemon_run(d, &out, "-c", "weir.conf", NULL), 1);
	assert_contains(out, "pidfile none/weir.pid: cannot write it: No such");
	free(out);
}

/* A directory that only others may write to. */
static void
test_f29_unwritable_directory(void **state)
{
	/* root may write to all but what takes no files. */
	const char *path = getuid() == 0 ? "/proc/weir.pid" : "/weir.pid";
	struct daemon *d = daemon_new();
	char *out, want[64];

	(void)state;
	daemon_write(d,
		"process = { workers = 1; pidfile = \"%s\"; };\n"
		"servers = ( { listen = \"127.0.0.1:0\"; } );\n",
		path);
	assert_int_equal(daemon_run(d, &out, "-c", "weir.conf", NULL), 1);
	snprintf(want, sizeof(want), "pidfile %s: cannot write it: ", path);
	assert_contains(out, want);
	assert_null(strstr(out, "worker 0"));
	free(out);
}

static int
run_weir(int ready_fd, void *arg)
{
	(void)arg;
	return plan_run_file(ready_fd, worker_main);
}

/* Of those that are started at once exactly one lives, round after round. */
static void
test_f29_starts_at_once(void **state)
{
	struct daemon *d = daemon_new();
	pid_t pids[STARTS], lives;
	int i, j, status, ended;

	(void)state;
	daemon_write(d, CONF);
	for (i = 0; i < 5; i++) {
		for (j = 0; j < STARTS; j++) {
			daemon_fork_function(d, run_weir, NULL);
			pids[j] = daemon_pid(d);
		}
		daemon_wait_log(d, "ready gen=1", DAEMON_MS);
		lives = pid_in(d);
		for (j = 0, ended = 0; j < STARTS; j++) {
			if (pids[j] == lives)
				continue;
			assert_true(procs_reap(pids[j], &status, DAEMON_MS));
			assert_int_equal(WEXITSTATUS(status), 1);
			ended++;
		}
		assert_int_equal(ended, STARTS - 1);
		/* It did not notice. */
		assert_int_equal(daemon_say(d, "stop", ""), 0);
		assert_true(procs_reap(lives, &status, DAEMON_MS));
		assert_int_equal(status, 0);
		assert_int_equal(access(daemon_path(d, "weir.pid"), F_OK), -1);
	}
	assert_int_equal(daemon_log_count(d, "ready gen=1"), 5);
	assert_int_equal(
		daemon_log_count(d, "already running"), 5 * (STARTS - 1));
}

/* Right after a kill -9 of the master the next start takes it over, and a boot
 * leaves one whose number is some other process by then. */
static void
test_f29_next_start_after_a_kill(void **state)
{
	struct daemon *d = daemon_start(CONF);
	char pid[16];
	int i;

	(void)state;
	for (i = 0; i < 5; i++) {
		daemon_kill_master(d);
		assert_int_equal(access(daemon_path(d, "weir.pid"), F_OK), 0);
		assert_int_equal(
			daemon_say(d, "stop", "weir is not running"), 1);
		if (i % 2 == 1) {
			snprintf(pid, sizeof(pid), "%d\n", (int)getppid());
			daemon_put(d, "weir.pid", pid);
		}
		daemon_launch(d);
		assert_int_equal(pid_in(d), daemon_pid(d));
	}
	daemon_stop(d);
}

/* Whoever removes the file of a weir that runs, and starts another one, keeps
 * the other one's. */
static void
test_f29_another_file_is_not_removed(void **state)
{
	struct daemon *d = daemon_start(CONF);
	struct stat st;

	(void)state;
	assert_int_equal(unlink(daemon_path(d, "weir.pid")), 0);
	daemon_put(d, "weir.pid", "another's");
	daemon_signal(d, SIGTERM);
	assert_true(procs_wait_end(daemon_pid(d), DAEMON_MS));
	assert_int_equal(stat(daemon_path(d, "weir.pid"), &st), 0);
	assert_int_equal(unlink(daemon_path(d, "weir.pid")), 0);
	daemon_finish(d, 0);
}

static void
test_stop_when_none_runs(void **state)
{
	struct daemon *d = daemon_new();

	(void)state;
	daemon_write(d, CONF);
	assert_int_equal(daemon_say(d, "stop", "weir is not running"), 1);
	assert_int_equal(access(daemon_path(d, "weir.pid"), F_OK), -1);
}

/* Some other weir may have the usual pidfile: none is guessed. */
static void
test_stop_without_pidfile(void **state)
{
	struct daemon *d = daemon_new();

	(void)state;
	daemon_write(d, CONF_PROCESS(""));
	assert_int_equal(daemon_say(d, "stop",
				 "weir.conf names no process.pidfile to find "
				 "weir by"),
		1);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		daemon_test(test_pidfile_names_the_master),
		daemon_test(test_f29_second_start_is_refused),
		daemon_test(test_second_start_leaves_the_log_alone),
		daemon_test(test_stop_and_quit_by_word),
		daemon_test(test_words_without_effect),
		daemon_test(test_f29_stale_pidfiles),
		daemon_test(test_f29_locked_garbage_is_not_signalled),
		daemon_test(test_f29_stranger_is_not_signalled),
		daemon_test(test_f29_start_with_a_locked_pidfile),
		daemon_test(test_pidfile_is_for_its_owner),
		daemon_test(test_f29_pidfile_that_cannot_be),
		daemon_test(test_f29_unwritable_directory),
		daemon_test(test_f29_starts_at_once),
		daemon_test(test_f29_next_start_after_a_kill),
		daemon_test(test_f29_another_file_is_not_removed),
		daemon_test(test_stop_when_none_runs),
		daemon_test(test_stop_without_pidfile),
	};

	setproctitle_init(argc, argv, environ);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
