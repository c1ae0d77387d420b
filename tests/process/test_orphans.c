/* test_orphans.c - processes that lose their parent: workers whose master dies
 * in their start, and children of others that become the master's. */
#include <sys/stat.h>

#include <poll.h>
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
#include "lib/procs.h"

#define WORKERS 2
#define OF_USER "-U --map-user=1 --map-group=1 "

#define CONF                                                                   \
	"process = { workers = 2; };\n"                                        \
	"servers = ( { name = \"r\"; listen = \"127.0.0.1:0\";\n"              \
	"  middlewares = \"echo\"; } );\n"

/* ---- a child whose master is gone before it can say so ------------------- */

/* In a child: becomes words, to which the binary's own are added. */
static int
exec_around(const char *const *words)
{
	const char *argv[32];
	size_t n = 0;

	while (words[n] != NULL) {
		argv[n] = words[n];
		n++;
	}
	argv[n++] = getenv("WEIR");
	argv[n++] = "-c";
	argv[n++] = "weir.conf";
	argv[n] = NULL;
	/* Who is traced already cannot look for leaks. */
	setenv("ASAN_OPTIONS", "detect_leaks=0:abort_on_error=1", 1);
	unsetenv("WEIR");
	unsetenv("WEIR_PLAIN");
	unsetenv("WEIR_TRIAL");
	execvp(argv[0], (char **)(uintptr_t)argv);
	return 127;
}

static int
run_traced(int ready_fd, void *arg)
{
	const char *const words[] = { "strace", "-f", "-o", "trace.txt", "-e",
		"trace=prctl,getppid", "-e", arg, NULL };

	(void)ready_fd;
	return exec_around(words);
}

/* The weir that d runs behind another program. */
static pid_t
inner_pid(struct daemon *d)
{
	pid_t pid = 0;

	daemon_workers(d, &pid);
	assert_int_not_equal(pid, 0);
	return pid;
}

static struct daemon *
start_around(int (*run)(int, void *), const char *arg)
{
	struct daemon *d = daemon_new();

	daemon_write(d, CONF);
	daemon_fork_function(d, run, (void *)(uintptr_t)arg);
	return d;
}

/* How many processes asked to die with their parent; none may do anything that
 * is seen here before it asks whether that lives. */
static unsigned
count_asked(FILE *trace)
{
	const char *asks = "prctl(PR_SET_PDEATHSIG, SIGKILL";
	int pids[WORKERS * 4], pid;
	char line[512];
	unsigned n = 0, i;

	while (fgets(line, sizeof(line), trace) != NULL) {
		/* What took long is written twice. */
		if (sscanf(line, "%d", &pid) != 1 ||
			strstr(line, "resumed>") != NULL)
			continue;
		for (i = 0; i < n && pids[i] != pid; i++)
			continue;
		if (i < n && pids[i] == pid) {
			print_message("# %s", line);
			assert_non_null(strstr(line, "getppid("));
			pids[i] = 0;
		} else if (strstr(line, asks) != NULL) {
			print_message("# %s", line);
			assert_true(n < WORKERS * 4);
			pids[n++] = pid;
		}
	}
	for (i = 0; i < n; i++)
		assert_int_equal(pids[i], 0);
	return n;
}

static void
test_f12_children_ask_for_their_parent(void **state)
{
	struct daemon *d = start_around(run_traced, "signal=none");
	FILE *trace;

	(void)state;
	daemon_wait_log(d, "ready gen=1", DAEMON_MS);
	kill(inner_pid(d), SIGHUP);
	daemon_wait_log(d, "ready gen=2", DAEMON_MS);
	daemon_wait_log(d, "generation 1 is gone", DAEMON_MS);
	trace = fopen(daemon_path(d, "trace.txt"), "re");
	assert_non_null(trace);
	kill(inner_pid(d), SIGTERM);
	daemon_wait_log(d, "stopped", DAEMON_MS);
	/* Workers of two generations, and the child that loads the second. */
	assert_int_equal(count_asked(trace), 2 * WORKERS + 1);
	fclose(trace);
	daemon_finish(d, 0);
}

/* Each prctl(2) takes so long, and root's worker calls it for each capability,
 * that the master is dead before a worker has asked to be told of that. */
static void
test_f12_master_dies_before_it_is_asked(void **state)
{
	struct daemon *d =
		start_around(run_traced, "inject=prctl:delay_enter=100000");
	pid_t workers[DAEMON_WORKERS], master;
	size_t n, i;
	int status;

	(void)state;
	daemon_wait_log(d, "worker 1 (pid", DAEMON_MS);
	master = inner_pid(d);
	n = procs_children(master, workers, DAEMON_WORKERS);
	assert_int_equal(n, WORKERS);
	kill(master, SIGKILL);
	assert_true(procs_reap(daemon_pid(d), &status, DAEMON_MS));
	for (i = 0; i < n; i++) {
		assert_true(procs_reap(workers[i], &status, DAEMON_MS));
		assert_int_equal(status, 0);
	}
	assert_false(daemon_logged(d, "is ready"));
}

