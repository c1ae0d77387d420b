/* watch.c - what the master waits for: signals, workers, callers, time. */
#include <sys/wait.h>

#include <errno.h>
#include <poll.h>
#include <stdlib.h>

#include "base/addr.h"
#include "base/fd.h"
#include "base/log.h"
#include "conf/conf.h"
#include "master/master_private.h"
#include "master/signals.h"

/* Room for one more that is waited for. */
static bool
master_watch(struct master *m, size_t n, int fd)
{
	struct pollfd *pfds = m->pfds;

	if (n == m->npfds) {
		pfds = reallocarray(pfds, n * 2 + 16, sizeof(*pfds));
		if (pfds == NULL)
			return false;
		m->pfds = pfds;
		m->npfds = n * 2 + 16;
	}
	m->pfds[n] = (struct pollfd){ .fd = fd, .events = POLLIN };
	return true;
}

static size_t
master_watch_workers(struct master *m, size_t n, const struct workers *ws)
{
	unsigned slot;

	for (slot = 0; slot < ws->n; slot++)
		if (ws->v[slot].control_fd != -1)
			n += master_watch(m, n, ws->v[slot].control_fd);
	return n;
}

static size_t
master_watch_generation(struct master *m, size_t n, const struct generation *g)
{
	n = master_watch_workers(m, n, &g->workers);
	return master_watch_workers(m, n, &g->keeper);
}

/* Lists what is open, no more: poll(2) refuses a list that is longer than
 * RLIMIT_NOFILE, whatever is in it. */
static size_t
master_watch_all(struct master *m)
{
	const struct generation *g;
	size_t n = 0;

	if (m->reload.said_fd != -1)
		n += master_watch(m, n, m->reload.said_fd);
	if (m->reload.next != NULL)
		n = master_watch_generation(m, n, m->reload.next);
	TAILQ_FOREACH(g, &m->all, link)
	{
		n = master_watch_generation(m, n, g);
	}
	return n;
}

/* Hears who has something to say on that descriptor. */
static void
master_hear(struct master *m, int fd)
{
	struct generation *next = m->reload.next, *g;

	if (fd == m->reload.said_fd) {
		reload_read(&m->reload);
		return;
	}
	if (next != NULL && generation_hear(next, fd))
		return;
	TAILQ_FOREACH(g, &m->all, link)
	{
		if (generation_hear(g, fd))
			return;
	}
}

/* Every generation has log files of its own; ours are the present one's. */
static void
master_reopen(struct master *m)
{
	struct generation *g;

	home_return(&m->home);
	TAILQ_FOREACH(g, &m->all, link)
	{
		generation_reopen(g);
	}
	/* One that is not loaded yet has none to open again. */
	if (m->reload.next != NULL)
		generation_reopen(m->reload.next);
	logs_use(&m->present->logs);
	log_notice("log files were opened again");
}

static void
master_signals(struct master *m)
{
	bool term = signals_take(SIGTERM);
	bool stop = signals_take(SIGINT) || term;
	bool quit = signals_take(SIGQUIT);
	bool reopen = signals_take(SIGUSR1);
	bool reload = signals_take(SIGHUP);
	bool drain = signals_take(SIGWINCH);
	bool serves = m->state == MASTER_RUN || m->state == MASTER_DRAIN;
	const struct signal_row *row;

	for (row = signals_rows; row->name != NULL; row++)
		if (!row->built && signals_take(row->signo))
			log_notice("SIG%s (%s) is not built in yet", row->name,
				row->word);
	if (reopen && m->prepared)
		master_reopen(m);
	/* One that comes while one is under way is done behind it. */
	if (reload && m->state <= MASTER_DRAIN)
		m->reload_wanted = true;
	if (drain)
		m->drain_wanted |= master_may_drain(m);
	/* Nothing runs yet that could be let finish, or it was said twice. */
	if (quit && !serves)
		stop = true;
	if (stop && m->state < MASTER_STOP)
		master_enter(m, MASTER_STOP);
	else if (quit && serves)
		master_enter(m, MASTER_QUIT);
}

