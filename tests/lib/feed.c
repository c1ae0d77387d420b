/* feed.c - a configuration that comes through a pipe. */
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/daemon.h"
#include "lib/feed.h"
#include "lib/procs.h"

static pid_t loader_of(struct daemon *d);
static const char *title_of(pid_t pid);

void
feed_init(struct feed *f, struct daemon *d)
{
	char path[64];
	int fds[2];

	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	close(fds[1]);
	*f = (struct feed){ .d = d, .reader = fds[0], .writer = -1 };
	snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)getpid(), fds[0]);
	assert_int_equal(symlink(path, daemon_path(d, "weir.conf")), 0);
}

void
feed_done(struct feed *f)
{
	if (f->writer != -1)
		close(f->writer);
	close(f->reader);
}

pid_t
feed_reload(struct feed *f)
{
	int64_t end = procs_now() + DAEMON_MS;
	pid_t pid;

	f->writer = open(daemon_path(f->d, "weir.conf"), O_WRONLY | O_CLOEXEC);
	assert_int_not_equal(f->writer, -1);
	daemon_signal(f->d, SIGHUP);
	while ((pid = loader_of(f->d)) == 0) {
		assert_true(procs_now() < end);
		poll(NULL, 0, 2);
	}
	return pid;
}

void
feed_give(struct feed *f, const char *text)
{
	ssize_t n = (ssize_t)strlen(text);

	assert_int_equal(write(f->writer, text, (size_t)n), n);
	close(f->writer);
	f->writer = -1;
}

/* The child that calls itself so, or 0. */
static pid_t
loader_of(struct daemon *d)
{
	pid_t pids[DAEMON_WORKERS];
	size_t i, n = daemon_workers(d, pids);

	for (i = 0; i < n; i++)
		if (strstr(title_of(pids[i]), "loader ") != NULL)
			return pids[i];
	return 0;
}

static const char *
title_of(pid_t pid)
{
	static char title[256];
	char path[64];
	size_t n = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/cmdline", (int)pid);
	f = fopen(path, "re");
	if (f != NULL) {
		n = fread(title, 1, sizeof(title) - 1, f);
		fclose(f);
	}
	title[n] = '\0';
	return title;
}