/* Each worker is about to say that it is ready when nobody is left to hear it:
 * that is no failed start. */
static void
test_f11_master_dies_before_it_hears(void **state)
{
	struct daemon *d =
		start_around(run_traced, "inject=sendmsg:delay_enter=1000000");
	pid_t workers[DAEMON_WORKERS], master;
	size_t n, i;
	int status;

	(void)state;
	daemon_wait_log(d, "worker 1 (pid", DAEMON_MS);
	master = inner_pid(d);
	n = procs_children(master, workers, DAEMON_WORKERS);
	assert_int_equal(n, WORKERS);
	daemon_log_file(d, "trace.txt");
	for (i = 0; i < n; i++)
		daemon_wait_log(d, "PR_SET_PDEATHSIG, SIGQUIT", DAEMON_MS);
	kill(master, SIGKILL);
	assert_true(procs_reap(daemon_pid(d), &status, DAEMON_MS));
	for (i = 0; i < n; i++) {
		assert_true(procs_reap(workers[i], &status, DAEMON_MS));
		assert_int_equal(status, 0);
	}
}

/* ---- children of others -------------------------------------------------- */

/* In a child: a shell that leaves weir a child, whose input is a fifo. */
static int
run_with_orphan(int ready_fd, void *arg)
{
	const char *const plain[] = { "sh", "-c",
		"cat fifo >cat.txt & exec \"$@\"", "sh", NULL };
	const char *const first[] = { "sh", "-c",
		"exec unshare $0 sh -c '(cat fifo >cat.txt &) ; exec \"$@\"' "
		"sh \"$@\"",
		arg, NULL };

	(void)ready_fd;
	return exec_around(arg == NULL ? plain : first);
}

/* A process that is no worker of pid ends, and is not left as a zombie. */
static void
expect_orphan_reaped(struct daemon *d, pid_t pid)
{
	pid_t pids[DAEMON_WORKERS];
	int64_t end = procs_now() + DAEMON_MS;
	FILE *f = fopen(daemon_path(d, "fifo"), "we");

	assert_non_null(f);
	assert_int_equal(
		procs_children(pid, pids, DAEMON_WORKERS), WORKERS + 1);
	fclose(f);
	while (procs_children(pid, pids, DAEMON_WORKERS) != WORKERS) {
		assert_true(procs_now() < end);
		poll(NULL, 0, 1);
	}
}

static struct daemon *
start_with_orphan(const char *arg)
{
	struct daemon *d = daemon_new();

	daemon_write(d, CONF);
	assert_int_equal(mkfifo(daemon_path(d, "fifo"), 0600), 0);
	daemon_fork_function(d, run_with_orphan, (void *)(uintptr_t)arg);
	daemon_wait_log(d, "ready gen=1", DAEMON_MS);
	return d;
}

static void
test_f15_orphans_of_others_are_reaped(void **state)
{
	struct daemon *d = start_with_orphan(NULL);

	(void)state;
	expect_orphan_reaped(d, daemon_pid(d));
	daemon_signal(d, SIGTERM);
	daemon_finish(d, 0);
}

/* The options of unshare(1) for a pid namespace: with a /proc of its own if
 * that can be; who may not make one gets it in a user namespace; NULL where the
 * kernel refuses that, too. */
static const char *
first_options(void)
{
	static const char *const all[] = { "-pf --mount-proc", "-pf",
		OF_USER "-pf --mount-proc", OF_USER "-pf", NULL };
	char line[128];
	size_t i;

	for (i = 0; all[i] != NULL; i++) {
		snprintf(line, sizeof(line), "unshare %s true 2>/dev/null",
			all[i]);
		if (system(line) == 0)
			break;
	}
	return all[i];
}

/* The only process of a container, to which signals without a handler do not
 * come. */
static void
test_f15_as_the_first_process(void **state)
{
	const char *options = first_options();
	struct daemon *d;
	pid_t first;

	(void)state;
	if (options == NULL) {
		print_message("# not tried: this kernel lets this user have no "
			      "pid namespace\n");
		return;
	}
	d = start_with_orphan(options);
	first = inner_pid(d);
	expect_orphan_reaped(d, first);
	kill(first, SIGTERM);
	daemon_finish(d, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		daemon_test(test_f12_children_ask_for_their_parent),
		daemon_test(test_f12_master_dies_before_it_is_asked),
		daemon_test(test_f11_master_dies_before_it_hears),
		daemon_test(test_f15_orphans_of_others_are_reaped),
		daemon_test(test_f15_as_the_first_process),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
