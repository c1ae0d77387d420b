/* master.c - the process that binds, forks workers and keeps them alive. */
#include <sys/resource.h>
#include <sys/wait.h>

#include <bsd/libutil.h>
#include <bsd/unistd.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/addr.h"
#include "base/fd.h"
#include "base/log.h"
#include "conf/conf.h"
#include "master/activation.h"
#include "master/callers.h"
#include "master/daemon.h"
#include "master/drop.h"
#include "master/generation.h"
#include "master/listeners.h"
#include "master/logs.h"
#include "master/master.h"
#include "master/notify.h"
#include "master/pidfile.h"
#include "master/reload.h"
#include "master/signals.h"
#include "master/workers.h"

#define MASTER_BIND_MS	 500  /* for those who leave to let go of a port */
#define MASTER_RETRY_MS	 20   /* between two tries */
#define MASTER_STOP_MS	 2000 /* from MSG_STOP to SIGKILL */
#define MASTER_MARGIN_MS 1000 /* from the end of close_wait to SIGKILL */
/* Descriptors besides one a worker, a listener and a log file: stdio, pidfile,
 * who waits for the start, a socket pair in the making; in a worker epoll
 * sets. */
#define MASTER_FDS 15

enum master_state {
	MASTER_BIND,  /* no child yet; pidfile, log or an address is missing */
	MASTER_START, /* all bound, workers forked, not all have said READY */
	MASTER_RUN,   /* the start was announced; dead workers are replaced */
	MASTER_QUIT,  /* listeners closed, workers let their channels finish */
	MASTER_STOP,  /* listeners closed, workers were told to leave now */
	MASTER_DONE   /* no child left */
};

struct master {
	const struct conf *conf; /* of the first generation */
	enum master_state state;
	int status;	 /* exit status */
	uint64_t now_ms; /* real time: tests move the workers' clock only */
	uint64_t deadline_ms; /* of the state; UINT64_MAX: none */
	uint64_t retry_ms;
	struct pidfh *pidfile;
	bool prepared; /* the logs are open, the user known */
	int ready_fd;
	int status_fd; /* to whoever started a daemon */
	struct drop drop;
	struct generations all; /* the present one first, then older ones */
	struct generation *present;
	unsigned last_number; /* of a generation, prepared or not */
	struct reload reload;
	bool reload_wanted;
	struct callers callers;
	struct notify notify;
	struct activation *activation;
	struct pollfd *pfds;
	size_t npfds;	  /* room for so many */
	bool poll_failed; /* and it was said */
};

