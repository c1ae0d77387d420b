/* master.c - the process that binds, forks workers and keeps them alive. */
#include <sys/resource.h>

#include <bsd/libutil.h>
#include <bsd/unistd.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/addr.h"
#include "base/fd.h"
#include "base/log.h"
#include "conf/conf.h"
#include "master/daemon.h"
#include "master/drop.h"
#include "master/listeners.h"
#include "master/logs.h"
#include "master/master.h"
#include "master/pidfile.h"
#include "master/signals.h"
#include "master/workers.h"

#define MASTER_BIND_MS	 500  /* for those who leave to let go of a port */
#define MASTER_RETRY_MS	 20   /* between two tries */
#define MASTER_STOP_MS	 2000 /* from MSG_STOP to SIGKILL */
#define MASTER_MARGIN_MS 1000 /* from the end of close_wait to SIGKILL */
/* Descriptors besides one a worker, a listener and a log file: stdio, pidfile,
 * who waits for the start, a socket pair in the making; in a worker epoll
 * sets. */
#define MASTER_FDS 16

enum master_state {
	MASTER_BIND,  /* no child yet; pidfile, log or an address is missing */
	MASTER_START, /* all bound, workers forked, not all have said READY */
	MASTER_RUN,   /* the start was announced; dead workers are replaced */
	MASTER_QUIT,  /* listeners closed, workers let their channels finish */
	MASTER_STOP,  /* listeners closed, workers were told to leave now */
	MASTER_DONE   /* no child left */
};

struct master {
	const struct conf *conf;
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
	struct listeners listeners;
	struct logs logs;
	struct workers workers;
	struct pollfd *pfds; /* room for one per slot */
	bool poll_failed;    /* and it was said */
};

static int master_init(struct master *m);
static void master_done(struct master *m);
static void master_shed(void *arg);
static void master_enter(struct master *m, enum master_state state);
static void master_unlisten(struct master *m);
static bool master_fits(const struct master *m);
static void master_wait(struct master *m);
static void master_poll(struct master *m, const struct timespec *timeout);
static void master_signals(struct master *m);
static void master_step(struct master *m);
static void master_bind(struct master *m);
static bool master_lock(struct master *m);
static bool master_prepare(struct master *m);
static void master_refuse(struct master *m);
static void master_overdue(struct master *m);
static void master_announce(struct master *m);
static void master_say(struct master *m, const char *line);
static uint64_t master_close_wait(const struct conf *conf);
static uint64_t master_now(void);

int
master_run(const struct conf *conf, const struct master_options *opt,
	void (*worker)(const struct heritage *))
{
	struct master m = { .conf = conf,
		.status = 1,
		.ready_fd = opt->ready_fd,
		.status_fd = -1,
		.workers = { .run = worker } };

	signals_open();
	log_process("master");
	log_starting(true);
	if (conf->process.daemon && !daemon_fork(&m.status_fd, &m.status))
		return m.status;
	setproctitle("master %s", conf->file);
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
	m->now_ms = master_now();
	m->workers.conf = m->conf;
	m->workers.drop = &m->drop;
	m->workers.listeners = &m->listeners;
	m->workers.logs = &m->logs;
	m->workers.shed = master_shed;
	m->workers.shed_arg = m;
	if (listeners_init(&m->listeners, m->conf) == 0 &&
		workers_init(&m->workers, m->conf->process.workers) == 0 &&
		(m->pfds = calloc(m->workers.n, sizeof(*m->pfds))) != NULL)
		return master_fits(m) ? 0 : -1;
	log_error("cannot start: %s", strerror(errno));
	return -1;
}

/* Has this process room for all that it must keep open?  Better to know now
 * than with half of the workers running. */
static bool
master_fits(const struct master *m)
{
	unsigned long long need = m->workers.n + m->listeners.n +
				  m->conf->logfiles.n + (size_t)MASTER_FDS;
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) == -1 || files.rlim_cur >= need)
		return true;
	log_error(
		"cannot start: %u workers and %zu listeners need %llu open "
		"files, but only %llu are allowed (RLIMIT_NOFILE); raise that "
		"with ulimit -n, or lower process.workers",
		m->workers.n, m->listeners.n, need,
		(unsigned long long)files.rlim_cur);
	return false;
}

