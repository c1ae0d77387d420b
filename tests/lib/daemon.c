/* daemon.c - a real weir in a temporary directory, for process tests. */
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/daemon.h"
#include "lib/daemon_private.h"
#include "lib/hand.h"
#include "lib/load.h"
#include "lib/mode.h"
#include "lib/procs.h"
#include "lib/redis.h"
#include "lib/spawn.h"
#include "lib/text.h"

#define DAEMON_STDERR	"stderr.txt"
#define DAEMON_CLOCK	"clock"
#define DAEMON_WATCHDOG 120 /* seconds */

static struct daemon *daemons;

static void daemon_vwrite(struct daemon *d, const char *fmt, va_list ap)
	__attribute__((format(printf, 2, 0)));
static pid_t
daemon_exec(struct daemon *d, int ready, const char *out, const char **argv);
static void
daemon_call(struct daemon *d, int ready, int (*run)(int, void *), void *arg);
static void daemon_await(struct daemon *d, int ready);
static void daemon_note(struct daemon *d);
static pid_t daemon_stray(void);
static void daemon_check(struct daemon *d);
static void daemon_free(struct daemon *d);
static void daemon_alarm(int signo);

int
daemon_teardown(void **state)
{
	mode_end(state);
	if (daemons != NULL)
		procs_kill_all();
	while (daemons != NULL)
		daemon_free(daemons);
	alarm(0);
	return 0;
}

struct daemon *
daemon_start(const char *fmt, ...)
{
	struct daemon *d = daemon_new();
	va_list ap;

	va_start(ap, fmt);
	daemon_vwrite(d, fmt, ap);
	va_end(ap);
	daemon_launch(d);
	return d;
}

struct daemon *
daemon_new(void)
{
	struct daemon *d = calloc(1, sizeof(*d));
	const char *tmp = getenv("TMPDIR");

	assert_non_null(d);
	daemon_watchdog(DAEMON_WATCHDOG);
	/* Workers whose master was killed come to us. */
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	signal(SIGPIPE, SIG_IGN);
	snprintf(d->dir, sizeof(d->dir), "%s/weir-test-XXXXXX",
		tmp != NULL ? tmp : "/tmp");
	assert_non_null(mkdtemp(d->dir));
	/* Workers are somebody else, and so are some servers behind them. */
	assert_int_equal(chmod(d->dir, 0755), 0);
	d->next = daemons;
	daemons = d;
	d->watch = watch_new(d->dir);
	assert_non_null(d->watch);
	d->log = DAEMON_STDERR;
	d->clock_ms = hand_open(daemon_path(d, DAEMON_CLOCK));
	assert_non_null(d->clock_ms);
	return d;
}

void
daemon_write(struct daemon *d, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	daemon_vwrite(d, fmt, ap);
	va_end(ap);
}

void
daemon_put(struct daemon *d, const char *file, const char *text)
{
	FILE *f = fopen(daemon_path(d, file), "we");

	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
}

void
daemon_arg(struct daemon *d, const char *arg)
{
	assert_true(d->nargs < DAEMON_WORDS);
	d->args[d->nargs++] = arg;
}

void
daemon_env(struct daemon *d, const char *setting)
{
	assert_true(d->nenv < DAEMON_WORDS);
	d->env[d->nenv++] = setting;
}

void
daemon_keep_clock(struct daemon *d)
{
	d->own_clock = true;
}

void
daemon_begin(struct daemon *d)
{
	const char *argv[DAEMON_WORDS + 8] = { "weir", "-c", "weir.conf" };

	memcpy(argv + 3, d->args, d->nargs * sizeof(*d->args));
	d->pid = daemon_exec(d, -1, DAEMON_STDERR, argv);
}

void
daemon_launch(struct daemon *d)
{
	const char *argv[DAEMON_WORDS + 8] = { "weir", "-c", "weir.conf",
		"--ready-fd", "5" };
	int ready[2];

	memcpy(argv + 5, d->args, d->nargs * sizeof(*d->args));
	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	d->pid = daemon_exec(d, ready[1], DAEMON_STDERR, argv);
	close(ready[1]);
	daemon_await(d, ready[0]);
}

