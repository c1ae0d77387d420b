/* succession.c - one generation of the master after the other. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/addr.h"
#include "base/fd.h"
#include "base/log.h"
#include "conf/conf.h"
#include "master/activation.h"
#include "master/daemon.h"
#include "master/master_private.h"

static void master_sweep(struct master *m);

unsigned
master_alive(const struct master *m)
{
	const struct generation *g;
	unsigned n = 0;

	TAILQ_FOREACH(g, &m->all, link)
	{
		n += generation_alive(g);
	}
	return n + (unsigned)m->reload.ndying;
}

/* To the log and to the ready descriptor; a reader that does not read loses
 * lines, as the master waits for nobody. */
static void
master_say(struct master *m, const char *line)
{
	struct pollfd pfd = { .fd = m->ready_fd, .events = POLLOUT };

	log_notice("%s", line);
	if (m->ready_fd != -1 && poll(&pfd, 1, 0) == 1 &&
		dprintf(m->ready_fd, "%s\n", line) < 0)
		log_warn("cannot write to the ready descriptor: %s",
			strerror(errno));
}

/* Says what is listened on and that weir is ready, and lets the caller go. */
void
master_announce(struct master *m)
{
	char line[512], text[WEIR_ADDR_TEXT];
	const struct generation *g = m->present;
	struct weir_addr a;
	size_t i;

	for (i = 0; i < g->listeners.n; i++) {
		if (g->listeners.info[i].head != i ||
			listeners_address(&g->listeners, i, &a) == -1)
			continue;
		snprintf(line, sizeof(line),
			"listen gen=%u server=%.200s address=%s", g->number,
			conf_name_of(g->conf, g->listeners.v[i].server),
			weir_addr_text(&a, text));
		master_say(m, line);
	}
	snprintf(line, sizeof(line), "ready gen=%u workers=%u", g->number,
		g->workers.n);
	master_say(m, line);
	if (m->activation != NULL && m->activation->n > 0)
		activation_report(m->activation);
	notify_ready(&m->notify, getpid(), "generation %u, %u workers",
		g->number, g->workers.n);
	fd_close(&m->ready_fd);
	log_starting(false);
	daemon_ready(&m->status_fd);
	master_title(m);
}

/* Its workers may finish within drain_timeout. */
static void
generation_drain(struct generation *g, uint64_t now_ms)
{
	uint32_t drain_ms = g->conf->process.drain_timeout_ms;

	workers_leave(&g->workers, MSG_DRAIN, drain_ms);
	g->left_ms = now_ms;
	if (drain_ms != 0)
		g->deadline_ms = now_ms + drain_ms + MASTER_MARGIN_MS;
}

/* The new generation takes over: who connects from now on is its own. */
static void
master_commit(struct master *m)
{
	struct generation *old = m->present, *g = reload_take(&m->reload);

	listeners_commit(&g->listeners, &old->listeners);
	logs_use(&g->logs);
	TAILQ_INSERT_HEAD(&m->all, g, link);
	m->present = g;
	/* Files of tables are one keeper's at a time. */
	generation_retire_keeper(old, m->now_ms);
	generation_go(g);
	/* One that drains already does so until its own deadline. */
	if (old->workers.mode != WORKERS_LEAVING)
		generation_drain(old, m->now_ms);
	master_enter(m, MASTER_RUN);
	master_outcome(m, 0, "reloaded: generation %u serves", g->number);
}

bool
master_may_drain(const struct master *m)
{
	/* Who drains does so already, but for those who are to take over. */
	return m->state <= MASTER_RUN ||
	       (m->state == MASTER_DRAIN && m->reload.state != RELOAD_IDLE);
}

void
master_drain(struct master *m)
{
	if (m->state < MASTER_RUN || m->reload.state != RELOAD_IDLE)
		return;
	/* In another state those who were to take over did not: nobody serves
	 * as it is. */
	if (m->drain_wanted && m->state == MASTER_RUN) {
		master_enter(m, MASTER_DRAIN);
		generation_drain(m->present, m->now_ms);
	}
	m->drain_wanted = false;
	if (!callers_waiting(&m->callers, CALLER_DRAIN))
		return;
	callers_begin(&m->callers, CALLER_DRAIN);
	callers_end(&m->callers, CALLER_DRAIN, m->state > MASTER_DRAIN,
		m->state > MASTER_DRAIN ? "weir is stopping" : "drain: begun");
}

