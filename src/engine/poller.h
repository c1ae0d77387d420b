/* poller.h - the worker's own epoll set: endpoints and listeners, and libevent.
 *
 * libevent hides EPOLLRDHUP and EPOLLERR, so sockets of channels live in a set
 * of their own (epoll(7)).  The set of the worker's event base is in it: who
 * waits here waits for both, and libevent runs only when it has something. */
#ifndef ENGINE_POLLER_H
#define ENGINE_POLLER_H

#include <sys/time.h>

#include <stdbool.h>
#include <stdint.h>

struct event;
struct epoll_event;
struct event_base;
struct endpoint;

/* Anything but an endpoint that waits in the set. */
struct poll_source {
	void (*ready)(struct poll_source *source, uint32_t events);
};

struct poller {
	int epfd;
	struct event_base *base;
	struct poll_source others; /* the base's set */
	bool others_ready;
	uint64_t next_ms; /* of the first timer of the base; UINT64_MAX: none */
	struct event *mark;	  /* a timer of the base that tells its time */
	struct timeval marked;	  /* when that is due */
	struct epoll_event *left; /* events that are still to be told */
	int nleft;
};

/* Makes the set and an event base in it; -1 with errno. */
int poller_init(struct poller *p);
void poller_done(struct poller *p);
/* Waits, if it may, tells who is ready, and runs libevent if that has anything
 * to do. */
void poller_wait(struct poller *p, bool may_sleep);
/* Makes a timer of the base (evtimer_new()) due in so many ms.  Only libevent's
 * own callbacks may do that otherwise.  -1 with ENOMEM. */
int poller_timer(struct poller *p, struct event *timer, uint64_t ms);
/* Registers an endpoint's socket once, edge-triggered, for everything; without
 * out, for all but that it can be written, which most of those that are
 * accepted always can.  -1 with errno. */
int poller_add_endpoint(struct poller *p, struct endpoint *ep, bool out);
/* From now on it is told as well when it can be written.  -1 with errno. */
int poller_watch_out(struct poller *p, struct endpoint *ep);
/* Registers a descriptor, level-triggered; -1 with errno.  All processes that
 * wait for it are woken: with EPOLLEXCLUSIVE (epoll_ctl(2)) one would be, and a
 * worker that does not accept after all would keep that to itself. */
int poller_add_source(struct poller *p, int fd, struct poll_source *source);
/* Events of it that are still to be told were those of a socket that is closed
 * now. */
void poller_forget(struct poller *p, const struct endpoint *ep);
int poller_remove(struct poller *p, int fd);

#endif
