/* worker.c - one process that runs an engine for each server. */
#include <sys/prctl.h>
#include <sys/resource.h>

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "heritage.h"
#include "worker/accept.h"
#include "worker/control.h"

#define FDS_SPARE	  8
#define EXIT_CANNOT_START 2 /* a respawn would not help */

/* How long the channels of one server may finish. */
struct patience {
	struct worker *worker;
	struct engine *engine;
	struct event *end;
};

struct worker {
	const struct heritage *heritage;
	struct loop loop;
	struct engine *engines; /* one a server, as all below */
	struct patience *patiences;
	size_t nengines;
	size_t nwaiting; /* servers whose close_wait is not over */
	struct acceptor acceptor;
	struct control control;
	struct event *signals[2];
	bool draining;
	bool quitting; /* with close_wait, whatever was said before */
};

static const int worker_signals[] = { SIGTERM, SIGQUIT };

static void
worker_stop(struct worker *w)
{
	size_t i;

	for (i = 0; i < w->nengines; i++)
		engine_stop(&w->engines[i]);
	w->loop.leaving = true;
}

static void
patience_over(evutil_socket_t fd, short what, void *arg)
{
	struct patience *p = arg;

	(void)fd;
	(void)what;
	clock_update();
	if (!TAILQ_EMPTY(&p->engine->channels))
		log_notice("%s: close_wait is over: its channels are reset",
			p->engine->server->name);
	engine_stop(p->engine);
	if (--p->worker->nwaiting == 0)
		p->worker->loop.leaving = true;
}

/* Lets the channels of each server finish for so long: value_ms, 0 for ever,
 * or what the server says. */
static void
worker_drain(struct worker *w, bool own, uint32_t value_ms)
{
	uint32_t most_ms = 0;
	size_t i;

	if (!w->draining)
		acceptor_close(&w->acceptor);
	w->nwaiting = w->nengines;
	for (i = 0; i < w->nengines; i++) {
		struct event *end = w->patiences[i].end;
		uint32_t wait_ms =
			own ? w->engines[i].server->close_wait_ms : value_ms;
		struct timeval tv = { .tv_sec = wait_ms / 1000,
			.tv_usec = wait_ms % 1000 * 1000 };

		if (!w->draining)
			engine_signal(&w->engines[i], "drain");
		if (wait_ms > most_ms)
			most_ms = wait_ms;
		if ((own || value_ms != 0) && evtimer_add(end, &tv) == -1) {
			worker_stop(w);
			return;
		}
	}
	w->draining = true;
	if (own || value_ms != 0)
		log_notice("draining: %zu channels may take %u ms",
			w->loop.channels, most_ms);
	else
		log_notice("draining: %zu channels", w->loop.channels);
}

/* The master has opened a log file again: fd, or -1 when it got lost. */
static void
worker_reopen(struct worker *w, uint32_t index, int fd)
{
	const struct conf *conf = w->heritage->conf;

	/* The kernel drops a descriptor when there is no room for it. */
	if (fd == -1)
		errno = EMFILE;
	if (fd == -1 || sinks_reopen(&w->loop.sinks, index, fd) == -1)
		log_error("log file %s: this worker goes on with the old one: "
			  "%s",
			conf_logfile_at(conf, index)->text, strerror(errno));
	else if (index == conf->log.target->index)
		log_switch(w->heritage->logs[index], conf->log.target->text,
			(enum log_level)conf->log.level);
	if (control_reopened(&w->control, index) == -1)
		log_error("cannot tell the master: %s", strerror(errno));
}

static void
worker_told(void *arg, const struct msg *m, int attached)
{
	struct worker *w = arg;

	switch (m->type) {
	case MSG_STOP:
		worker_stop(w);
		break;
	case MSG_QUIT:
		if (!w->quitting)
			worker_drain(w, true, 0);
		w->quitting = true;
		break;
	case MSG_DRAIN:
		if (!w->draining)
			worker_drain(w, false, m->arg);
		break;
	case MSG_GO:
		acceptor_open(&w->acceptor);
		break;
	case MSG_REOPEN:
		worker_reopen(w, m->arg, attached);
		break;
	default:
		fd_close(&attached);
		log_alert("the master sent \"%s\"", msg_word(m->type));
	}
}

/* Signals that reach a worker itself: from a supervisor, or because its
 * master died (PR_SET_PDEATHSIG). */
static void
worker_signal(evutil_socket_t signo, short what, void *arg)
{
	struct worker *w = arg;

	(void)what;
	clock_update();
	if (signo == SIGTERM)
		worker_stop(w);
	else if (!w->draining)
		worker_drain(w, true, 0);
}

static void
worker_hold_signals(int how)
{
	sigset_t set;
	size_t i;

	sigemptyset(&set);
	for (i = 0; i < 2; i++)
		sigaddset(&set, worker_signals[i]);
	sigprocmask(how, &set, NULL);
}

/* Handles what was held back since the fork: before this there was nothing that
 * could be stopped or drained. */
