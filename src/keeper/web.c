/* web.c - HTTP on the sockets of the API. */
#include <sys/resource.h>
#include <sys/socket.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/listener.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "conf/conf.h"
#include "heritage.h"
#include "keeper/conn.h"
#include "keeper/keeper.h"
#include "keeper/request.h"
#include "keeper/web.h"

#define TICK_MS	     500
#define TICK_FULL_MS 50
#define TICK_SOON_MS 5
#define GRACE_MS     250   /* that a silent one has when others wait */
#define PAUSE_MS     100   /* in which none is accepted, when none can be */
#define WORD_MS	     60000 /* between two lines that say so */

static const struct timeval idle = { WEB_IDLE_MS / 1000, 0 };
/* libevent tells of a failed accept without anything of ours. */
static struct web *web_accepts;

static void web_tick(evutil_socket_t fd, short what, void *arg);

/* The next tick comes after that time, if none comes before. */
static void
web_due(struct web *w, uint32_t ms)
{
	const struct timeval tv = { (time_t)(ms / 1000),
		(suseconds_t)(ms % 1000 * 1000) };
	uint64_t due_ms = clock_ms() + ms;

	if (w->due_ms <= due_ms && evtimer_pending(w->tick, NULL))
		return;
	if (evtimer_add(w->tick, &tv) == 0)
		w->due_ms = due_ms;
}

/* Turns accepting on or off, as it should be. */
static void
web_update(struct web *w)
{
	bool open = w->open && clock_ms() >= w->pause_ms;
	size_t i;

	w->local.full = w->nconns >= w->local.most;
	w->tcp.full = w->local.full || w->tcp.nconns >= w->tcp.most;
	if (w->tcp.full || open != w->open)
		web_due(w, TICK_FULL_MS);
	for (i = 0; i < w->nsockets; i++) {
		struct evconnlistener *l =
			evhttp_bound_socket_get_listener(w->sockets[i].bound);

		if (open && !w->sockets[i].side->full)
			(void)evconnlistener_enable(l);
		else
			(void)evconnlistener_disable(l);
	}
}

static void
web_forget(struct web *w, struct conn *c)
{
	TAILQ_REMOVE(&w->conns, c, link);
	w->nconns--;
	c->side->nconns--;
	conn_free(c);
}

/* Forgets who is gone. */
static void
web_sweep(struct web *w)
{
	struct conn *c, *next;

	for (c = TAILQ_FIRST(&w->conns); c != NULL; c = next) {
		next = TAILQ_NEXT(c, link);
		if (conn_is_over(c))
			web_forget(w, c);
	}
}

/* Ends those who waited for a request for too long, or who read too slowly. */
static void
web_hurry(struct web *w)
{
	struct conn *c;

	TAILQ_FOREACH(c, &w->conns, link)
	{
		if (c->sent_ms != 0 && clock_ms() >= c->sent_ms)
			conn_end(c);
		if (c->since_ms != 0 &&
			clock_ms() - c->since_ms >=
				(c->side->full || w->scant ? GRACE_MS
							   : WEB_IDLE_MS))
			conn_end(c);
	}
}

static void
web_tick(evutil_socket_t fd, short what, void *arg)
{
	struct web *w = arg;

	(void)fd;
	(void)what;
	clock_update();
	web_due(w, TICK_MS);
	web_sweep(w);
	web_hurry(w);
	w->scant = clock_ms() < w->pause_ms;
	web_update(w);
}

/* No descriptor is left, say: it would be tried for ever, and at once. */
static void
web_cannot_accept(struct evconnlistener *l, void *arg)
{
	int err = EVUTIL_SOCKET_ERROR();
	struct web *w = web_accepts;

	(void)l;
	(void)arg;
	clock_update();
	if (clock_ms() >= w->word_ms) {
		log_error("the API accepts nobody for %d ms, and again while "
			  "that lasts: %s (%zu connections)",
			PAUSE_MS, strerror(err), w->nconns);
		w->word_ms = clock_ms() + WORD_MS;
	}
	w->scant = true;
	w->pause_ms = clock_ms() + PAUSE_MS;
	web_update(w);
}