/* Who died, and what that means. */
static void
master_reap(struct master *m)
{
	struct generation *g;
	int status;
	pid_t pid;

	/* As process 1 of a container we get the orphans of others. */
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (reload_reaped(&m->reload, pid, status))
			continue;
		g = m->reload.next;
		if (g != NULL && generation_reaped(g, pid, status, m->now_ms))
			continue;
		TAILQ_FOREACH(g, &m->all, link)
		{
			if (generation_reaped(g, pid, status, m->now_ms))
				break;
		}
	}
}

/* Waits, then hears signals and what workers say. */
static void
master_poll(struct master *m, const struct timespec *timeout)
{
	static const struct timespec pause = { 0, MASTER_RETRY_MS * 1000000L };
	size_t n = master_watch_all(m), i, ncallers;
	struct pollfd callers[CALLERS_FDS];
	bool failed;

	ncallers = callers_fds(&m->callers, callers);
	for (i = 0; i < ncallers; i++) {
		size_t at = n + i;

		if (!master_watch(m, at, callers[i].fd))
			ncallers = i;
		else
			m->pfds[at] = callers[i];
	}
	failed = ppoll(m->pfds, n + ncallers, timeout, signals_mask()) == -1;
	if (failed && errno != EINTR) {
		if (!m->poll_failed)
			log_alert(
				"cannot wait for workers: %s", strerror(errno));
		m->poll_failed = true;
		m->status = 1;
		if (m->state < MASTER_STOP)
			master_enter(m, MASTER_STOP);
		/* Their deaths are signals, and those still come. */
		ppoll(NULL, 0, &pause, signals_mask());
	}
	m->now_ms = master_now();
	/* Signals first: what Ctrl-C did to the workers is then no accident. */
	master_signals(m);
	for (i = 0; !failed && i < n; i++)
		if (m->pfds[i].revents != 0)
			master_hear(m, m->pfds[i].fd);
	if (!failed)
		callers_read(&m->callers, m->pfds + n, ncallers, m->now_ms);
}

/* Sleeps until a signal, a message of a worker or the next deadline. */
void
master_wait(struct master *m)
{
	const struct generation *g;
	uint64_t next = m->deadline_ms, due = UINT64_MAX;
	struct timespec ts, *timeout = NULL;

	if (m->state == MASTER_BIND)
		due = m->retry_ms;
	else
		due = generation_next(m->present);
	if (due < next)
		next = due;
	due = reload_next(&m->reload);
	if (due < next)
		next = due;
	due = callers_next(&m->callers);
	if (due < next)
		next = due;
	due = master_link_next(m);
	if (due < next)
		next = due;
	due = notify_next(&m->notify);
	if (due < next)
		next = due;
	if (m->pulse_ms < next)
		next = m->pulse_ms;
	TAILQ_FOREACH(g, &m->all, link)
	{
		if (g->deadline_ms < next)
			next = g->deadline_ms;
		if (g->keeper_ms < next)
			next = g->keeper_ms;
	}
	/* The one under way has ended in this turn, and nothing else may come
	 * that would wake us. */
	if (m->reload.state == RELOAD_IDLE &&
		(m->state == MASTER_RUN || m->state == MASTER_DRAIN) &&
		(m->reload_wanted || m->drain_wanted))
		next = 0;
	m->now_ms = master_now();
	if (next != UINT64_MAX) {
		next = next > m->now_ms ? next - m->now_ms : 0;
		ts.tv_sec = (time_t)(next / 1000);
		ts.tv_nsec = (long)(next % 1000) * 1000000;
		timeout = &ts;
	}
	master_poll(m, timeout);
	if (signals_take(SIGCHLD))
		master_reap(m);
}