static int
worker_listen_signals(struct worker *w)
{
	size_t i;

	for (i = 0; i < 2; i++) {
		w->signals[i] = evsignal_new(
			w->loop.base, worker_signals[i], worker_signal, w);
		if (w->signals[i] == NULL ||
			event_add(w->signals[i], NULL) == -1)
			return -1;
	}
	worker_hold_signals(SIG_UNBLOCK);
	/* From here on the death of the master is a reason to drain. */
	prctl(PR_SET_PDEATHSIG, SIGQUIT, 0, 0, 0);
	return 0;
}

static int
worker_serve(struct worker *w, const struct conf_server *server)
{
	struct engine *e = &w->engines[w->nengines];
	struct patience *p = &w->patiences[w->nengines];

	if (engine_init(e, &w->loop, server) == -1)
		return -1;
	*p = (struct patience){ .worker = w, .engine = e };
	w->nengines++;
	p->end = evtimer_new(w->loop.base, patience_over, p);
	return p->end != NULL ? 0 : -1;
}

/* How many descriptors channels may have: all but what is open already, and a
 * few for files and names. */
static size_t
worker_fds_most(void)
{
	struct rlimit limit;
	int lowest = dup(STDERR_FILENO);

	if (getrlimit(RLIMIT_NOFILE, &limit) == -1 || lowest == -1)
		return SIZE_MAX;
	close(lowest);
	if (limit.rlim_cur == RLIM_INFINITY)
		return SIZE_MAX;
	return limit.rlim_cur > (rlim_t)lowest + FDS_SPARE + 2
		       ? limit.rlim_cur - (rlim_t)lowest - FDS_SPARE
		       : 2;
}

static int
worker_init(struct worker *w, const struct heritage *h)
{
	size_t scratch_size = 0, i;

	*w = (struct worker){ .heritage = h };
	for (i = 0; i < h->conf->servers.n; i++)
		if (conf_server_at(h->conf, i)->read_max > scratch_size)
			scratch_size = conf_server_at(h->conf, i)->read_max;
	if (loop_init(&w->loop, scratch_size) == -1 ||
		sinks_init(&w->loop.sinks, w->loop.base, h->conf, h->logs) ==
			-1)
		return -1;
	w->engines = calloc(h->conf->servers.n, sizeof(*w->engines));
	w->patiences = calloc(h->conf->servers.n, sizeof(*w->patiences));
	if (w->engines == NULL || w->patiences == NULL)
		return -1;
	for (i = 0; i < h->conf->servers.n; i++)
		if (worker_serve(w, conf_server_at(h->conf, i)) == -1)
			return -1;
	if (control_init(&w->control, w->loop.base, h->control_fd, worker_told,
		    w) == -1 ||
		acceptor_init(&w->acceptor, &w->loop, w->engines, h) == -1)
		return -1;
	if (worker_listen_signals(w) == -1)
		return -1;
	w->loop.fds_most = worker_fds_most();
	return 0;
}

static void
worker_done(struct worker *w)
{
	size_t i;

	acceptor_done(&w->acceptor);
	control_done(&w->control);
	/* The master's death may be told late, when nobody catches it. */
	worker_hold_signals(SIG_BLOCK);
	for (i = 0; i < 2; i++)
		if (w->signals[i] != NULL)
			event_free(w->signals[i]);
	for (i = 0; i < w->nengines; i++) {
		event_free(w->patiences[i].end);
		engine_done(&w->engines[i]);
	}
	free(w->engines);
	free(w->patiences);
	sinks_done(&w->loop.sinks);
	loop_done(&w->loop);
	close(w->heritage->control_fd);
}

static void
worker_libevent_says(int severity, const char *text)
{
	if (severity == EVENT_LOG_ERR)
		log_error("libevent: %s", text);
	else
		log_debug("libevent: %s", text);
}

/* What it does not survive while a worker starts: too few descriptors, say. */
static void
worker_libevent_fails(int err)
{
	/* All but 1 is a breach of its own rules. */
	if (err != 1)
		abort();
	_exit(EXIT_CANNOT_START);
}

void
worker_main(const struct heritage *h)
{
	struct worker w;

	event_set_log_callback(worker_libevent_says);
	event_set_fatal_callback(worker_libevent_fails);
	if (worker_init(&w, h) == -1) {
		log_error("cannot start: %s", strerror(errno));
		_exit(EXIT_CANNOT_START);
	}
	if (control_ready(&w.control) == -1) {
		log_error("cannot tell the master: %s", strerror(errno));
		_exit(EXIT_CANNOT_START);
	}
	event_set_fatal_callback(NULL);
	log_starting(false);
	/* Whoever called the daemon may be gone by now, and its stderr too. */
	if (h->background)
		fd_stdio_null();
	while (!w.loop.leaving) {
		loop_turn(&w.loop);
		if (w.draining && w.loop.channels == 0)
			w.loop.leaving = true;
	}
	loop_run(&w.loop);
	worker_done(&w);
	exit(0);
}
