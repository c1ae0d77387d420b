/* look.c - what can be seen of a weir that runs. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/daemon.h"
#include "lib/daemon_private.h"
#include "lib/hand.h"
#include "lib/peer.h"
#include "lib/procs.h"

pid_t
daemon_pid(const struct daemon *d)
{
	return d->pid;
}

const char *
daemon_dir(const struct daemon *d)
{
	return d->dir;
}

const char *
daemon_path(const struct daemon *d, const char *file)
{
	static char path[2 * PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", d->dir, file);
	return path;
}

uint16_t
daemon_port(struct daemon *d, const char *server, unsigned index)
{
	const char *text = daemon_address(d, server, index);
	const char *colon = strrchr(text, ':');

	if (colon == NULL || text[0] == 'u')
		DAEMON_FAIL(d, "%s[%u] has no port: %s", server, index, text);
	return (uint16_t)strtol(colon + 1, NULL, 10);
}

const char *
daemon_address(struct daemon *d, const char *server, unsigned index)
{
	const char *found = ready_address(d->ready, server, index, d->address);

	if (found == NULL)
		DAEMON_FAIL(
			d, "%s has no such address in: %s", server, d->ready);
	return found;
}

size_t
daemon_workers(struct daemon *d, pid_t *pids)
{
	pid_t all[DAEMON_WORKERS];
	size_t n = procs_children(d->pid, all, DAEMON_WORKERS), i, workers = 0;

	for (i = 0; i < n; i++)
		if (!procs_is_keeper(all[i]))
			pids[workers++] = all[i];
	return workers;
}

pid_t
daemon_worker(struct daemon *d, unsigned slot)
{
	char *text = watch_read(d->watch, d->log);
	pid_t pid = ready_worker(text, slot);

	free(text);
	if (pid == 0)
		DAEMON_FAIL(d, "no worker %u was ready", slot);
	return pid;
}

int
daemon_join(struct daemon *d, const char *server)
{
	int fd = peer_connect(daemon_port(d, server, 0));

	peer_echo(fd, "a");
	return fd;
}

void
daemon_wait_log(struct daemon *d, const char *text, int ms)
{
	if (!watch_wait(d->watch, d->log, text, &d->log_from, ms))
		DAEMON_FAIL(d, "no \"%s\" in the log", text);
}

bool
daemon_logged(struct daemon *d, const char *text)
{
	return daemon_log_count(d, text) > 0;
}

unsigned
daemon_log_count(struct daemon *d, const char *text)
{
	char *all = watch_read(d->watch, d->log);
	const char *at;
	unsigned n = 0;

	for (at = all; (at = strstr(at, text)) != NULL; at += strlen(text))
		n++;
	free(all);
	return n;
}

void
daemon_log_file(struct daemon *d, const char *file)
{
	d->log = file;
	d->log_from = 0;
}

void
daemon_expect_alert(struct daemon *d, const char *text)
{
	assert_true(d->nalerts < DAEMON_WORDS);
	d->alerts[d->nalerts++] = text;
}

void
daemon_fds_settle(struct daemon *d)
{
	int64_t end = procs_now() + DAEMON_MS;
	pid_t pids[DAEMON_WORKERS];
	size_t i, n;
	int fds = -1;

	n = daemon_workers(d, pids);
	for (i = 0; i < n; i++)
		/* No event tells that another process closed something. */
		while ((fds = procs_fds(pids[i])) != -1 &&
			(fds < d->fds || fds > d->fds + d->fds_more)) {
			if (procs_now() > end)
				DAEMON_FAIL(d,
					"worker pid %d has %d descriptors, "
					"not %d",
					(int)pids[i], fds, d->fds);
			poll(NULL, 0, 2);
		}
}

void
daemon_fds_allow(struct daemon *d, int more)
{
	d->fds_more = more;
}

void
daemon_clock_advance(struct daemon *d, int64_t ms)
{
	hand_move(d->clock_ms, ms);
}