/* A connection comes: NULL would let evhttp go on without us. */
static struct bufferevent *
web_conn(struct event_base *base, void *arg)
{
	struct side *side = arg;
	struct web *w = side->web;
	struct bufferevent *bev =
		bufferevent_socket_new(base, -1, BEV_OPT_CLOSE_ON_FREE);
	struct conn *c;

	clock_update();
	c = bev == NULL ? NULL : conn_new(bev, side);
	if (c == NULL)
		return bev;
	/* The new one has no callbacks yet. */
	if (w->nconns + 1 >= w->local.most || side->nconns + 1 >= side->most)
		web_sweep(w);
	TAILQ_INSERT_TAIL(&w->conns, c, link);
	w->nconns++;
	side->nconns++;
	if (w->nconns >= w->local.most || side->nconns >= side->most)
		web_update(w);
	return bev;
}

static struct conn *
web_conn_of(struct web *w, struct evhttp_request *req)
{
	struct evhttp_connection *evcon = evhttp_request_get_connection(req);
	struct bufferevent *bev;
	struct conn *c;

	if (evcon == NULL)
		return NULL;
	bev = evhttp_connection_get_bufferevent(evcon);
	TAILQ_FOREACH(c, &w->conns, link)
	{
		if (c->bev == bev)
			return c;
	}
	return NULL;
}

void
web_answers(struct web *w, struct evhttp_request *req, size_t n)
{
	struct conn *c = web_conn_of(w, req);

	if (c == NULL)
		return;
	c->sent_ms = clock_ms() + WEB_READ_MS + n / WEB_READ_RATE;
	/* Its silence is none: libevent would count from the request on. */
	(void)bufferevent_set_timeouts(c->bev, NULL, &idle);
}

void
web_answered(struct web *w, struct evhttp_request *req)
{
	struct conn *c = web_conn_of(w, req);

	if (c != NULL) {
		c->since_ms = clock_ms();
		c->sent_ms = 0;
		(void)bufferevent_set_timeouts(c->bev, &idle, &idle);
	}
	/* It may be the last one of its connection. */
	web_due(w, TICK_SOON_MS);
}

static void
web_asked(struct evhttp_request *req, void *arg)
{
	struct side *side = arg;
	struct conn *c = web_conn_of(side->web, req);

	clock_update();
	if (c != NULL)
		c->since_ms = 0;
	request_begin(side->web, req);
}

static bool
socket_is_local(int fd)
{
	struct weir_addr a = { .len = sizeof(a.un) };

	return getsockname(fd, &a.sa, &a.len) == 0 && a.sa.sa_family == AF_UNIX;
}

static int
web_take_socket(struct web *w, int fd)
{
	struct web_socket *s = &w->sockets[w->nsockets];

	s->side = socket_is_local(fd) ? &w->local : &w->tcp;
	s->bound = evhttp_accept_socket_with_handle(s->side->http, fd);
	if (s->bound == NULL)
		return -1;
	evconnlistener_set_error_cb(
		evhttp_bound_socket_get_listener(s->bound), web_cannot_accept);
	w->nsockets++;
	return 0;
}

