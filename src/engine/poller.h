/* poller.h - the worker's own epoll set: endpoints and listeners.
 *
 * libevent hides EPOLLRDHUP and EPOLLERR, so sockets of channels live in a set
 * of their own (epoll(7)), which is one event of the worker's event base. While
 * there is traffic, the set is asked without going through libevent. */
#ifndef ENGINE_POLLER_H
#define ENGINE_POLLER_H

#include <stdbool.h>
#include <stdint.h>

struct event;
struct event_base;
struct endpoint;

/* Anything but an endpoint that waits in the set. */
struct poll_source {
	void (*ready)(struct poll_source *source, uint32_t events);
};

struct poller {
	int epfd;
	struct event *event;
	bool told; /* libevent has found something in it */
};

/* Makes the set and its event on base; -1 with errno. */
int poller_init(struct poller *p, struct event_base *base);
void poller_done(struct poller *p);
/* Waits so long at most, and tells who is ready; how many that were, or -1 with
 * errno. */
int poller_wait(struct poller *p, int wait_ms);
/* Registers an endpoint's socket once, edge-triggered, for everything; without
 * out, for all but that it can be written, which most of those that are
 * accepted always can.  -1 with errno. */
int poller_add_endpoint(struct poller *p, struct endpoint *ep, bool out);
/* From now on it is told as well when it can be written.  -1 with errno. */
int poller_watch_out(struct poller *p, struct endpoint *ep);
/* Registers a shared listener, level-triggered.  All workers that wait are
 * woken: as the set is nested in libevent's, EPOLLEXCLUSIVE spares nobody. */
int poller_add_listener(struct poller *p, int fd, struct poll_source *source);
int poller_remove(struct poller *p, int fd);

#endif
