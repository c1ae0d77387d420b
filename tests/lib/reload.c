/* reload.c - reloads of a weir, and what those that fail must not change. */
#include <dirent.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lib/procs.h"
#include "lib/reload.h"

#define RELOAD_FDS    4096 /* more than a master has here */
#define RELOAD_TEXT   65536
#define RELOAD_LISTEN 0x0a /* TCP_LISTEN, as /proc/net/tcp writes it */
static bool view_is(const struct reload_view *a, const struct reload_view *b);
static void view_say(const char *label, const struct reload_view *v);
static int is_conf(const struct dirent *e);
static int inode_order(const void *a, const void *b);

void
reload_takes(struct daemon *d, unsigned generation)
{
	char line[64];

	daemon_signal(d, SIGHUP);
	snprintf(line, sizeof(line), "ready gen=%u ", generation);
	daemon_wait_log(d, line, DAEMON_MS);
}

/* Waits until the log has text so often, wherever. */
static void
wait_count(struct daemon *d, const char *text, unsigned n)
{
	int64_t end = procs_now() + DAEMON_MS;

	while (daemon_log_count(d, text) < n) {
		if (procs_now() > end)
			fail_msg("the log has \"%s\" %u times, not %u", text,
				daemon_log_count(d, text), n);
		poll(NULL, 0, 2);
	}
}

/* Theirs and the master's lines come in any order; it has one such line for
 * each drain that was asked for. */
void
reload_drained(struct daemon *d, unsigned workers)
{
	wait_count(d, "draining: ",
		workers + daemon_log_count(d, "draining: nobody accepts"));
}

void
reload_gone(struct daemon *d, unsigned generations)
{
	wait_count(d, "is gone", generations);
}

void
reload_fails(struct daemon *d, unsigned generation)
{
	char line[64];

	daemon_signal(d, SIGHUP);
	snprintf(line, sizeof(line), "generation %u is given up", generation);
	daemon_wait_log(d, line, DAEMON_MS);
}

void
reload_alone(struct daemon *d, size_t workers)
{
	int64_t end = procs_now() + DAEMON_MS;
	pid_t pids[DAEMON_WORKERS];
	size_t n;

	/* No event tells that another process has reaped something. */
	while ((n = daemon_workers(d, pids)) != workers) {
		if (procs_now() > end)
			fail_msg("weir has %zu processes, not %zu", n, workers);
		poll(NULL, 0, 2);
	}
}

void
reload_storm(struct daemon *d, unsigned n)
{
	static const int signals[] = { SIGHUP, SIGUSR1, SIGUSR2, SIGWINCH };
	const char *text = getenv("SEED");
	unsigned seed = text != NULL ? (unsigned)strtoul(text, NULL, 10)
				     : (unsigned)procs_now();

	print_message("# SEED=%u\n", seed);
	for (; n > 0; n--) {
		daemon_signal(d, signals[(unsigned)rand_r(&seed) % 4]);
		poll(NULL, 0, 1);
	}
	/* Whoever drains is to accept again. */
	daemon_signal(d, SIGHUP);
}

void
reload_storm_end(struct daemon *d, size_t workers)
{
	int64_t end = procs_now() + DAEMON_MS;
	char line[64];

	/* Served twice, if the one under way has read that file, too. */
	daemon_signal(d, SIGHUP);
	snprintf(line, sizeof(line), " workers=%zu", workers);
	daemon_wait_log(d, line, DAEMON_MS);
	while (daemon_log_count(d, "as generation") + 1 !=
		daemon_log_count(d, "ready gen=") +
			daemon_log_count(d, "is given up")) {
		assert_true(procs_now() < end);
		poll(NULL, 0, 2);
	}
	reload_alone(d, workers);
}

void
reload_look(struct daemon *d, struct reload_view *v)
{
	const char *to;
	int fd;

	*v = (struct reload_view){ .fds = procs_fds(daemon_pid(d)) };
	v->nworkers = daemon_workers(d, v->workers);
	for (fd = 0; fd < RELOAD_FDS && v->nsockets < RELOAD_SOCKETS; fd++) {
		to = procs_fd(daemon_pid(d), fd);
		if (to != NULL && strncmp(to, "socket:[", 8) == 0)
			v->sockets[v->nsockets++] = strtoul(to + 8, NULL, 10);
	}
	qsort(v->sockets, v->nsockets, sizeof(v->sockets[0]), inode_order);
}

void
reload_unchanged(struct daemon *d, const struct reload_view *v)
{
	int64_t end = procs_now() + DAEMON_MS;
	struct reload_view now;

	/* What a failed one has killed is still to be reaped. */
	for (reload_look(d, &now); !view_is(v, &now); reload_look(d, &now)) {
		if (procs_now() > end) {
			view_say("before", v);
			view_say("now", &now);
			fail_msg("a reload that failed has changed something");
		}
		poll(NULL, 0, 2);
	}
}

ino_t
reload_inode(uint16_t port)
{
	FILE *f = fopen("/proc/net/tcp", "re");
	unsigned at, state;
	unsigned long inode;
	ino_t found = 0;
	char line[512];

	assert_non_null(f);
	while (found == 0 && fgets(line, sizeof(line), f) != NULL)
		if (sscanf(line, " %*u: %*8x:%x %*s %x %*s %*s %*s %*u %*u %lu",
			    &at, &state, &inode) == 3 &&
			state == RELOAD_LISTEN && at == port)
			found = inode;
	fclose(f);
	return found;
}

size_t
reload_bad_file(struct daemon *d, size_t i)
{
	static struct dirent **files;
	static int n;
	char path[4096], text[RELOAD_TEXT];
	size_t len;
	FILE *f;

	snprintf(path, sizeof(path), "%s/tests/conf/bad", getenv("srcdir"));
	if (files == NULL)
		n = scandir(path, &files, is_conf, alphasort);
	assert_true(n > 0);
	snprintf(path, sizeof(path), "%s/tests/conf/bad/%s", getenv("srcdir"),
		files[i % (size_t)n]->d_name);
	f = fopen(path, "re");
	assert_non_null(f);
	len = fread(text, 1, sizeof(text), f);
	fclose(f);
	f = fopen(daemon_path(d, "weir.conf"), "we");
	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
	return (size_t)n;
}

static bool
view_is(const struct reload_view *a, const struct reload_view *b)
{
	return a->fds == b->fds && a->nworkers == b->nworkers &&
	       a->nsockets == b->nsockets &&
	       memcmp(a->workers, b->workers,
		       a->nworkers * sizeof(a->workers[0])) == 0 &&
	       memcmp(a->sockets, b->sockets,
		       a->nsockets * sizeof(a->sockets[0])) == 0;
}

static void
view_say(const char *label, const struct reload_view *v)
{
	size_t i;

	print_error("%s: %d descriptors, workers", label, v->fds);
	for (i = 0; i < v->nworkers; i++)
		print_error(" %d", (int)v->workers[i]);
	print_error(", sockets");
	for (i = 0; i < v->nsockets; i++)
		print_error(" %lu", (unsigned long)v->sockets[i]);
	print_error("\n");
}

static int
is_conf(const struct dirent *e)
{
	return strstr(e->d_name, ".conf") != NULL;
}

static int
inode_order(const void *a, const void *b)
{
	const ino_t *one = a, *two = b;

	return (*one > *two) - (*one < *two);
}