static int
side_init(struct side *side, struct web *w, size_t most)
{
	struct evhttp *http = evhttp_new(w->keeper->base);

	*side = (struct side){ .web = w, .http = http, .most = most };
	if (http == NULL)
		return -1;
	evhttp_set_max_headers_size(http, WEB_HEADERS);
	evhttp_set_max_body_size(http, WEB_BODY);
	evhttp_set_timeout(http, WEB_IDLE_MS / 1000);
	evhttp_set_default_content_type(http, "application/json");
	evhttp_set_allowed_methods(
		http, EVHTTP_REQ_GET | EVHTTP_REQ_POST | EVHTTP_REQ_HEAD |
			      EVHTTP_REQ_PUT | EVHTTP_REQ_DELETE |
			      EVHTTP_REQ_OPTIONS | EVHTTP_REQ_TRACE |
			      EVHTTP_REQ_CONNECT | EVHTTP_REQ_PATCH);
	evhttp_set_bevcb(http, web_conn, side);
	evhttp_set_gencb(http, web_asked, side);
	return 0;
}

/* Connections at a time: what is open now, links to workers, and a few files
 * need descriptors as well. */
static size_t
web_most(const struct heritage *h)
{
	struct rlimit files;
	size_t taken;

	if (getrlimit(RLIMIT_NOFILE, &files) == -1 ||
		files.rlim_cur == RLIM_INFINITY)
		return WEB_CONNECTIONS;
	taken = fd_count(SIZE_MAX) + 2 * (size_t)h->workers + WEB_SPARE_FILES;
	if (files.rlim_cur < taken + WEB_LEAST)
		return WEB_LEAST;
	return files.rlim_cur - taken < WEB_CONNECTIONS
		       ? (size_t)files.rlim_cur - taken
		       : WEB_CONNECTIONS;
}

int
web_init(struct web *w, struct weir_keeper *k)
{
	const struct heritage *h = k->heritage;
	size_t i, most;

	*w = (struct web){ .keeper = k };
	web_accepts = w;
	TAILQ_INIT(&w->conns);
	TAILQ_INIT(&w->requests);
	errno = ENOMEM;
	w->sockets = calloc(h->nlisteners + 1, sizeof(*w->sockets));
	w->tick = evtimer_new(k->base, web_tick, w);
	most = web_most(h);
	if (side_init(&w->tcp, w, most / 4 * 3) == -1 ||
		side_init(&w->local, w, most) == -1 || w->sockets == NULL ||
		w->tick == NULL || web_name_operators(w) == -1)
		return -1;
	for (i = 0; i < h->nlisteners; i++)
		if (h->listeners[i].server == CONF_API &&
			web_take_socket(w, h->listeners[i].fd) == -1)
			return -1;
	web_update(w);
	web_tick(-1, 0, w);
	return 0;
}

void
web_done(struct web *w)
{
	while (!TAILQ_EMPTY(&w->requests))
		request_drop(TAILQ_FIRST(&w->requests));
	if (w->tcp.http != NULL)
		evhttp_free(w->tcp.http);
	if (w->local.http != NULL)
		evhttp_free(w->local.http);
	while (!TAILQ_EMPTY(&w->conns))
		web_forget(w, TAILQ_FIRST(&w->conns));
	if (w->tick != NULL)
		event_free(w->tick);
	free(w->sockets);
	free(w->operators);
	*w = (struct web){ 0 };
}

void
web_open(struct web *w)
{
	w->open = true;
	web_update(w);
}

void
web_close(struct web *w)
{
	struct weir_request *r, *next;

	w->open = false;
	while (w->nsockets > 0) {
		const struct web_socket *s = &w->sockets[--w->nsockets];

		evhttp_del_accept_socket(s->side->http, s->bound);
	}
	for (r = TAILQ_FIRST(&w->requests); r != NULL; r = next) {
		next = TAILQ_NEXT(r, link);
		if (r->streams)
			request_stream_end(r);
	}
}

size_t
web_unread(const struct web *w)
{
	const struct conn *c;
	size_t n = 0;

	TAILQ_FOREACH(c, &w->conns, link)
	{
		if (!conn_is_over(c))
			n += evbuffer_get_length(
				bufferevent_get_output(c->bev));
	}
	return n;
}

bool
web_is_quiet(const struct web *w)
{
	return TAILQ_EMPTY(&w->requests) && web_unread(w) == 0;
}