/* Begins what is wanted, and goes on with what is begun. */
void
master_reload(struct master *m)
{
	if (m->reload.state == RELOAD_IDLE && m->reload_wanted) {
		m->reload_wanted = false;
		home_return(&m->home);
		callers_begin(&m->callers, CALLER_RELOAD);
		log_tap(master_told_more, m);
		notify_reloading(&m->notify);
		reload_start(
			&m->reload, m->present, ++m->last_number, m->now_ms);
	}
	if (m->reload.state == RELOAD_IDLE)
		return;
	if (!reload_turn(&m->reload, m->now_ms)) {
		log_tap(NULL, NULL);
		log_error("generation %u is given up, %u goes on",
			m->last_number, m->present->number);
		master_outcome(m, 1,
			"nothing was reloaded: generation %u is given up, %u "
			"goes on",
			m->last_number, m->present->number);
		notify_ready(&m->notify, getpid(),
			"generation %u (reload failed, see the log)",
			m->present->number);
	} else if (m->reload.state == RELOAD_READY)
		master_commit(m);
}

/* One without channels is gone soon, and is no reason to end another. */
static bool
generation_counts(const struct generation *g, uint64_t now_ms)
{
	return g->left_ms == UINT64_MAX || board_total(&g->board) > 0 ||
	       now_ms - g->left_ms >= MASTER_GONE_MS;
}

/* Ends it if it took too long, or is one of too many. */
static void
generation_hurry(struct generation *g, bool too_many, uint64_t now_ms)
{
	if (too_many && !g->stopped) {
		log_warn("generation %u is one too many: its channels are "
			 "reset",
			g->number);
		generation_leave(g, MSG_STOP, 0);
		g->deadline_ms = now_ms + MASTER_STOP_MS;
		g->stopped = true;
	} else if (now_ms >= g->deadline_ms) {
		g->deadline_ms = UINT64_MAX;
		workers_kill(&g->workers,
			g->stopped ? "did not leave within 2 s"
				   : "did not leave within drain_timeout and "
				     "1 s");
	}
}

/* Frees generations of which nothing runs any more, ends those that take too
 * long, and the oldest when there are too many. */
void
master_retire(struct master *m)
{
	int64_t n = 0, most = m->present->conf->process.max_generations;
	struct generation *g, *newer;

	TAILQ_FOREACH(g, &m->all, link)
	{
		if (g != m->present)
			generation_retire_keeper(g, m->now_ms);
		n += generation_counts(g, m->now_ms);
	}
	for (g = TAILQ_LAST(&m->all, generations); g != NULL; g = newer) {
		newer = TAILQ_PREV(g, generations, link);
		if (g == m->present || generation_alive(g) > 0) {
			bool counts = generation_counts(g, m->now_ms);

			generation_hurry(g,
				counts && g != m->present && n > most,
				m->now_ms);
			n -= counts;
			continue;
		}
		log_notice("generation %u is gone", g->number);
		TAILQ_REMOVE(&m->all, g, link);
		generation_free(g);
		m->gone++;
		master_title(m);
	}
	master_sweep(m);
}

/* Gives back the tables that no generation has any more, once nobody can be at
 * work in them. */
static void
master_sweep(struct master *m)
{
	const struct generation *g;
	struct shm_zone *zone;
	unsigned i;
	bool had;

	if (m->shm.head == NULL || m->reload.state != RELOAD_IDLE ||
		m->reload.ndying > 0 || m->swept == m->last_number + m->gone)
		return;
	m->swept = m->last_number + m->gone;
	for (i = 0; (zone = shm_zone_at(&m->shm, i)) != NULL; i++) {
		/* What is the core's own begins like this. */
		had = zone->name[0] == '\0' || zone->name[0] == '/';
		TAILQ_FOREACH(g, &m->all, link)
		{
			had = had || tables_have(&g->tables, zone);
		}
		if (!had)
			shm_zone_drop(&m->shm, zone);
	}
}

/* The keeper that has links now; NULL: none has. */
static struct workers *
master_keeper(const struct master *m)
{
	bool serves = m->state == MASTER_RUN || m->state == MASTER_DRAIN;

	return serves && m->present->keeper.n > 0 ? &m->present->keeper : NULL;
}

void
master_link(struct master *m)
{
	struct workers *keeper = master_keeper(m);
	struct generation *g;

	if (keeper == NULL)
		return;
	TAILQ_FOREACH(g, &m->all, link)
	{
		workers_link(&g->workers, keeper->v, m->now_ms);
	}
	workers_admit(keeper, m->now_ms);
}

uint64_t
master_link_next(const struct master *m)
{
	const struct workers *keeper = master_keeper(m);
	uint64_t next = UINT64_MAX, due;
	const struct generation *g;

	if (keeper == NULL)
		return next;
	next = workers_admit_next(keeper);
	TAILQ_FOREACH(g, &m->all, link)
	{
		due = workers_link_next(&g->workers, keeper->v);
		if (due < next)
			next = due;
	}
	return next;
}

void
master_unlinked(void *arg, const struct worker *w, pid_t pid)
{
	struct master *m = arg;
	struct generation *g;

	TAILQ_FOREACH(g, &m->all, link)
	{
		if (workers_unlink(&g->workers, pid, w->pid == pid ? 0 : w->pid,
			    m->now_ms))
			return;
	}
}