static void master_told(void *arg, struct caller *c, enum caller_word word);
static void master_status(struct master *m, struct caller *c);
static void master_told_more(void *arg, const char *text);
static void master_outcome(struct master *m, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
static int master_init(struct master *m);
static void master_done(struct master *m);
static void master_shed(void *arg, const struct workers *own);
static void master_enter(struct master *m, enum master_state state);
static void master_leave(struct master *m, enum msg_type type);
static bool master_fits(const struct master *m);
static void master_wait(struct master *m);
static void master_poll(struct master *m, const struct timespec *timeout);
static void master_reap(struct master *m);
static void master_reload(struct master *m);
static void master_commit(struct master *m);
static void master_retire(struct master *m);
static unsigned master_alive(const struct master *m);
static void master_signals(struct master *m);
static void master_step(struct master *m);
static void master_bind(struct master *m);
static bool master_lock(struct master *m);
static bool master_prepare(struct master *m);
static void master_refuse(struct master *m);
static void master_overdue(struct master *m);
static void master_announce(struct master *m);
static void master_say(struct master *m, const char *line);
static uint64_t master_close_wait(const struct master *m);
static uint64_t master_now(void);

int
master_run(const struct conf *conf, const struct master_options *opt,
	void (*worker)(const struct heritage *))
{
	struct master m = { .conf = conf,
		.status = 1,
		.ready_fd = opt->ready_fd,
		.status_fd = -1,
		.reload = {
			.file = opt->file, .over = opt->over, .run = worker } };

	reload_init(&m.reload);
	TAILQ_INIT(&m.all);
	signals_open();
	log_process("master");
	log_starting(true);
	if (conf->process.daemon && !daemon_fork(&m.status_fd, &m.status))
		return m.status;
	setproctitle("master %s", conf->file);
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

/* A caller has said its word: the words of -s do what their signals do, which
 * have to wait for their turn. */
static void
master_told(void *arg, struct caller *c, enum caller_word word)
{
	const struct signal_row *row = signals_find(caller_rows[word].word);
	struct master *m = arg;

	if (word == CALLER_STATUS)
		master_status(m, c);
	else if (row == NULL || !row->built)
		caller_end(c, 1, "not built in yet");
	else if (word == CALLER_RELOAD && m->state > MASTER_RUN)
		caller_end(c, 1, "weir is stopping");
	else if (word == CALLER_RELOAD)
		m->reload_wanted = true;
	else if (kill(getpid(), row->signo) == -1)
		caller_end(c, 1, "%s", strerror(errno));
	else
		caller_end(c, 0, "%s: begun", row->word);
}

static void
master_status(struct master *m, struct caller *c)
{
	static const char *const words[] = { "waiting for its addresses",
		"starting", "serving", "finishing", "stopping", "done" };
	const struct generation *g;

	caller_say(c, CALLER_SAYS_INFO, "state: %s, reload: %s",
		words[m->state], reload_word(m->reload.state));
	TAILQ_FOREACH(g, &m->all, link)
	caller_say(c, CALLER_SAYS_INFO, "generation %u: %u of %u workers%s",
		g->number, workers_alive(&g->workers), g->workers.n,
		g == m->present ? "" : ", draining");
	caller_end(c, 0, "%s", "");
}

static void
master_told_more(void *arg, const char *text)
{
	struct master *m = arg;

	callers_text(&m->callers, CALLER_RELOAD, CALLER_SAYS_ERROR, text);
}

static void
master_outcome(struct master *m, int code, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	log_tap(NULL, NULL);
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	callers_end(&m->callers, CALLER_RELOAD, code, "%s", text);
}

static int
master_init(struct master *m)
{
	struct generation *g;

	m->now_ms = master_now();
	m->reload.drop = &m->drop;
	m->reload.shed = master_shed;
	m->reload.shed_arg = m;
	m->last_number = 1;
	/* It is not ours to free, and lives longer than we do. */
	g = generation_new(1, (struct conf *)m->conf, false);
	if (g == NULL) {
		log_error("cannot start: %s", strerror(errno));
		return -1;
	}
	g->workers.drop = &m->drop;
	g->workers.run = m->reload.run;
	g->workers.shed = master_shed;
	g->workers.shed_arg = m;
	g->listeners.activation = m->activation;
	m->present = g;
	TAILQ_INSERT_HEAD(&m->all, g, link);
	return master_fits(m) ? 0 : -1;
}

/* Has this process room for all that it must keep open?  Better to know now
 * than with half of the workers running. */
static bool
master_fits(const struct master *m)
{
	const struct generation *g = m->present;
	unsigned long long need = g->workers.n + g->listeners.n +
				  m->conf->logfiles.n + (size_t)MASTER_FDS;
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) == -1 || files.rlim_cur >= need)
		return true;
	log_error("cannot start: %u workers, %zu listeners and %zu log files "
		  "need %llu open files, but only %llu are allowed "
		  "(RLIMIT_NOFILE); raise that with ulimit -n, or lower "
		  "process.workers",
		g->workers.n, g->listeners.n, m->conf->logfiles.n, need,
		(unsigned long long)files.rlim_cur);
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
	drop_done(&m->drop);
	free(m->pfds);
	callers_close(&m->callers);
	if (m->pidfile != NULL)
		pidfile_remove(m->pidfile);
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
	if (&g->workers != own)
		generation_shed(g);
	g = m->reload.next;
	if (g != NULL && &g->workers != own)
		generation_shed(g);
	reload_shed(&m->reload);
	log_tap(NULL, NULL);
	callers_shed(&m->callers);
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
static void
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
		m->present->workers.mode = WORKERS_KEPT;
		workers_go(&m->present->workers);
		master_announce(m);
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
	}
}

