/* poller.c - the worker's own epoll set: endpoints and listeners, and
 * libevent. */
#include <sys/epoll.h>

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
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
#define SLEEP_MOST_MS	(24 * 60 * 60 * 1000)
#define MARK_MS		1000000000     /* longer than any timer counts here */
#define LOOK_AGAIN_MS	100	       /* when that failed */
#define TAG_SOURCE	((uintptr_t)1) /* pointers are aligned, so bit 0 is free */

static void
poller_others_ready(struct poll_source *source, uint32_t events)
{
	struct poller *p =
		(void *)((uint8_t *)source - offsetof(struct poller, others));

	(void)events;
	p->others_ready = true;
}

/* Notes when a timer is due, if that is before all others. */
static int
poller_look(const struct event_base *base, const struct event *e, void *arg)
{
	struct poller *p = arg;
	struct timeval due, behind;
	uint64_t ms = MARK_MS, early_ms;

	(void)base;
	if (e == p->mark || !event_pending(e, EV_TIMEOUT, &due))
		return 0;
	if (evutil_timercmp(&due, &p->marked, <)) {
		evutil_timersub(&p->marked, &due, &behind);
		early_ms = (uint64_t)behind.tv_sec * 1000 +
			   (uint64_t)behind.tv_usec / 1000;
		/* One that is due and was not run just now: libevent's clock
		 * is coarse (clock_gettime(2)), and has not got there yet. */
		ms = early_ms < MARK_MS ? MARK_MS - early_ms : 1;
	}
	if (clock_ms() + ms < p->next_ms)
		p->next_ms = clock_ms() + ms;
	return 0;
}

/* When the next timer is due, by libevent's own clock: event_pending(3) tells
 * times of the wall clock, as libevent has seen it some time ago, so they are
 * compared with that of a timer whose length is known. */
static void
poller_look_at_timers(struct poller *p)
{
	static const struct timeval mark = { .tv_sec = MARK_MS / 1000 };

	p->next_ms = clock_ms() + LOOK_AGAIN_MS;
	if (evtimer_add(p->mark, &mark) == -1 ||
		!event_pending(p->mark, EV_TIMEOUT, &p->marked))
		return;
	p->next_ms = UINT64_MAX;
	event_base_foreach_event(p->base, poller_look, p);
}

static void
poller_run_others(struct poller *p)
{
	p->others_ready = false;
	if (event_base_loop(p->base, EVLOOP_ONCE | EVLOOP_NONBLOCK) == -1)
		log_error("the event loop failed: %s", strerror(errno));
	clock_update();
	poller_look_at_timers(p);
}

/* How long to sleep at most, for epoll_wait(2). */
static int
poller_sleep_ms(const struct poller *p)
{
	uint64_t ms;

	if (p->next_ms == UINT64_MAX)
		return -1;
	ms = p->next_ms > clock_ms() ? p->next_ms - clock_ms() : 0;
	return ms > SLEEP_MOST_MS ? SLEEP_MOST_MS : (int)ms;
}

void
poller_wait(struct poller *p, bool may_sleep)
{
	struct epoll_event events[EVENTS_PER_WAIT];
	int i, n;

	n = epoll_wait(p->epfd, events, EVENTS_PER_WAIT,
		may_sleep ? poller_sleep_ms(p) : 0);
	if (n == -1 && errno != EINTR)
		log_error("epoll_wait failed: %s", strerror(errno));
	clock_update();
	for (i = 0; i < n; i++) {
		uintptr_t item = (uintptr_t)events[i].data.ptr;

		p->left = events + i + 1;
		p->nleft = n - i - 1;
		if (item & TAG_SOURCE) {
			struct poll_source *source =
				(void *)(item - TAG_SOURCE);

			source->ready(source, events[i].events);
		} else if (item != 0) {
			channel_ready(events[i].data.ptr, events[i].events);
		}
	}
	p->nleft = 0;
	if (p->others_ready || p->next_ms <= clock_ms())
		poller_run_others(p);
}

int
poller_timer(struct poller *p, struct event *timer, uint64_t ms)
{
	struct timeval tv = { .tv_sec = (time_t)(ms / 1000),
		.tv_usec = (suseconds_t)(ms % 1000 * 1000) };

	if (evtimer_add(timer, &tv) == -1) {
		errno = ENOMEM;
		return -1;
	}
	if (clock_ms() + ms < p->next_ms)
		p->next_ms = clock_ms() + ms;
	return 0;
}

static void
poller_marked(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
}

/* libevent does not tell the descriptor of its set: it is the first that was
 * free (open(2)), and it takes others in. */
static int
poller_make_base(struct poller *p)
{
	int fd = fcntl(p->epfd, F_DUPFD_CLOEXEC, 0);
	struct event_config *config = event_config_new();

	if (fd != -1)
		close(fd);
	if (fd == -1 || config == NULL ||
		event_config_set_flag(config,
			EVENT_BASE_FLAG_IGNORE_ENV | EVENT_BASE_FLAG_NOLOCK) ==
			-1 ||
		(p->base = event_base_new_with_config(config)) == NULL) {
		if (config != NULL)
			event_config_free(config);
		errno = fd == -1 ? errno : ENOMEM;
		return -1;
	}
	event_config_free(config);
	if (poller_add_source(&(struct poller){ .epfd = fd }, p->epfd, NULL) ==
			-1 ||
		poller_remove(&(struct poller){ .epfd = fd }, p->epfd) == -1) {
		log_error("libevent %s has no epoll set where it is expected",
			event_get_version());
		errno = ENOTSUP;
		return -1;
	}
	p->mark = evtimer_new(p->base, poller_marked, NULL);
	if (p->mark == NULL) {
		errno = ENOMEM;
		return -1;
	}
	return poller_add_source(p, fd, &p->others);
}

int
poller_init(struct poller *p)
{
	int err;

	*p = (struct poller){ .next_ms = 0, /* not known yet */
		.others.ready = poller_others_ready };
	p->epfd = epoll_create1(EPOLL_CLOEXEC);
	if (p->epfd == -1)
		return -1;
	if (poller_make_base(p) == 0)
		return 0;
	err = errno;
	poller_done(p);
	errno = err;
	return -1;
}

void
poller_done(struct poller *p)
{
	if (p->mark != NULL)
		event_free(p->mark);
	if (p->base != NULL)
		event_base_free(p->base);
	if (p->epfd != -1)
		close(p->epfd);
	p->base = NULL;
	p->mark = NULL;
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
poller_add_source(struct poller *p, int fd, struct poll_source *source)
{
	struct epoll_event e = { .events = EPOLLIN,
		.data.ptr = (void *)((uintptr_t)source + TAG_SOURCE) };

	return epoll_ctl(p->epfd, EPOLL_CTL_ADD, fd, &e);
}

void
poller_forget(struct poller *p, const struct endpoint *ep)
{
	int i;

	for (i = 0; i < p->nleft; i++)
		if (p->left[i].data.ptr == ep)
			p->left[i].data.ptr = NULL;
}

int
poller_remove(struct poller *p, int fd)
{
	return epoll_ctl(p->epfd, EPOLL_CTL_DEL, fd, NULL);
}
