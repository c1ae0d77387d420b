/* poller.c - the worker's own epoll set: endpoints and listeners. */
#include <sys/epoll.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/log.h"
#include "engine/channel.h"
#include "engine/endpoint.h"
#include "engine/poller.h"

#define EVENTS_PER_WAIT 256
#define EVENTS		(EPOLLIN | EPOLLPRI | EPOLLRDHUP | EPOLLET)
#define TAG_SOURCE	((uintptr_t)1) /* pointers are aligned, so bit 0 is free */

int
poller_wait(struct poller *p, int wait_ms)
{
	struct epoll_event events[EVENTS_PER_WAIT];
	int i, n;

	n = epoll_wait(p->epfd, events, EVENTS_PER_WAIT, wait_ms);
	if (n == -1 && errno != EINTR)
		log_error("epoll_wait failed: %s", strerror(errno));
	clock_update();
	for (i = 0; i < n; i++) {
		uintptr_t item = (uintptr_t)events[i].data.ptr;

		if (item & TAG_SOURCE) {
			struct poll_source *source =
				(void *)(item - TAG_SOURCE);

			source->ready(source, events[i].events);
		} else {
			channel_ready(events[i].data.ptr, events[i].events);
		}
	}
	return n;
}

static void
poller_dispatch(evutil_socket_t fd, short what, void *arg)
{
	struct poller *p = arg;

	(void)fd;
	(void)what;
	p->told = poller_wait(p, 0) > 0;
}

int
poller_init(struct poller *p, struct event_base *base)
{
	p->event = NULL;
	p->told = false;
	p->epfd = epoll_create1(EPOLL_CLOEXEC);
	if (p->epfd == -1)
		return -1;
	p->event = event_new(
		base, p->epfd, EV_READ | EV_PERSIST, poller_dispatch, p);
	if (p->event == NULL || event_add(p->event, NULL) == -1) {
		poller_done(p);
		errno = ENOMEM;
		return -1;
	}
	return 0;
}

void
poller_done(struct poller *p)
{
	if (p->event != NULL)
		event_free(p->event);
	if (p->epfd != -1)
		close(p->epfd);
	p->event = NULL;
	p->epfd = -1;
}

static int
poller_set(struct poller *p, int how, struct endpoint *ep, uint32_t events)
{
	struct epoll_event e = { .events = events, .data.ptr = ep };

	return epoll_ctl(p->epfd, how, ep->fd, &e);
}

int
poller_add_endpoint(struct poller *p, struct endpoint *ep, bool out)
{
	if (!out)
		return poller_set(p, EPOLL_CTL_ADD, ep, EVENTS);
	ep->mask |= ENDPOINT_OUT_WATCHED;
	return poller_set(p, EPOLL_CTL_ADD, ep, EVENTS | EPOLLOUT);
}

int
poller_watch_out(struct poller *p, struct endpoint *ep)
{
	if (ep->mask & ENDPOINT_OUT_WATCHED)
		return 0;
	ep->mask |= ENDPOINT_OUT_WATCHED;
	return poller_set(p, EPOLL_CTL_MOD, ep, EVENTS | EPOLLOUT);
}

int
poller_add_listener(struct poller *p, int fd, struct poll_source *source)
{
	struct epoll_event e = { .events = EPOLLIN,
		.data.ptr = (void *)((uintptr_t)source + TAG_SOURCE) };

	return epoll_ctl(p->epfd, EPOLL_CTL_ADD, fd, &e);
}

int
poller_remove(struct poller *p, int fd)
{
	return epoll_ctl(p->epfd, EPOLL_CTL_DEL, fd, NULL);
}
