/* master.c - the process that binds, forks workers and keeps them alive. */
#include <bsd/libutil.h>
#include <bsd/unistd.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/fd.h"
#include "base/log.h"
#include "conf/conf.h"
#include "master/activation.h"
#include "master/daemon.h"
#include "master/master.h"
#include "master/master_private.h"
#include "master/pidfile.h"
#include "master/probe.h"
#include "master/rights.h"
#include "master/rlimits.h"
#include "master/signals.h"

static int master_init(struct master *m);
static void master_done(struct master *m);
static void master_shed(void *arg, const struct workers *own);
static void master_leave(struct master *m, enum msg_type type);
static void master_leave_last(struct master *m);
static size_t master_files(void *arg);
static bool master_fits(struct master *m);
static void master_step(struct master *m);
static void master_bind(struct master *m);
static bool master_lock(struct master *m);
static bool master_prepare(struct master *m);
static void master_refuse(struct master *m);
static void master_overdue(struct master *m);
static uint64_t master_close_wait(const struct master *m);

int
master_run(const struct conf *conf, const struct master_options *opt,
	void (*worker)(const struct heritage *),
	void (*keeper)(const struct heritage *))
{
	struct master m = { .conf = conf,
		.status = 1,
		.ready_fd = opt->ready_fd,
		.status_fd = -1,
		.reload = { .file = opt->file,
			.over = opt->over,
			.runs = { .worker = worker,
				.keeper = keeper,
				.shed = master_shed,
				.called = master_called,
				.unlinked = master_unlinked } } };

	reload_init(&m.reload);
	TAILQ_INIT(&m.all);
	signals_open();
	log_process("master");
	log_starting(true);
	if (conf->process.daemon && !daemon_fork(&m.status_fd, &m.status))
		return m.status;
	home_init(&m.home);
	callers_init(&m.callers, master_told, &m);
	notify_init(&m.notify);
	m.activation = opt->activation;
	if (master_init(&m) == 0) {
		m.status = 0;
		master_enter(&m, MASTER_BIND);
		while (m.state != MASTER_DONE) {
			master_step(&m);
			if (m.state != MASTER_DONE)
				master_wait(&m);
		}
	}
	master_done(&m);
	return m.status;
}

static int
master_init(struct master *m)
{
	struct generation *g;

	m->now_ms = master_now();
	m->reload.drop = &m->drop;
	m->reload.shm = &m->shm;
	m->reload.files = master_files;
	m->reload.arg = m;
	m->last_number = 1;
	/* It is not ours to free, and lives longer than we do. */
	g = generation_new(1, (struct conf *)m->conf, false);
	if (g == NULL) {
		log_error("cannot start: %s", strerror(errno));
		return -1;
	}
	generation_staff(g, &m->drop, &m->reload.runs, m);
	g->listeners.activation = m->activation;
	m->present = g;
	TAILQ_INSERT_HEAD(&m->all, g, link);
	m->pulse_ms = m->now_ms + MASTER_PULSE_MS;
	master_title(m);
	return master_fits(m) ? 0 : -1;
}

/* Descriptors of all generations, and those that belong to none. */
static size_t
master_files(void *arg)
{
	const struct master *m = arg;
	const struct generation *g;
	size_t n = MASTER_FDS + (m->shm.head != NULL);

	if (m->activation != NULL)
		n += m->activation->n;
	TAILQ_FOREACH(g, &m->all, link)
	{
		n += generation_files(g);
	}
	return n;
}

/* Has this process room for all that it must keep open?  Better to know now
 * than with half of the workers running. */
static bool
master_fits(struct master *m)
{
	const struct generation *g = m->present;
	unsigned long long need = master_files(m);
	unsigned long long allowed = rlimits_raise(need);

	if (allowed >= need)
		return true;
	log_error("cannot start: %u workers, %zu listeners and %zu log files "
		  "need %llu open files, " RLIMITS_TOO_FEW,
		g->workers.n, g->listeners.n, m->conf->logfiles.n, need,
		allowed);
	return false;
}

static void
master_done(struct master *m)
{
	struct generation *g;

	while ((g = TAILQ_FIRST(&m->all)) != NULL) {
		TAILQ_REMOVE(&m->all, g, link);
		generation_free(g);
	}
	reload_done(&m->reload);
	shm_done(&m->shm);
	drop_done(&m->drop);
	home_done(&m->home);
	free(m->pfds);
	callers_close(&m->callers);
	if (m->pidfile != NULL)
		pidfile_end(m->pidfile, m->conf->process.pidfile);
	fd_close(&m->ready_fd);
	/* Closed without a word it tells the caller of a daemon that there is
	 * none; so everything else is gone by now. */
	fd_close(&m->status_fd);
}