static void
master_done(struct master *m)
{
	listeners_done(&m->listeners);
	workers_done(&m->workers);
	logs_done(&m->logs);
	drop_done(&m->drop);
	free(m->pfds);
	if (m->pidfile != NULL)
		pidfile_remove(m->pidfile);
	fd_close(&m->ready_fd);
	/* Closed without a word it tells the caller of a daemon that there is
	 * none; so everything else is gone by now. */
	fd_close(&m->status_fd);
}

/* In a child: lets go of what must end when the master does. */
static void
master_shed(void *arg)
{
	struct master *m = arg;

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
		m->workers.mode = WORKERS_KEPT;
		master_announce(m);
		break;
	case MASTER_QUIT:
		log_notice("finishing: channels get close_wait to end");
		master_unlisten(m);
		workers_leave(&m->workers, MSG_QUIT);
		m->deadline_ms = m->now_ms + master_close_wait(m->conf) +
				 MASTER_MARGIN_MS;
		break;
	case MASTER_STOP:
		log_notice("stopping");
		master_unlisten(m);
		workers_leave(&m->workers, MSG_STOP);
		m->deadline_ms = m->now_ms + MASTER_STOP_MS;
		break;
	case MASTER_DONE:
		log_notice("stopped");
		break;
	}
}

/* The files first: while their sockets live, no other weir puts its own in
 * their place. */
static void
master_unlisten(struct master *m)
{
	listeners_unlink(&m->listeners);
	listeners_close(&m->listeners);
}

/* Sleeps until a signal, a message of a worker or the next deadline. */
static void
master_wait(struct master *m)
{
	uint64_t next = m->deadline_ms, due = UINT64_MAX;
	struct timespec ts, *timeout = NULL;

	if (m->state == MASTER_BIND)
		due = m->retry_ms;
	else
		due = workers_next(&m->workers);
	if (due < next)
		next = due;
	m->now_ms = master_now();
	if (next != UINT64_MAX) {
		next = next > m->now_ms ? next - m->now_ms : 0;
		ts.tv_sec = (time_t)(next / 1000);
		ts.tv_nsec = (long)(next % 1000) * 1000000;
		timeout = &ts;
	}
	master_poll(m, timeout);
	if (signals_take(SIGCHLD))
		workers_reap(&m->workers, m->now_ms);
}

/* Waits, then hears signals and what workers say. */
static void
master_poll(struct master *m, const struct timespec *timeout)
{
	static const struct timespec pause = { 0, MASTER_RETRY_MS * 1000000L };
	unsigned slot, n = 0, at = 0;
	bool failed;

	/* No more than are open: poll(2) refuses a list that is longer than
	 * RLIMIT_NOFILE, whatever is in it. */
	for (slot = 0; slot < m->workers.n; slot++)
		if (m->workers.v[slot].control_fd != -1)
			m->pfds[n++] = (struct pollfd){
				.fd = m->workers.v[slot].control_fd,
				.events = POLLIN
			};
	failed = ppoll(m->pfds, n, timeout, signals_mask()) == -1;
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
	for (slot = 0; !failed && at < n; slot++)
		if (m->workers.v[slot].control_fd == m->pfds[at].fd &&
			m->pfds[at++].revents != 0)
			workers_read(&m->workers, slot);
}