/* Sleeps until a signal, a message of a worker or the next deadline. */
static void
master_wait(struct master *m)
{
	const struct generation *g;
	uint64_t next = m->deadline_ms, due = UINT64_MAX;
	struct timespec ts, *timeout = NULL;

	if (m->state == MASTER_BIND)
		due = m->retry_ms;
	else
		due = workers_next(&m->present->workers);
	if (due < next)
		next = due;
	due = reload_next(&m->reload);
	if (due < next)
		next = due;
	due = callers_next(&m->callers);
	if (due < next)
		next = due;
	due = notify_next(&m->notify);
	if (due < next)
		next = due;
	TAILQ_FOREACH(g, &m->all, link)
	if (g->deadline_ms < next)
		next = g->deadline_ms;
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

/* Lists what is open, no more: poll(2) refuses a list that is longer than
 * RLIMIT_NOFILE, whatever is in it. */
static size_t
master_watch_all(struct master *m)
{
	const struct generation *next = m->reload.next, *g;
	size_t n = 0;

	if (m->reload.said_fd != -1)
		n += master_watch(m, n, m->reload.said_fd);
	for (g = TAILQ_FIRST(&m->all); g != NULL || next != NULL;
		g = g != NULL ? TAILQ_NEXT(g, link) : NULL) {
		const struct workers *ws = &(g != NULL ? g : next)->workers;
		unsigned slot;

		for (slot = 0; slot < ws->n; slot++)
			if (ws->v[slot].control_fd != -1)
				n += master_watch(m, n, ws->v[slot].control_fd);
		if (g == NULL)
			next = NULL;
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
	if (next != NULL && workers_hear(&next->workers, fd))
		return;
	TAILQ_FOREACH(g, &m->all, link)
	if (workers_hear(&g->workers, fd))
		return;
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
		if (g != NULL &&
			workers_reaped(&g->workers, pid, status, m->now_ms))
			continue;
		TAILQ_FOREACH(g, &m->all, link)
		if (workers_reaped(&g->workers, pid, status, m->now_ms))
			break;
	}
}

static void
master_signals(struct master *m)
{
	bool term = signals_take(SIGTERM);
	bool stop = signals_take(SIGINT) || term;
	bool quit = signals_take(SIGQUIT);
	bool reopen = signals_take(SIGUSR1);
	bool reload = signals_take(SIGHUP);
	const struct signal_row *row;
	struct generation *g;

	for (row = signals_rows; row->name != NULL; row++)
		if (!row->built && signals_take(row->signo))
			log_notice("SIG%s (%s) is not built in yet", row->name,
				row->word);
	if (reopen && m->prepared)
		TAILQ_FOREACH(g, &m->all, link)
		{
			logs_reopen(&g->logs);
			workers_reopen(&g->workers);
		}
	/* One that comes while one is under way is done behind it. */
	if (reload && m->state <= MASTER_RUN)
		m->reload_wanted = true;
	/* Nothing runs yet that could be let finish, or it was said twice. */
	if (quit && m->state != MASTER_RUN)
		stop = true;
	if (stop && m->state < MASTER_STOP)
		master_enter(m, MASTER_STOP);
	else if (quit && m->state == MASTER_RUN)
		master_enter(m, MASTER_QUIT);
}

/* Does what the state wants now that something may have changed. */
static void
master_step(struct master *m)
{
	struct workers *ws;

	callers_turn(&m->callers, m->now_ms);
	notify_turn(&m->notify, m->now_ms);
	if (m->state == MASTER_BIND)
		master_bind(m);
	master_retire(m);
	ws = &m->present->workers;
	if (m->state == MASTER_START || m->state == MASTER_RUN)
		workers_turn(ws, m->now_ms);
	if (m->state == MASTER_START && ws->failed) {
		log_error("start failed");
		master_refuse(m);
	}
	if (m->state == MASTER_START &&
		workers_count(ws, WORKER_READY) == ws->n)
		master_enter(m, MASTER_RUN);
	if (m->state == MASTER_RUN)
		master_reload(m);
	ws = &m->present->workers;
	if (m->state == MASTER_RUN && m->reload.state == RELOAD_IDLE &&
		workers_count(ws, WORKER_GONE) == ws->n) {
		log_error("no worker is left and none can start");
		m->status = 1;
		master_enter(m, MASTER_STOP);
	}
	if (m->state >= MASTER_QUIT && m->now_ms >= m->deadline_ms)
		master_overdue(m);
	if (m->state >= MASTER_QUIT && m->state < MASTER_DONE &&
		master_alive(m) == 0)
		master_enter(m, MASTER_DONE);
}

/* Begins what is wanted, and goes on with what is begun. */
static void
master_reload(struct master *m)
{
	if (m->reload.state == RELOAD_IDLE && m->reload_wanted) {
		m->reload_wanted = false;
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

/* The new generation takes over: who connects from now on is its own. */
static void
master_commit(struct master *m)
{
	struct generation *old = m->present, *g = reload_take(&m->reload);
	uint32_t drain_ms = old->conf->process.drain_timeout_ms;

	listeners_commit(&g->listeners, &old->listeners);
	logs_use(&g->logs);
	TAILQ_INSERT_HEAD(&m->all, g, link);
	m->present = g;
	g->workers.mode = WORKERS_KEPT;
	workers_go(&g->workers);
	workers_leave(&old->workers, MSG_DRAIN, drain_ms);
	master_outcome(m, 0, "reloaded: generation %u serves", g->number);
	if (drain_ms != 0)
		old->deadline_ms = m->now_ms + drain_ms + MASTER_MARGIN_MS;
	master_announce(m);
}

/* Frees generations of which nothing runs any more, ends those that take too
 * long, and the oldest when there are too many. */
static void
master_retire(struct master *m)
{
	struct generation *g, *newer;
	int64_t n = 0;

	TAILQ_FOREACH(g, &m->all, link)
	n++;
	for (g = TAILQ_LAST(&m->all, generations); g != m->present; g = newer) {
		newer = TAILQ_PREV(g, generations, link);
		if (workers_alive(&g->workers) == 0) {
			log_notice("generation %u is gone", g->number);
			TAILQ_REMOVE(&m->all, g, link);
			generation_free(g);
		} else if (!g->stopped &&
			   n > m->present->conf->process.max_generations) {
			log_warn("generation %u is one too many: its channels "
				 "are reset",
				g->number);
			workers_leave(&g->workers, MSG_STOP, 0);
			g->deadline_ms = m->now_ms + MASTER_STOP_MS;
			g->stopped = true;
		} else if (m->now_ms >= g->deadline_ms) {
			g->deadline_ms = UINT64_MAX;
			workers_kill(&g->workers,
				"did not leave within drain_timeout and 1 s");
		}
		n--;
	}
}

static unsigned
master_alive(const struct master *m)
{
	const struct generation *g;
	unsigned n = 0;

	TAILQ_FOREACH(g, &m->all, link)
	n += workers_alive(&g->workers);
	return n;
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
		      drop_init(&m->drop, m->conf) == 0;
	if (m->prepared && m->conf->process.daemon && log_is_stderr())
		log_warn("log.target is stderr: in the background nothing is "
			 "logged once weir is ready");
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
	workers_kill(
		&g->workers, m->state == MASTER_QUIT
				     ? "did not leave within close_wait and 1 s"
				     : "did not leave within 2 s");
	m->deadline_ms = UINT64_MAX;
}

/* Says what is listened on and that weir is ready, and lets the caller go. */
static void
master_announce(struct master *m)
{
	char line[512], text[WEIR_ADDR_TEXT];
	const struct generation *g = m->present;
	struct weir_addr a;
	size_t i;

	for (i = 0; i < g->listeners.n; i++) {
		if (listeners_address(&g->listeners, i, &a) == -1)
			continue;
		snprintf(line, sizeof(line),
			"listen gen=%u server=%.200s address=%s", g->number,
			conf_server_at(g->conf, g->listeners.v[i].server)->name,
			weir_addr_text(&a, text));
		master_say(m, line);
	}
	snprintf(line, sizeof(line), "ready gen=%u workers=%u", g->number,
		g->workers.n);
	master_say(m, line);
	if (m->activation->n > 0)
		activation_report(m->activation);
	notify_ready(&m->notify, getpid(), "generation %u, %u workers",
		g->number, g->workers.n);
	fd_close(&m->ready_fd);
	log_starting(false);
	daemon_ready(&m->status_fd);
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

/* What the most patient server says, as the workers reckon. */
static uint64_t
master_close_wait(const struct master *m)
{
	const struct generation *g;
	uint64_t most_ms = 0;
	size_t i;

	TAILQ_FOREACH(g, &m->all, link)
	for (i = 0; i < g->conf->servers.n; i++)
		if (conf_server_at(g->conf, i)->close_wait_ms > most_ms)
			most_ms = conf_server_at(g->conf, i)->close_wait_ms;
	return most_ms;
}

static uint64_t
master_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}