/* In a child: lets go of what must end when the master does, and of what other
 * generations have open. */
static void
master_shed(void *arg, const struct workers *own)
{
	struct master *m = arg;
	struct generation *g;

	TAILQ_FOREACH(g, &m->all, link)
	{
		generation_shed(g, own);
	}
	if (m->reload.next != NULL)
		generation_shed(m->reload.next, own);
	reload_shed(&m->reload);
	log_tap(NULL, NULL);
	callers_shed(&m->callers);
	if (m->activation != NULL)
		activation_close(m->activation);
	fd_close(&m->ready_fd);
	fd_close(&m->status_fd);
	if (m->pidfile != NULL)
		pidfile_close(m->pidfile);
	m->pidfile = NULL;
	free(m->pfds);
	m->pfds = NULL;
}

/* The only place where the state changes. */
void
master_enter(struct master *m, enum master_state state)
{
	m->state = state;
	m->deadline_ms = UINT64_MAX;
	switch (state) {
	case MASTER_BIND:
		m->deadline_ms = m->now_ms + MASTER_BIND_MS;
		m->retry_ms = m->now_ms;
		break;
	case MASTER_START:
		break;
	case MASTER_RUN:
		master_announce(m);
		break;
	case MASTER_DRAIN:
		log_notice("draining: nobody accepts until a reload");
		notify_status(
			&m->notify, "generation %u drains", m->present->number);
		break;
	case MASTER_QUIT:
		log_notice("finishing: channels get close_wait to end");
		notify_stopping(&m->notify);
		master_leave(m, MSG_QUIT);
		m->deadline_ms =
			m->now_ms + master_close_wait(m) + MASTER_MARGIN_MS;
		break;
	case MASTER_STOP:
		log_notice("stopping");
		notify_stopping(&m->notify);
		master_leave(m, MSG_STOP);
		m->deadline_ms = m->now_ms + MASTER_STOP_MS;
		break;
	case MASTER_DONE:
		log_notice("stopped");
		break;
	}
}

/* Nothing is listened on any more, and all processes are told to leave. */
static void
master_leave(struct master *m, enum msg_type type)
{
	struct generation *g;

	m->reload_wanted = false;
	m->last_told = false;
	if (m->reload.state != RELOAD_IDLE) {
		log_notice("the reload is given up");
		reload_cancel(&m->reload);
	}
	callers_begin(&m->callers, CALLER_RELOAD);
	master_outcome(m, 1, "weir was told to stop; nothing was reloaded");
	/* The files first: while their sockets live, no other weir puts its
	 * own in their place. */
	TAILQ_FOREACH(g, &m->all, link)
	{
		listeners_unlink(&g->listeners);
		listeners_close(&g->listeners);
		workers_leave(&g->workers, type, 0);
		workers_leave(&g->keeper, MSG_QUIT, KEEPER_STAYS);
		/* From here on the deadline of the state counts. */
		if (!g->stopped)
			g->deadline_ms = UINT64_MAX;
	}
}

/* Lets keepers go when they can write down what all workers have counted. */
static void
master_leave_last(struct master *m)
{
	struct generation *g;

	TAILQ_FOREACH(g, &m->all, link)
	{
		if (workers_alive(&g->workers) > 0)
			return;
	}
	m->last_told = true;
	TAILQ_FOREACH(g, &m->all, link)
	{
		workers_leave(&g->keeper,
			m->state == MASTER_QUIT ? MSG_QUIT : MSG_STOP, 0);
	}
	m->deadline_ms = m->now_ms + MASTER_KEEPER_MS;
}

