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
#include "engine/observe.h"
#include "engine/services.h"
#include "engine/splice.h"
#include "heritage.h"
#include "worker/accept.h"
#include "base/control.h"
#include "worker/crash.h"
#include "worker/drain.h"
#include "worker/link.h"
#include "worker/report.h"

#define FDS_SPARE	  8
#define EXIT_CANNOT_START 2 /* a respawn would not help */

struct worker {
	const struct heritage *heritage;
	struct loop loop;
	struct services services;
	struct observers observers; /* of those */
	struct engine *engines;	    /* one a server */
	size_t nengines;
	struct acceptor acceptor;
	struct drain drain;
	struct report report;
	struct control control;
	struct links links;
	struct event *signals[2];
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

/* Accepts no more, and lets channels finish: as drain_begin() says. */
static void
worker_drain(struct worker *w, bool own, uint32_t ms)
{
	if (!w->drain.on)
		acceptor_close(&w->acceptor);
	report_drains(&w->report);
	drain_begin(&w->drain, own, ms);
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
	else if (index == conf->log.target->index &&
		 log_switch(w->heritage->logs[index], conf->log.target->text,
			 (enum log_level)conf->log.level) == -1)
		log_error("log.target: this worker goes on with the old one: "
			  "%s",
			strerror(errno));
	if (control_reopened(&w->control, index) == -1)
		log_error("cannot tell the master: %s", strerror(errno));
}

/* The kernel drops a descriptor when there is no room for it. */
static void
worker_unlinked(struct worker *w)
{
	log_error("the socket to the keeper got lost: %s", strerror(EMFILE));
	if (control_unlinked(&w->control, 0) == -1)
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
		/* Its word counts more than that of whoever said so before. */
		if (!w->quitting)
			worker_drain(w, false, m->arg);
		break;
	case MSG_GO:
		/* It may be long since it started, and no keeper is here yet.
		 */
		links_look(&w->links);
		acceptor_open(&w->acceptor);
		break;
	case MSG_ADOPT:
	case MSG_RETURN:
		acceptor_adopt(&w->acceptor, m->arg, m->type == MSG_ADOPT);
		break;
	case MSG_LINK:
		if (attached != -1)
			links_add(&w->links, attached);
		else
			worker_unlinked(w);
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
	else if (!w->drain.on)
		worker_drain(w, true, 0);
	/* Others must serve what is ours alone; a master that is dead need not
	 * know. */
	if (signo == SIGQUIT)
		(void)control_leaving(&w->control);
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

/* How many descriptors channels may have: all but what is open already, and a
 * few for files and names.  What is open has any number: the children of a
 * reload have gaps where those of older generations were. */
static size_t
worker_fds_most(void)
{
	struct rlimit limit;
	size_t open;

	if (getrlimit(RLIMIT_NOFILE, &limit) == -1 ||
		limit.rlim_cur == RLIM_INFINITY)
		return SIZE_MAX;
	open = fd_count(limit.rlim_cur);
	return limit.rlim_cur > open + FDS_SPARE + 2
		       ? limit.rlim_cur - open - FDS_SPARE
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
		sinks_init(&w->loop.sinks, &w->loop.poller, h->conf, h->logs) ==
			-1)
		return -1;
	if (services_init(&w->services, h, WEIR_IN_WORKER, w->loop.base) == -1)
		return -1;
	w->loop.services = &w->services;
	if (observers_init(&w->observers, w->services.v, w->services.n,
		    h->conf->servers.v) == -1)
		return -1;
	if (w->observers.n > 0)
		w->loop.observers = &w->observers;
	w->engines = calloc(h->conf->servers.n, sizeof(*w->engines));
	if (w->engines == NULL)
		return -1;
	for (; w->nengines < h->conf->servers.n; w->nengines++)
		if (engine_init(&w->engines[w->nengines], &w->loop,
			    conf_server_at(h->conf, w->nengines)) == -1)
			return -1;
	if (drain_init(&w->drain, &w->loop, w->engines, w->nengines, h) == -1 ||
		report_init(&w->report, &w->loop, w->engines, w->nengines, h) ==
			-1)
		return -1;
	if (control_init(&w->control, w->loop.base, h->control_fd, worker_told,
		    w) == -1 ||
		acceptor_init(&w->acceptor, &w->loop, w->engines, h) == -1)
		return -1;
	links_init(
		&w->links, &w->loop, h, &w->acceptor, w->engines, w->nengines);
	if (worker_listen_signals(w) == -1)
		return -1;
	w->loop.fds_most = worker_fds_most();
	loop_limit_pipes(&w->loop);
	if (h->conf->process.worker_channels > 0)
		w->acceptor.channels_most =
			(size_t)h->conf->process.worker_channels;
	return 0;
}

static void
worker_done(struct worker *w)
{
	size_t i;

	links_done(&w->links);
	acceptor_done(&w->acceptor);
	control_done(&w->control);
	/* The master's death may be told late, when nobody catches it. */
	worker_hold_signals(SIG_BLOCK);
	for (i = 0; i < 2; i++)
		if (w->signals[i] != NULL)
			event_free(w->signals[i]);
	report_done(&w->report);
	drain_done(&w->drain);
	for (i = 0; i < w->nengines; i++)
		engine_done(&w->engines[i]);
	free(w->engines);
	observers_done(&w->observers);
	services_done(&w->services);
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

/* Workers that drain must not do the same at the same moment.  Tests let chance
 * decide more, and want to have it again. */
static void
worker_seed(void)
{
	const char *seed = getenv("WEIR_TEST_SPLICE");

	splice_dices = seed != NULL;
	srandom(seed == NULL ? (unsigned)getpid()
			     : (unsigned)strtoul(seed, NULL, 0));
}

void
worker_main(const struct heritage *h)
{
	struct worker w;

	event_set_log_callback(worker_libevent_says);
	worker_seed();
	event_set_fatal_callback(worker_libevent_fails);
	if (worker_init(&w, h) == -1) {
		log_error("cannot start: %s", strerror(errno));
		_exit(EXIT_CANNOT_START);
	}
	/* That the master is gone, the loop will see and obey. */
	if (control_ready(&w.control) == -1 && errno != EPIPE) {
		log_error("cannot tell the master: %s", strerror(errno));
		_exit(EXIT_CANNOT_START);
	}
	event_set_fatal_callback(NULL);
	crash_watch(&w.loop);
	log_starting(false);
	/* Whoever called the daemon may be gone by now, and its stderr too. */
	if (h->background)
		fd_stdio_null();
	while (!w.loop.leaving) {
		loop_turn(&w.loop);
		acceptor_turn(&w.acceptor);
		report_turn(&w.report);
		if (w.drain.on && w.loop.channels == 0 &&
			acceptor_is_closed(&w.acceptor))
			w.loop.leaving = true;
	}
	loop_run(&w.loop);
	worker_done(&w);
	exit(0);
}
