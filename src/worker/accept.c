/* accept.c - taking connections from the listeners, a few a turn. */
#include <sys/socket.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/board.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "conf/conf.h"
#include "heritage.h"
#include "worker/accept.h"

#define ACCEPTS_PER_WAKEUP 4   /* so that the other workers get their share */
#define PAUSE_MS	   100 /* how long not to ask when none can be taken */
#define AWAY_MS		   10  /* that others get who have less to do */
#define LEFT_MS		   50  /* in which what they left is to show */
#define WORD_EVERY_MS	   1000

static void acceptor_pause(struct acceptor *a, int err);
static void acceptor_empty(struct acceptor *a);

/* Was this the end of one connection, with others behind it (accept(2))?  All
 * else stays as it is when accepting is tried again at once. */
static bool
accept_goes_on(int err)
{
	switch (err) {
	case EINTR:
	case ECONNABORTED:
	case EPERM: /* firewall rules */
	case EPROTO:
	case ENOPROTOOPT:
	case ENETDOWN:
	case EHOSTDOWN:
	case ENONET:
	case EHOSTUNREACH:
	case ENETUNREACH:
		return true;
	default:
		return false;
	}
}

/* Is it to be in the poller's set? */
static bool
listener_is_wanted(const struct listener *l)
{
	const struct acceptor *a = l->acceptor;

	return a->open && !a->closed && l->ours && !l->waits && !a->paused &&
	       !a->full && !(a->away && l->shared);
}

/* Puts every listener into the set, or takes it out of it: as it should be. */
static void
acceptor_update(struct acceptor *a)
{
	struct poller *p = &a->loop->poller;
	struct listener *l;

	/* Nobody leaves anything to one who cannot take it. */
	if (a->line != NULL)
		a->line->serves =
			a->open && !a->closed && !a->paused && !a->full;
	for (l = a->listeners; l < a->listeners + a->n; l++) {
		if (l->fd == -1 || listener_is_wanted(l) == l->polled)
			continue;
		if (l->polled) {
			poller_remove(p, l->fd);
			l->polled = false;
		} else if (poller_add_source(p, l->fd, &l->source) == 0) {
			l->polled = true;
		} else {
			acceptor_pause(a, errno);
			return;
		}
	}
}

/* One line a second, whatever happens. */
static bool
acceptor_may_say(struct acceptor *a)
{
	if (clock_ms() < a->next_word_ms)
		return false;
	a->next_word_ms = clock_ms() + WORD_EVERY_MS;
	return true;
}

static void
acceptor_pause(struct acceptor *a, int err)
{
	if (acceptor_may_say(a))
		log_error("accepting pauses for %d ms: %s (%zu channels)",
			PAUSE_MS, strerror(err), a->loop->channels);
	if (a->paused ||
		poller_timer(&a->loop->poller, a->resume, PAUSE_MS) == -1)
		return;
	a->paused = true;
	acceptor_update(a);
}

static void
acceptor_resume(evutil_socket_t fd, short what, void *arg)
{
	struct acceptor *a = arg;

	(void)fd;
	(void)what;
	clock_update();
	a->paused = false;
	if (a->closed)
		acceptor_empty(a);
	else
		acceptor_update(a);
}

/* Others have less to do: they get AWAY_MS to take what waits. */
static void
acceptor_leave(struct acceptor *a)
{
	if (poller_timer(&a->loop->poller, a->back, AWAY_MS) == -1)
		return;
	a->away = true;
	acceptor_update(a);
}

static void
acceptor_back(evutil_socket_t fd, short what, void *arg)
{
	struct acceptor *a = arg;

	(void)fd;
	(void)what;
	clock_update();
	a->away = false;
	a->left_ms = clock_ms() + LEFT_MS;
	acceptor_update(a);
}

static void
acceptor_fill(struct acceptor *a)
{
	if (acceptor_may_say(a))
		log_warn("accepting waits: process.worker_channels is reached "
			 "(%zu channels)",
			a->loop->channels);
	a->full = true;
	acceptor_update(a);
}

/* Takes one connection: false when there is none, or none can be taken. */
static bool
listener_accept(struct listener *l)
{
	struct weir_addr peer = { .len = sizeof(peer.un) };
	const struct loop *loop = l->acceptor->loop;
	int fd;

	if (loop->channels >= l->acceptor->channels_most) {
		acceptor_fill(l->acceptor);
		return false;
	}
	/* Whoever is let in may need a descriptor for its backend as well. */
	if (loop->fds + 2 > loop->fds_most) {
		acceptor_pause(l->acceptor, EMFILE);
		return false;
	}
	fd = accept4(l->fd, &peer.sa, &peer.len, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd != -1) {
		if (l->acceptor->line != NULL)
			board_accepted(l->acceptor->line, clock_ms());
		engine_accept(l->engine, fd, &peer, l->listen);
		return true;
	}
	if (accept_goes_on(errno))
		return true;
	if (errno != EAGAIN)
		acceptor_pause(l->acceptor, errno);
	return false;
}

static bool
acceptor_is_ahead(const struct acceptor *a)
{
	/* What this turn has brought counts on both sides. */
	a->line->channels = (uint32_t)a->loop->channels;
	return board_is_ahead(a->board, (unsigned)(a->line - a->board->lines),
		a->watch, clock_ms());
}