/* Does what the state wants now that something may have changed. */
static void
master_step(struct master *m)
{
	struct generation *g = m->present;

	callers_turn(&m->callers, m->now_ms);
	notify_turn(&m->notify, m->now_ms);
	if (m->state == MASTER_BIND)
		master_bind(m);
	if (m->state == MASTER_START || m->state == MASTER_RUN ||
		m->state == MASTER_DRAIN)
		generation_turn(g, m->now_ms);
	if (m->state == MASTER_START && generation_failed(g)) {
		log_error("start failed");
		master_refuse(m);
	}
	if (m->state == MASTER_START && generation_is_ready(g)) {
		generation_go(g);
		master_enter(m, MASTER_RUN);
	}
	/* Which of the two came first is not known; serving is the better end.
	 */
	master_drain(m);
	if (m->state == MASTER_RUN || m->state == MASTER_DRAIN)
		master_reload(m);
	master_retire(m);
	master_link(m);
	master_pulse(m);
	g = m->present;
	if (m->state == MASTER_RUN && m->reload.state == RELOAD_IDLE &&
		workers_count(&g->workers, WORKER_GONE) == g->workers.n) {
		log_error("no worker is left and none can start");
		m->status = 1;
		master_enter(m, MASTER_STOP);
	}
	if (m->state >= MASTER_QUIT && m->state < MASTER_DONE && !m->last_told)
		master_leave_last(m);
	if (m->state >= MASTER_QUIT && m->now_ms >= m->deadline_ms)
		master_overdue(m);
	if (m->state >= MASTER_QUIT && m->state < MASTER_DONE &&
		master_alive(m) == 0)
		master_enter(m, MASTER_DONE);
}

/* Tries to get the pidfile and every address; others may be leaving. */
static void
master_bind(struct master *m)
{
	struct listeners *ls = &m->present->listeners;
	size_t failed;

	if (m->now_ms < m->retry_ms && m->now_ms < m->deadline_ms)
		return;
	m->retry_ms = m->now_ms + MASTER_RETRY_MS;
	/* While another one runs, its sockets are not ours to try, and its log
	 * is not ours to write to. */
	if (!master_lock(m) || !master_prepare(m))
		return;
	failed = listeners_bind(ls);
	if (failed == 0) {
		master_enter(m, MASTER_START);
	} else if (!listeners_busy(ls) || m->now_ms >= m->deadline_ms) {
		listeners_report(ls);
		master_refuse(m);
	}
}

/* Is the pidfile ours, or none wanted? */
static bool
master_lock(struct master *m)
{
	const char *path = m->conf->process.pidfile;
	char why[PIDFILE_WHY > CALLERS_WHY ? PIDFILE_WHY : CALLERS_WHY];
	bool held;

	if (path == NULL || m->pidfile != NULL)
		return true;
	m->pidfile = pidfile_take(path, &held, why);
	if (m->pidfile == NULL && (!held || m->now_ms >= m->deadline_ms)) {
		log_error("%s", why);
		master_refuse(m);
	}
	if (m->pidfile == NULL)
		return false;
	if (callers_open(&m->callers, path, why) == 0)
		return true;
	log_error("%s", why);
	master_refuse(m);
	return false;
}

/* Opens the log files and looks the user up, once. */
static bool
master_prepare(struct master *m)
{
	if (m->prepared)
		return true;
	m->prepared = logs_open(&m->present->logs, m->conf) == 0 &&
		      logs_use(&m->present->logs) == 0 &&
		      rights_needed(&m->present->workers.needs, m->conf) == 0 &&
		      probe_backends(m->conf) == 0 &&
		      rlimits_check(m->conf, m->present->listeners.n,
			      m->present->workers.n) == 0 &&
		      drop_init(&m->drop, m->conf) == 0 &&
		      generation_share(m->present, &m->shm) == 0;
	if (m->prepared && m->conf->process.daemon)
		logs_warn(&m->present->logs);
	if (!m->prepared)
		master_refuse(m);
	return m->prepared;
}

static void
master_refuse(struct master *m)
{
	m->status = 1;
	master_enter(m, MASTER_STOP);
}

static void
master_overdue(struct master *m)
{
	struct generation *g;

	TAILQ_FOREACH(g, &m->all, link)
	{
		if (m->last_told)
			workers_kill(&g->keeper, "did not leave within 5 s");
		else
			workers_kill(&g->workers,
				m->state == MASTER_QUIT
					? "did not leave within close_wait and "
					  "1 s"
					: "did not leave within 2 s");
	}
	m->deadline_ms = UINT64_MAX;
}

/* What the most patient server says, as the workers reckon. */
static uint64_t
master_close_wait(const struct master *m)
{
	const struct generation *g;
	uint64_t most_ms = 0;
	size_t i;

	TAILQ_FOREACH(g, &m->all, link)
	{
		for (i = 0; i < g->conf->servers.n; i++)
			if (conf_server_at(g->conf, i)->close_wait_ms > most_ms)
				most_ms = conf_server_at(g->conf, i)
						  ->close_wait_ms;
	}
	return most_ms;
}

uint64_t
master_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}
