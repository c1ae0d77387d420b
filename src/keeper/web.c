/* web.c - HTTP on the sockets of the API. */
#include <sys/socket.h>

#include <bsd/string.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/listener.h>

#include "base/clock.h"
#include "base/log.h"
#include "conf/conf.h"
#include "heritage.h"
#include "keeper/keeper.h"
#include "keeper/request.h"
#include "keeper/web.h"

#define TICK_MS	     500
#define TICK_FULL_MS 50
#define TICK_SOON_MS 5
#define GRACE_MS     250 /* that a silent one has when others wait */

/* A connection, from its first to its last moment: of evhttp, which does not
 * tell when that is. */
struct conn {
	TAILQ_ENTRY(conn) link;
	struct web *web;
	/* A reference: its socket stays open until we let it go, and so its
	 * number is nobody else's while libevent has events of it. */
	struct bufferevent *bev;
	struct evbuffer_cb_entry *watch;
	uint64_t since_ms; /* a whole request is waited for; 0: it is here */
	bool mends;	   /* an answer of evhttp is made one of ours */
};

static void web_tick(evutil_socket_t fd, short what, void *arg);

/* Has evhttp freed it? */
static bool
conn_is_over(const struct conn *c)
{
	bufferevent_data_cb reads, writes;
	bufferevent_event_cb other;
	void *arg;

	bufferevent_getcb(c->bev, &reads, &writes, &other, &arg);
	return reads == NULL && writes == NULL && other == NULL;
}

static void
conn_forget(struct conn *c)
{
	struct evbuffer *out = bufferevent_get_output(c->bev);

	TAILQ_REMOVE(&c->web->conns, c, link);
	c->web->nconns--;
	(void)evbuffer_remove_cb_entry(out, c->watch);
	bufferevent_decref(c->bev);
	free(c);
}

/* evhttp answers what is no request, or too long, with a page of its own: it
 * becomes an answer like all others. */
static void
conn_mend(struct conn *c, struct evbuffer *out)
{
	static const char tail[] = "</BODY></HTML>\n", line[] = "HTTP/1.";
	size_t len = evbuffer_get_length(out);
	char start[16] = "", end[sizeof(tail)] = "";
	struct evbuffer_ptr at;
	struct evbuffer *body;
	int status;

	if (len < sizeof(tail) + sizeof(start) ||
		evbuffer_ptr_set(out, &at, len - (sizeof(tail) - 1),
			EVBUFFER_PTR_SET) == -1 ||
		evbuffer_copyout_from(out, &at, end, sizeof(tail) - 1) == -1 ||
		evbuffer_copyout(out, start, sizeof(start) - 1) == -1 ||
		strcmp(end, tail) != 0 ||
		strncmp(start, line, sizeof(line) - 1) != 0)
		return;
	status = (int)strtol(start + 9, NULL, 10);
	body = request_error_body(
		status == 413 ? "the body of a request may have 1 MB at most"
		: status == 501
			? "no such method is known here: GET, POST, PUT and "
			  "DELETE are"
			: "this is no HTTP request that weir understands, or "
			  "its line and headers have more than 16 kB");
	if (body == NULL)
		return;
	c->mends = true;
	(void)evbuffer_unfreeze(out, 1);
	(void)evbuffer_drain(out, len);
	(void)evbuffer_freeze(out, 1);
	(void)evbuffer_add_printf(out,
		"HTTP/1.1 %d %s\r\nContent-Type: application/json\r\n"
		"Content-Length: %zu\r\nConnection: close\r\n\r\n",
		status,
		status == 413	? "Request Entity Too Large"
		: status == 501 ? "Not Implemented"
				: "Bad Request",
		evbuffer_get_length(body));
	(void)evbuffer_add_buffer(out, body);
	evbuffer_free(body);
	c->mends = false;
}

static void
conn_writes(
	struct evbuffer *out, const struct evbuffer_cb_info *info, void *arg)
{
	struct conn *c = arg;

	if (info->n_added > 0 && c->since_ms != 0 && !c->mends)
		conn_mend(c, out);
}

/* Closes it as if its other side had. */
static void
conn_end(struct conn *c)
{
	int fd = bufferevent_getfd(c->bev);

	if (fd != -1)
		(void)shutdown(fd, SHUT_RDWR);
}

/* Turns accepting on or off, as it should be. */
static void
web_update(struct web *w)
{
	const struct timeval soon = { 0, TICK_FULL_MS * 1000 };
	bool full = w->nconns >= WEB_CONNECTIONS;
	size_t i;

	if (full)
		(void)evtimer_add(w->tick, &soon);
	for (i = 0; i < w->nsockets; i++) {
		struct evconnlistener *l =
			evhttp_bound_socket_get_listener(w->sockets[i]);

		if (w->open && !full)
			(void)evconnlistener_enable(l);
		else
			(void)evconnlistener_disable(l);
	}
	w->full = full;
}