void
daemon_launch_background(struct daemon *d, const char *pidfile)
{
	int status;
	char *text;
	pid_t caller;

	daemon_launch(d);
	caller = d->pid;
	text = watch_read(d->watch, pidfile);
	d->pid = (pid_t)strtol(text, NULL, 10);
	free(text);
	if (!procs_reap(caller, &status, DAEMON_MS) || status != 0)
		DAEMON_FAIL(d, "the caller of -d did not exit with 0");
	if (d->pid <= 0 || procs_fds(d->pid) == -1)
		DAEMON_FAIL(d, "%s names no process", pidfile);
	daemon_note(d);
}

void
daemon_launch_function(struct daemon *d, int (*run)(int, void *), void *arg)
{
	int ready[2];

	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	daemon_call(d, ready[1], run, arg);
	close(ready[1]);
	daemon_await(d, ready[0]);
}

void
daemon_fork_function(struct daemon *d, int (*run)(int, void *), void *arg)
{
	daemon_call(d, -1, run, arg);
}

void
daemon_stop(struct daemon *d)
{
	daemon_fds_settle(d);
	daemon_signal(d, SIGTERM);
	daemon_finish(d, 0);
}

void
daemon_finish(struct daemon *d, int status)
{
	int got;

	if (!procs_reap(d->pid, &got, DAEMON_MS))
		DAEMON_FAIL(d, "weir does not end");
	d->pid = 0;
	if (!WIFEXITED(got) || WEXITSTATUS(got) != status)
		DAEMON_FAIL(d, "wait status is 0x%x, not exit with %d", got,
			status);
	daemon_check(d);
	daemon_free(d);
	if (daemons == NULL)
		alarm(0);
}

void
daemon_kill_master(struct daemon *d)
{
	bool gone;
	int status;

	daemon_signal(d, SIGKILL);
	gone = procs_reap(d->pid, &status, DAEMON_MS);
	d->pid = 0;
	while (gone && daemon_stray() != 0) {
		gone = procs_reap(daemon_stray(), &status, DAEMON_MS);
		/* SIGKILL is for who was not ready to drain yet. */
		if (gone && status != 0 && status != SIGKILL)
			DAEMON_FAIL(d,
				"wait status of a worker whose master is dead "
				"is 0x%x",
				status);
	}
	if (!gone)
		DAEMON_FAIL(d, "the workers of a dead master stay");
}

int
daemon_run(struct daemon *d, char **output, ...)
{
	const char *argv[DAEMON_WORDS] = { "weir" };
	va_list ap;
	size_t n = 0;
	int status;
	pid_t pid;

	va_start(ap, output);
	do {
		n++;
		assert_true(n < DAEMON_WORDS);
		argv[n] = va_arg(ap, const char *);
	} while (argv[n] != NULL);
	va_end(ap);
	unlink(daemon_path(d, "output.txt"));
	pid = daemon_exec(d, -1, "output.txt", argv);
	if (!procs_reap(pid, &status, DAEMON_MS) || !WIFEXITED(status))
		DAEMON_FAIL(d, "\"weir %s ...\" does not exit", argv[1]);
	*output = watch_read(d->watch, "output.txt");
	return WEXITSTATUS(status);
}

int
daemon_say(struct daemon *d, const char *word, const char *part)
{
	char *output;
	int status =
		daemon_run(d, &output, "-c", "weir.conf", "-s", word, NULL);

	assert_contains(output, part);
	free(output);
	return status;
}

char *
daemon_start_fails(const char *fmt, ...)
{
	struct daemon *d = daemon_new();
	char *output;
	va_list ap;
	int status;

	va_start(ap, fmt);
	daemon_vwrite(d, fmt, ap);
	va_end(ap);
	status = daemon_run(d, &output, "-c", "weir.conf", NULL);
	if (status != 1)
		DAEMON_FAIL(d, "exit status %d, not 1: %s", status, output);
	daemon_check(d);
	daemon_free(d);
	return output;
}

void
daemon_signal(struct daemon *d, int signo)
{
	if (d->pid == 0 || kill(d->pid, signo) == -1)
		DAEMON_FAIL(d, "cannot send signal %d", signo);
}