/* Is it for others to take what waits?  They have had their time when it still
 * does after that; who has not even moved gets no more. */
static bool
acceptor_yields(struct acceptor *a)
{
	bool left = clock_ms() < a->left_ms;

	if (a->line == NULL || !acceptor_is_ahead(a))
		return false;
	a->left_ms = 0;
	if (left)
		board_blame(a->board, a->watch);
	else
		board_watch(a->board, a->watch);
	return !left;
}

static void
listener_ready(struct poll_source *source, uint32_t events)
{
	struct listener *l = (struct listener *)source;
	struct acceptor *a = l->acceptor;
	int i;

	(void)events;
	if (l->shared && acceptor_yields(a)) {
		acceptor_leave(a);
		return;
	}
	for (i = 0; i < ACCEPTS_PER_WAKEUP && l->fd != -1; i++)
		if (!listener_accept(l))
			break;
}

/* What was queued is served; who comes now is too late. */
static void
acceptor_empty(struct acceptor *a)
{
	struct listener *l;
	int64_t left;

	for (l = a->listeners; l < a->listeners + a->n; l++) {
		if (l->fd == -1)
			continue;
		left = conf_listen_at(l->engine->server, l->listen)->backlog;
		while (a->open && l->ours && !l->waits && !a->paused &&
			left-- >= 0 && listener_accept(l))
			continue;
		if (!a->open || !l->ours || !a->paused)
			fd_close(&l->fd);
	}
}

int
acceptor_init(struct acceptor *a, struct loop *loop, struct engine *engines,
	const struct heritage *h)
{
	size_t i;

	*a = (struct acceptor){
		.loop = loop, .channels_most = SIZE_MAX, .board = h->board
	};
	if (h->workers > 1) {
		a->line = &h->board->lines[h->slot];
		a->watch = calloc(h->workers, sizeof(*a->watch));
	}
	a->listeners = calloc(h->nlisteners, sizeof(*a->listeners));
	a->resume = evtimer_new(loop->base, acceptor_resume, a);
	a->back = evtimer_new(loop->base, acceptor_back, a);
	if (a->listeners == NULL || a->resume == NULL || a->back == NULL ||
		(h->workers > 1 && a->watch == NULL)) {
		acceptor_done(a);
		errno = ENOMEM;
		return -1;
	}
	for (i = 0; i < h->nlisteners; i++) {
		struct listener *l = &a->listeners[a->n];

		if (h->listeners[i].server == CONF_API)
			continue;
		a->n++;
		l->source.ready = listener_ready;
		l->acceptor = a;
		l->engine = &engines[h->listeners[i].server];
		l->fd = h->listeners[i].fd;
		l->listen = (uint16_t)h->listeners[i].listen;
		l->shared = h->listeners[i].share == 0;
		if (!l->shared)
			l->slot = (uint16_t)heritage_slot(
				&h->listeners[i], h->workers);
		l->ours = l->shared || l->slot == h->slot;
	}
	return 0;
}

void
acceptor_open(struct acceptor *a)
{
	if (a->open)
		return;
	a->open = true;
	acceptor_update(a);
}

void
acceptor_turn(struct acceptor *a)
{
	bool back = a->away && !acceptor_is_ahead(a);
	bool room = a->full && a->loop->channels < a->channels_most;

	if (!back && !room)
		return;
	if (back)
		(void)evtimer_del(a->back);
	a->away = a->away && !back;
	a->full = a->full && !room;
	acceptor_update(a);
}

void
acceptor_adopt(struct acceptor *a, unsigned slot, bool adopt)
{
	struct listener *l;

	for (l = a->listeners; l < a->listeners + a->n; l++)
		if (!l->shared && l->slot == slot)
			l->ours = adopt;
	acceptor_update(a);
}

void
acceptor_hold(struct acceptor *a, const struct engine *e, bool hold)
{
	struct listener *l;

	for (l = a->listeners; l < a->listeners + a->n; l++)
		if (l->engine == e)
			l->waits = hold;
	acceptor_update(a);
}

/* Before its listeners are closed: the master's descriptors of the same sockets
 * keep them in our set (epoll(7)), and they would go on to wake us. */
static void
acceptor_leave_set(struct acceptor *a)
{
	a->closed = true;
	acceptor_update(a);
}

void
acceptor_close(struct acceptor *a)
{
	/* Better too many than one that is lost. */
	a->channels_most = SIZE_MAX;
	a->full = false;
	acceptor_leave_set(a);
	acceptor_empty(a);
}

bool
acceptor_is_closed(const struct acceptor *a)
{
	size_t i;

	for (i = 0; i < a->n; i++)
		if (a->listeners[i].fd != -1)
			return false;
	return true;
}

void
acceptor_done(struct acceptor *a)
{
	size_t i;

	acceptor_leave_set(a);
	for (i = 0; i < a->n; i++)
		fd_close(&a->listeners[i].fd);
	if (a->resume != NULL)
		event_free(a->resume);
	if (a->back != NULL)
		event_free(a->back);
	free(a->watch);
	free(a->listeners);
	*a = (struct acceptor){ 0 };
}
