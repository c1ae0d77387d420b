/* worker.c - one process that runs an engine for each server. */
#include <sys/resource.h>

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/log.h"
#include "heritage.h"
#include "worker/accept.h"
#include "worker/control.h"

#define FDS_SPARE	  8
#define EXIT_CANNOT_START 2 /* a respawn would not help */

struct worker {
	const struct heritage *heritage;
	struct loop loop;
	struct engine *engines;
	size_t nengines;
	struct acceptor acceptor;
	struct control control;
	struct event *give_up; /* the end of close_wait */
	struct event *signals[2];
	bool draining;
};

/* How long channels may finish: what the most patient server says. */
static uint32_t
worker_close_wait_ms(const struct worker *w)
{
	uint32_t most_ms = 0;
	size_t i;

	for (i = 0; i < w->nengines; i++)
		if (w->engines[i].server->close_wait_ms > most_ms)
			most_ms = w->engines[i].server->close_wait_ms;
	return most_ms;
}

static void
worker_stop(struct worker *w)
{
	size_t i;

	for (i = 0; i < w->nengines; i++)
		engine_close_all(&w->engines[i], WEIR_R_STOPPED);
	w->loop.leaving = true;
}

static void
worker_give_up(evutil_socket_t fd, short what, void *arg)
{
	struct worker *w = arg;

	(void)fd;
	(void)what;
	clock_update();
	log_notice(
		"close_wait is over: %zu channels are reset", w->loop.channels);
	worker_stop(w);
}

static void
worker_drain(struct worker *w)
{
	uint32_t wait_ms = worker_close_wait_ms(w);
	struct timeval tv = { .tv_sec = wait_ms / 1000,
		.tv_usec = wait_ms % 1000 * 1000 };

	if (w->draining)
		return;
	w->draining = true;
	acceptor_close(&w->acceptor);
	log_notice("draining: %zu channels may take %u ms", w->loop.channels,
		wait_ms);
	if (evtimer_add(w->give_up, &tv) == -1)
		worker_stop(w);
}

static void
worker_told(void *arg, enum msg_type type)
{
	struct worker *w = arg;

	switch (type) {
	case MSG_STOP:
		worker_stop(w);
		break;
	case MSG_QUIT:
		worker_drain(w);
		break;
	default:
		log_alert("the master sent \"%s\"", msg_word(type));
	}
}

/* Signals that reach a worker itself: from a supervisor, or because its
 * master died (PR_SET_PDEATHSIG). */
static void
worker_signal(evutil_socket_t signo, short what, void *arg)
{
	(void)what;
	clock_update();
	if (signo == SIGTERM)
		worker_stop(arg);
	else
		worker_drain(arg);
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
	if (loop_init(&w->loop, scratch_size) == -1)
		return -1;
	w->engines = calloc(h->conf->servers.n, sizeof(*w->engines));
	if (w->engines == NULL)
		return -1;
	for (i = 0; i < h->conf->servers.n; i++, w->nengines++)
		if (engine_init(&w->engines[i], &w->loop,
			    conf_server_at(h->conf, i)) == -1)
			return -1;
	w->give_up = evtimer_new(w->loop.base, worker_give_up, w);
	w->signals[0] = evsignal_new(w->loop.base, SIGTERM, worker_signal, w);
	w->signals[1] = evsignal_new(w->loop.base, SIGQUIT, worker_signal, w);
	if (w->give_up == NULL || w->signals[0] == NULL ||
		w->signals[1] == NULL || event_add(w->signals[0], NULL) == -1 ||
		event_add(w->signals[1], NULL) == -1 ||
		control_init(&w->control, w->loop.base, h->control_fd,
			worker_told, w) == -1)
		return -1;
	if (acceptor_init(&w->acceptor, &w->loop, w->engines, h) == -1)
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
	for (i = 0; i < 2; i++)
		if (w->signals[i] != NULL)
			event_free(w->signals[i]);
	if (w->give_up != NULL)
		event_free(w->give_up);
	for (i = 0; i < w->nengines; i++)
		engine_done(&w->engines[i]);
	free(w->engines);
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

void
worker_main(const struct heritage *h)
{
	struct worker w;

	event_set_log_callback(worker_libevent_says);
	/* Ctrl-C reaches the whole foreground group: the master decides. */
	signal(SIGINT, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	if (worker_init(&w, h) == -1) {
		log_error("cannot start: %s", strerror(errno));
		_exit(EXIT_CANNOT_START);
	}
	if (control_ready(&w.control) == -1) {
		log_error("cannot tell the master: %s", strerror(errno));
		_exit(EXIT_CANNOT_START);
	}
	log_starting(false);
	while (!w.loop.leaving) {
		loop_turn(&w.loop);
		if (w.draining && w.loop.channels == 0)
			w.loop.leaving = true;
	}
	loop_run(&w.loop);
	worker_done(&w);
	exit(0);
}