/* Forgets who is gone, and ends those who waited for a request for so long. */
static void
web_sweep(struct web *w, uint64_t most_ms)
{
	struct conn *c, *next;

	for (c = TAILQ_FIRST(&w->conns); c != NULL; c = next) {
		next = TAILQ_NEXT(c, link);
		if (conn_is_over(c))
			conn_forget(c);
		else if (c->since_ms != 0 &&
			 clock_ms() - c->since_ms >= most_ms)
			conn_end(c);
	}
}

static void
web_tick(evutil_socket_t fd, short what, void *arg)
{
	const struct timeval tv = { 0, TICK_MS * 1000 };
	struct web *w = arg;

	(void)fd;
	(void)what;
	clock_update();
	(void)evtimer_add(w->tick, &tv);
	web_sweep(w, w->full ? GRACE_MS : WEB_IDLE_MS);
	web_update(w);
}

/* A connection comes: NULL would let evhttp go on without us. */
static struct bufferevent *
web_conn(struct event_base *base, void *arg)
{
	struct web *w = arg;
	struct conn *c = calloc(1, sizeof(*c));
	struct bufferevent *bev =
		bufferevent_socket_new(base, -1, BEV_OPT_CLOSE_ON_FREE);

	clock_update();
	if (c == NULL || bev == NULL) {
		free(c);
		return bev;
	}
	c->web = w;
	c->bev = bev;
	bufferevent_incref(bev);
	c->since_ms = clock_ms() == 0 ? 1 : clock_ms();
	c->watch = evbuffer_add_cb(bufferevent_get_output(bev), conn_writes, c);
	/* The new one has no callbacks yet. */
	if (w->nconns + 1 >= WEB_CONNECTIONS)
		web_sweep(w, UINT64_MAX);
	TAILQ_INSERT_TAIL(&w->conns, c, link);
	w->nconns++;
	if (w->nconns >= WEB_CONNECTIONS)
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
web_answered(struct web *w, struct evhttp_request *req)
{
	static const struct timeval soon = { 0, TICK_SOON_MS * 1000 };
	struct conn *c = web_conn_of(w, req);

	if (c != NULL)
		c->since_ms = clock_ms();
	/* It may be the last one of its connection. */
	(void)evtimer_add(w->tick, &soon);
}

static void
web_asked(struct evhttp_request *req, void *arg)
{
	struct web *w = arg;
	struct conn *c = web_conn_of(w, req);

	clock_update();
	if (c != NULL)
		c->since_ms = 0;
	request_begin(w, req);
}

static int
web_take_socket(struct web *w, int fd)
{
	struct evhttp_bound_socket *s;

	s = evhttp_accept_socket_with_handle(w->http, fd);
	if (s == NULL)
		return -1;
	w->sockets[w->nsockets++] = s;
	return 0;
}

int
web_init(struct web *w, struct weir_keeper *k)
{
	const struct heritage *h = k->heritage;
	size_t i;

	*w = (struct web){ .keeper = k };
	TAILQ_INIT(&w->conns);
	TAILQ_INIT(&w->requests);
	errno = ENOMEM;
	w->http = evhttp_new(k->base);
	w->sockets = calloc(h->nlisteners + 1, sizeof(struct evhttp *));
	w->tick = evtimer_new(k->base, web_tick, w);
	if (w->http == NULL || w->sockets == NULL || w->tick == NULL)
		return -1;
	evhttp_set_max_headers_size(w->http, WEB_HEADERS);
	evhttp_set_max_body_size(w->http, WEB_BODY);
	evhttp_set_timeout(w->http, WEB_IDLE_MS / 1000);
	evhttp_set_default_content_type(w->http, "application/json");
	evhttp_set_allowed_methods(
		w->http, EVHTTP_REQ_GET | EVHTTP_REQ_POST | EVHTTP_REQ_HEAD |
				 EVHTTP_REQ_PUT | EVHTTP_REQ_DELETE |
				 EVHTTP_REQ_OPTIONS | EVHTTP_REQ_TRACE |
				 EVHTTP_REQ_CONNECT | EVHTTP_REQ_PATCH);
	evhttp_set_bevcb(w->http, web_conn, w);
	evhttp_set_gencb(w->http, web_asked, w);
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
	if (w->http != NULL)
		evhttp_free(w->http);
	while (!TAILQ_EMPTY(&w->conns))
		conn_forget(TAILQ_FIRST(&w->conns));
	if (w->tick != NULL)
		event_free(w->tick);
	free(w->sockets);
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
	while (w->nsockets > 0)
		evhttp_del_accept_socket(w->http, w->sockets[--w->nsockets]);
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
