/* accept.c - taking connections from the listeners, a few a turn. */
#include <sys/socket.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/log.h"
#include "heritage.h"
#include "worker/accept.h"

#define ACCEPTS_PER_WAKEUP 4   /* so that the other workers get their share */
#define PAUSE_MS	   100 /* how long not to ask when none can be taken */
#define WORD_EVERY_MS	   1000

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

static void
acceptor_pause(struct acceptor *a, int err)
{
	static const struct timeval pause = { .tv_usec = PAUSE_MS * 1000 };
	size_t i;

	if (clock_ms() >= a->next_word_ms) {
		log_error("accepting pauses for %d ms: %s (%zu channels)",
			PAUSE_MS, strerror(err), a->loop->channels);
		a->next_word_ms = clock_ms() + WORD_EVERY_MS;
	}
	if (a->paused || evtimer_add(a->resume, &pause) == -1)
		return;
	a->paused = true;
	for (i = 0; i < a->n; i++)
		if (a->listeners[i].fd != -1)
			poller_remove(&a->loop->poller, a->listeners[i].fd);
}

static void
acceptor_resume(evutil_socket_t fd, short what, void *arg)
{
	struct acceptor *a = arg;
	size_t i;

	(void)fd;
	(void)what;
	clock_update();
	a->paused = false;
	for (i = 0; i < a->n; i++) {
		struct listener *l = &a->listeners[i];

		if (l->fd != -1 && poller_add_listener(&a->loop->poller, l->fd,
					   &l->source) == -1) {
			acceptor_pause(a, errno);
			return;
		}
	}
}

/* Takes one connection: false when there is none, or none can be taken. */
static bool
listener_accept(struct listener *l)
{
	struct weir_addr peer = { .len = sizeof(peer.un) };
	const struct loop *loop = l->acceptor->loop;
	int fd;

	/* Whoever is let in may need a descriptor for its backend as well. */
	if (loop->fds + 2 > loop->fds_most) {
		acceptor_pause(l->acceptor, EMFILE);
		return false;
	}
	fd = accept4(l->fd, &peer.sa, &peer.len, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd != -1) {
		engine_accept(l->engine, fd, &peer, l->listen);
		return true;
	}
	if (accept_goes_on(errno))
		return true;
	if (errno != EAGAIN)
		acceptor_pause(l->acceptor, errno);
	return false;
}

static void
listener_ready(struct poll_source *source, uint32_t events)
{
	struct listener *l = (struct listener *)source;
	int i;

	(void)events;
	for (i = 0; i < ACCEPTS_PER_WAKEUP && l->fd != -1; i++)
		if (!listener_accept(l))
			break;
}

/* The master's descriptor of the same socket keeps it in our set (epoll(7)):
 * it would go on to wake us. */
static void
listener_close(struct listener *l)
{
	if (l->acceptor->open)
		poller_remove(&l->acceptor->loop->poller, l->fd);
	close(l->fd);
	l->fd = -1;
}

int
acceptor_init(struct acceptor *a, struct loop *loop, struct engine *engines,
	const struct heritage *h)
{
	size_t i;

	*a = (struct acceptor){ .loop = loop };
	a->listeners = calloc(h->nlisteners, sizeof(*a->listeners));
	a->resume = evtimer_new(loop->base, acceptor_resume, a);
	if (a->listeners == NULL || a->resume == NULL) {
		acceptor_done(a);
		errno = ENOMEM;
		return -1;
	}
	for (i = 0; i < h->nlisteners; i++) {
		struct listener *l = &a->listeners[a->n++];

		l->source.ready = listener_ready;
		l->acceptor = a;
		l->engine = &engines[h->listeners[i].server];
		l->fd = h->listeners[i].fd;
		l->listen = (uint16_t)h->listeners[i].listen;
	}
	return 0;
}

void
acceptor_open(struct acceptor *a)
{
	if (a->open)
		return;
	a->open = true;
	acceptor_resume(-1, 0, a);
}

void
acceptor_close(struct acceptor *a)
{
	size_t i;

	for (i = 0; i < a->n; i++) {
		struct listener *l = &a->listeners[i];
		int64_t left;

		if (l->fd == -1)
			continue;
		/* What was queued is served; who comes now is too late. */
		left = conf_listen_at(l->engine->server, l->listen)->backlog;
		while (a->open && !a->paused && left-- >= 0 &&
			listener_accept(l))
			continue;
		listener_close(l);
	}
}

void
acceptor_done(struct acceptor *a)
{
	size_t i;

	for (i = 0; i < a->n; i++)
		if (a->listeners[i].fd != -1)
			listener_close(&a->listeners[i]);
	if (a->resume != NULL)
		event_free(a->resume);
	free(a->listeners);
	*a = (struct acceptor){ 0 };
}