static void
master_signals(struct master *m)
{
	bool term = signals_take(SIGTERM);
	bool stop = signals_take(SIGINT) || term;
	bool quit = signals_take(SIGQUIT);
	bool reopen = signals_take(SIGUSR1);
	const struct signal_row *row;

	for (row = signals_rows; row->name != NULL; row++)
		if (!row->built && signals_take(row->signo))
			log_notice("SIG%s (%s) is not built in yet", row->name,
				row->word);
	if (reopen && m->prepared) {
		logs_reopen(&m->logs);
		workers_reopen(&m->workers);
	}
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
	if (m->state == MASTER_BIND)
		master_bind(m);
	if (m->state == MASTER_START || m->state == MASTER_RUN)
		workers_turn(&m->workers, m->now_ms);
	if (m->state == MASTER_START && m->workers.failed) {
		log_error("start failed");
		master_refuse(m);
	}
	if (m->state == MASTER_START &&
		workers_count(&m->workers, WORKER_READY) == m->workers.n)
		master_enter(m, MASTER_RUN);
	if (m->state == MASTER_RUN &&
		workers_count(&m->workers, WORKER_GONE) == m->workers.n) {
		log_error("no worker is left and none can start");
		m->status = 1;
		master_enter(m, MASTER_STOP);
	}
	if (m->state >= MASTER_QUIT && m->now_ms >= m->deadline_ms)
		master_overdue(m);
	if (m->state >= MASTER_QUIT && m->state < MASTER_DONE &&
		workers_alive(&m->workers) == 0)
		master_enter(m, MASTER_DONE);
}

/* Tries to get the pidfile and every address; others may be leaving. */
static void
master_bind(struct master *m)
{
	size_t failed;

	if (m->now_ms < m->retry_ms && m->now_ms < m->deadline_ms)
		return;
	m->retry_ms = m->now_ms + MASTER_RETRY_MS;
	/* While another one runs, its sockets are not ours to try, and its log
	 * is not ours to write to. */
	if (!master_lock(m) || !master_prepare(m))
		return;
	failed = listeners_bind(&m->listeners);
	if (failed == 0) {
		master_enter(m, MASTER_START);
	} else if (!listeners_busy(&m->listeners) ||
		   m->now_ms >= m->deadline_ms) {
		listeners_report(&m->listeners);
		master_refuse(m);
	}
}

/* Is the pidfile ours, or none wanted? */
static bool
master_lock(struct master *m)
{
	const char *path = m->conf->process.pidfile;
	char why[PIDFILE_WHY];
	bool held;

	if (path == NULL || m->pidfile != NULL)
		return true;
	m->pidfile = pidfile_take(path, &held, why);
	if (m->pidfile == NULL && (!held || m->now_ms >= m->deadline_ms)) {
		log_error("%s", why);
		master_refuse(m);
	}
	return m->pidfile != NULL;
}

/* Opens the log files and looks the user up, once. */
static bool
master_prepare(struct master *m)
{
	if (m->prepared)
		return true;
	m->prepared = logs_open(&m->logs, m->conf) == 0 &&
		      drop_init(&m->drop, m->conf) == 0;
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
	if (m->state == MASTER_QUIT)
		workers_kill(
			&m->workers, "did not leave within close_wait and 1 s");
	else if (m->state == MASTER_STOP)
		workers_kill(&m->workers, "did not leave within 2 s");
	m->deadline_ms = UINT64_MAX;
}

/* Says what is listened on and that weir is ready, and lets the caller go. */
static void
master_announce(struct master *m)
{
	char line[512], text[WEIR_ADDR_TEXT];
	struct weir_addr a;
	size_t i;

	for (i = 0; i < m->listeners.n; i++) {
		if (listeners_address(&m->listeners, i, &a) == -1)
			continue;
		snprintf(line, sizeof(line),
			"listen gen=1 server=%.200s address=%s",
			conf_server_at(m->conf, m->listeners.v[i].server)->name,
			weir_addr_text(&a, text));
		master_say(m, line);
	}
	snprintf(line, sizeof(line), "ready gen=1 workers=%u", m->workers.n);
	master_say(m, line);
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
master_close_wait(const struct conf *conf)
{
	uint64_t most_ms = 0;
	size_t i;

	for (i = 0; i < conf->servers.n; i++)
		if (conf_server_at(conf, i)->close_wait_ms > most_ms)
			most_ms = conf_server_at(conf, i)->close_wait_ms;
	return most_ms;
}

static uint64_t
master_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}