void
daemon_watchdog(unsigned seconds)
{
	signal(SIGALRM, daemon_alarm);
	alarm(seconds);
}

static void
daemon_vwrite(struct daemon *d, const char *fmt, va_list ap)
{
	FILE *f = fopen(daemon_path(d, "weir.conf"), "we");

	assert_non_null(f);
	vfprintf(f, fmt, ap);
	assert_int_equal(fclose(f), 0);
}

static pid_t
daemon_exec(struct daemon *d, int ready, const char *out, const char **argv)
{
	char clock[PATH_MAX + 32];
	const char *env[DAEMON_WORDS + 1 + MODE_WORDS];
	struct spawn sp = { .dir = d->dir,
		.out = out,
		.ready = ready,
		.argv = argv,
		.env = env,
		.nenv = d->nenv + 1 };
	pid_t pid;

	snprintf(clock, sizeof(clock), "WEIR_TEST_CLOCK=%s/%s", d->dir,
		DAEMON_CLOCK);
	memcpy(env, d->env, d->nenv * sizeof(*env));
	env[d->nenv] = clock;
	if (d->own_clock)
		sp.nenv--;
	sp.nenv += mode_settings(env + sp.nenv);
	pid = spawn_start(&sp);
	assert_int_not_equal(pid, -1);
	return pid;
}

static void
daemon_call(struct daemon *d, int ready, int (*run)(int, void *), void *arg)
{
	struct spawn sp = { .dir = d->dir,
		.out = DAEMON_STDERR,
		.ready = ready,
		.run = run,
		.arg = arg };

	d->pid = spawn_start(&sp);
	assert_int_not_equal(d->pid, -1);
}

/* Reads the ready lines to their end. */
static void
daemon_await(struct daemon *d, int ready)
{
	free(d->ready);
	d->ready = ready_read(ready, DAEMON_MS);
	if (d->ready == NULL ||
		strstr(d->ready, "ready gen=1 workers=") == NULL)
		DAEMON_FAIL(d, "weir did not get ready");
	daemon_note(d);
}

/* Notes how all is after a start, to compare with at the end. */
static void
daemon_note(struct daemon *d)
{
	pid_t pids[DAEMON_WORKERS];

	d->fds = daemon_workers(d, pids) > 0 ? procs_fds(pids[0]) : 0;
	/* Each worker gets a link to it soon, if it has none yet. */
	if (procs_children(d->pid, pids, DAEMON_WORKERS) >
		daemon_workers(d, pids))
		d->fds_more++;
}

/* A child of this process that is no daemon's master, or 0. */
static pid_t
daemon_stray(void)
{
	pid_t pids[DAEMON_WORKERS];
	size_t i, n = procs_children(getpid(), pids, DAEMON_WORKERS);
	const struct daemon *d;

	for (i = 0; i < n; i++) {
		for (d = daemons; d != NULL; d = d->next)
			if (d->pid == pids[i])
				break;
		if (d == NULL && !load_is(pids[i]) && !redis_is(pids[i]))
			return pids[i];
	}
	return 0;
}

static void
daemon_check(struct daemon *d)
{
	char why[TRACES_WHY];
	const char *found;

	if (daemon_stray() != 0)
		DAEMON_FAIL(d, "weir left a process behind");
	found = traces_find(d->dir, d->alerts, d->nalerts, why);
	if (found != NULL)
		DAEMON_FAIL(d, "%s", found);
}

static void
daemon_free(struct daemon *d)
{
	struct daemon **at = &daemons;

	while (*at != d)
		at = &(*at)->next;
	*at = d->next;
	if (d->clock_ms != NULL)
		hand_close(d->clock_ms);
	if (d->watch != NULL)
		watch_free(d->watch);
	traces_remove(d->dir);
	free(d->ready);
	free(d);
}

/* Only what is safe in a handler: the children die with us. */
static void
daemon_alarm(int signo)
{
	static const char text[] = "the watchdog ends this test program\n";
	const struct daemon *d;

	(void)signo;
	for (d = daemons; d != NULL; d = d->next)
		if (d->pid > 0)
			kill(d->pid, SIGKILL);
	if (write(STDERR_FILENO, text, sizeof(text) - 1) == -1)
		_exit(123);
	_exit(124);
}
