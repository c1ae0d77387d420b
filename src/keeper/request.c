/* request.c - one HTTP request, until it is answered. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>

#include "base/clock.h"
#include "conf/conf.h"
#include "heritage.h"
#include "keeper/keeper.h"
#include "keeper/page.h"
#include "keeper/request.h"
#include "keeper/route.h"

#define TYPE_JSON     "application/json"
#define REQUEST_SHORT 65536 /* bytes of an answer that may always be made */

static void
request_free(struct weir_request *r)
{
	unsigned i;

	TAILQ_REMOVE(&r->keeper->web.requests, r, link);
	if (r->end != NULL)
		r->end(r);
	free(r->job);
	if (r->deadline != NULL)
		event_free(r->deadline);
	if (r->hang_up != NULL)
		event_free(r->hang_up);
	for (i = 0; i < REQUEST_PARTS; i++)
		free(r->parts[i].p);
	evhttp_clear_headers(&r->query);
	free(r);
}

/* The whole answer is sent. */
static void
request_sent(struct evhttp_request *req, void *arg)
{
	clock_update();
	web_answered(arg, req);
}

/* Answers, though r may be there still. */
static void
request_reply(struct weir_request *r, int status, const char *type,
	struct evbuffer *body)
{
	struct evhttp_request *req = r->req;
	struct evkeyvalq *headers;

	r->req = NULL;
	if (req == NULL)
		return;
	headers = evhttp_request_get_output_headers(req);
	(void)evhttp_add_header(headers, "Content-Type", type);
	(void)evhttp_add_header(headers, "Cache-Control", "no-store");
	(void)evhttp_add_header(headers, "X-Content-Type-Options", "nosniff");
	if (evhttp_request_get_connection(req) != NULL)
		evhttp_request_set_on_complete_cb(
			req, request_sent, &r->keeper->web);
	web_answers(&r->keeper->web, req,
		body == NULL ? 0 : evbuffer_get_length(body));
	evhttp_send_reply(req, status, NULL, body);
}

struct evbuffer *
request_error_body(const char *text)
{
	struct evbuffer *body = evbuffer_new();
	json_t *json =
		json_pack("{s:o}", "error", text_json(text, strlen(text)));
	char *line = json == NULL ? NULL : json_dumps(json, JSON_COMPACT);

	if (body != NULL && line != NULL)
		(void)evbuffer_add_printf(body, "%s\n", line);
	free(line);
	json_decref(json);
	return body;
}

/* Is there memory for a body, beside those that clients do not read? */
static bool
request_has_room(const struct weir_request *r, const struct evbuffer *body)
{
	size_t n = body == NULL ? 0 : evbuffer_get_length(body), unread;

	if (n <= REQUEST_SHORT)
		return true;
	unread = web_unread(&r->keeper->web);
	return unread == 0 ||
	       unread + n <= (r->unix_peer ? WEB_UNREAD : WEB_UNREAD / 4 * 3);
}

void
request_send(struct weir_request *r, int status, const char *type,
	struct evbuffer *body)
{
	if (!request_has_room(r, body)) {
		request_failed(r, ENOBUFS);
		return;
	}
	request_reply(r, status, type, body);
	request_free(r);
}

void
request_refuse(struct weir_request *r, int status, const char *fmt, ...)
{
	struct evbuffer *body;
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	body = request_error_body(text);
	request_send(r, status, TYPE_JSON, body);
	if (body != NULL)
		evbuffer_free(body);
}

void
request_failed(struct weir_request *r, int err)
{
	if (err == EBUSY)
		request_refuse(r, 503,
			"too many questions are being answered; try again");
	else if (err == ENOBUFS)
		request_refuse(r, 503,
			"too many long answers are being made, or are not read "
			"by their clients; try again");
	else
		request_refuse(r, 503, "%s", strerror(err));
}

void
request_answer(struct weir_request *r, int status, json_t *body)
{
	char *text = body == NULL ? NULL : json_dumps(body, JSON_COMPACT);
	struct evbuffer *buf = evbuffer_new();

	json_decref(body);
	if (text == NULL || buf == NULL) {
		request_refuse(r, 500, "%s", strerror(ENOMEM));
	} else {
		(void)evbuffer_add_printf(buf, "%s\n", text);
		request_send(r, status, TYPE_JSON, buf);
	}
	free(text);
	if (buf != NULL)
		evbuffer_free(buf);
}

bool
request_list_add(struct evbuffer *list, json_t *json, bool first)
{
	char *text = json == NULL ? NULL : json_dumps(json, JSON_COMPACT);
	bool fine = text != NULL && evbuffer_add_printf(list, "%s%s",
					    first ? "" : ",\n", text) != -1;

	free(text);
	json_decref(json);
	return fine;
}

void
request_drop(struct weir_request *r)
{
	if (r->streams)
		request_stream_end(r);
	else
		request_refuse(r, 503, "weir stops, or reloads: try again");
}

/* Whoever ought to answer has not: the request stays his. */
static void
request_is_late(evutil_socket_t fd, short what, void *arg)
{
	struct weir_request *r = arg;
	struct evbuffer *body;

	(void)fd;
	(void)what;
	clock_update();
	body = request_error_body("this takes too long; it may be done still");
	request_reply(r, 504, TYPE_JSON, body);
	if (body != NULL)
		evbuffer_free(body);
}

void *
request_job(struct weir_request *r, size_t size,
	void (*end)(struct weir_request *r))
{
	r->job = calloc(1, size);
	r->end = end;
	if (r->job == NULL) {
		r->end = NULL;
		request_refuse(r, 500, "%s", strerror(ENOMEM));
		return NULL;
	}
	return r->job;
}

/* ---- streams ------------------------------------------------------------- */

static void
request_hung_up(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	clock_update();
	request_stream_end(arg);
}

/* evhttp has found that he is gone; it frees the connection. */
static void
request_closed(struct evhttp_connection *evcon, void *arg)
{
	(void)evcon;
	clock_update();
	request_stream_end(arg);
}

void
request_stream(struct weir_request *r, const char *type)
{
	struct evhttp_connection *evcon = evhttp_request_get_connection(r->req);
	struct evkeyvalq *headers = evhttp_request_get_output_headers(r->req);
	struct bufferevent *bev = evhttp_connection_get_bufferevent(evcon);
	const struct timeval patience = { 60, 0 };

	(void)evhttp_add_header(headers, "Content-Type", type);
	(void)evhttp_add_header(headers, "Cache-Control", "no-store");
	(void)evhttp_add_header(headers, "X-Accel-Buffering", "no");
	(void)evhttp_add_header(headers, "Connection", "close");
	evtimer_del(r->deadline);
	/* While evhttp writes it does not read, and so sees no end. */
	r->hang_up = event_new(r->keeper->base, bufferevent_getfd(bev),
		EV_CLOSED, request_hung_up, r);
	if (r->hang_up != NULL)
		(void)event_add(r->hang_up, NULL);
	(void)bufferevent_set_timeouts(bev, NULL, &patience);
	evhttp_connection_set_closecb(evcon, request_closed, r);
	r->streams = true;
	evhttp_send_reply_start(r->req, 200, NULL);
}

bool
request_line(struct weir_request *r, const json_t *line)
{
	struct evhttp_connection *evcon = evhttp_request_get_connection(r->req);
	struct bufferevent *bev = evhttp_connection_get_bufferevent(evcon);
	char *text = NULL;
	struct evbuffer *buf;

	if (evbuffer_get_length(bufferevent_get_output(bev)) >
		REQUEST_STREAM_MOST)
		return false;
	text = json_dumps(line, JSON_COMPACT);
	buf = evbuffer_new();
	if (text != NULL && buf != NULL) {
		(void)evbuffer_add_printf(buf, "%s\n", text);
		evhttp_send_reply_chunk(r->req, buf);
	}
	free(text);
	if (buf != NULL)
		evbuffer_free(buf);
	return true;
}

void
request_stream_end(struct weir_request *r)
{
	struct evhttp_request *req = r->req;
	struct evhttp_connection *evcon = evhttp_request_get_connection(req);

	r->req = NULL;
	if (evcon != NULL) {
		evhttp_connection_set_closecb(evcon, NULL, NULL);
		evhttp_request_set_on_complete_cb(
			req, request_sent, &r->keeper->web);
		web_answers(&r->keeper->web, req, REQUEST_STREAM_MOST);
	}
	evhttp_send_reply_end(req);
	request_free(r);
}

/* evhttp lets more pass when it comes in several pieces. */
static bool
request_is_long(struct evhttp_request *req)
{
	const struct evkeyvalq *headers = evhttp_request_get_input_headers(req);
	size_t n = strlen(evhttp_request_get_uri(req));
	const struct evkeyval *kv;

	TAILQ_FOREACH(kv, headers, next)
	{
		n += strlen(kv->key) + strlen(kv->value) + 4;
	}
	return n > WEB_HEADERS;
}

void
request_begin(struct web *w, struct evhttp_request *req)
{
	const struct timeval tv = { WEB_REQUEST_MS / 1000, 0 };
	const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(req);
	const char *path = uri == NULL ? NULL : evhttp_uri_get_path(uri);
	const char *query = uri == NULL ? NULL : evhttp_uri_get_query(uri);
	struct weir_request *r = calloc(1, sizeof(*r));

	if (r == NULL) {
		evhttp_send_reply(req, 500, NULL, NULL);
		return;
	}
	r->keeper = w->keeper;
	r->req = req;
	TAILQ_INIT(&r->query);
	TAILQ_INSERT_TAIL(&w->requests, r, link);
	r->level = web_level(w, req, &r->unix_peer, r->who, sizeof(r->who));
	r->deadline = evtimer_new(w->keeper->base, request_is_late, r);
	if (r->deadline == NULL || evtimer_add(r->deadline, &tv) == -1)
		request_refuse(r, 500, "%s", strerror(ENOMEM));
	else if (request_is_long(req))
		request_refuse(r, 400,
			"line and headers of a request may have %d bytes at "
			"most",
			WEB_HEADERS);
	else if (path == NULL || *path != '/')
		request_refuse(r, 400, "a path that begins with / is wanted");
	else if (query != NULL &&
		 evhttp_parse_query_str(query, &r->query) == -1)
		request_refuse(r, 400,
			"what follows the question mark wants NAME=VALUE, "
			"with & between");
	else
		request_dispatch(r, path);
}

struct weir_bytes
weir_request_body(struct weir_request *r)
{
	struct evbuffer *in =
		r->req == NULL ? NULL : evhttp_request_get_input_buffer(r->req);
	size_t n = in == NULL ? 0 : evbuffer_get_length(in);
	const uint8_t *p = n == 0 ? NULL : evbuffer_pullup(in, -1);

	if (p == NULL)
		return (struct weir_bytes){ (const uint8_t *)"", 0, true };
	return (struct weir_bytes){ p, n, true };
}

void
weir_reply_header(struct weir_request *r, const char *name, const char *value)
{
	if (r->req != NULL)
		(void)evhttp_add_header(
			evhttp_request_get_output_headers(r->req), name, value);
}

void
weir_reply(struct weir_request *r, int status, const char *type, const void *p,
	size_t n)
{
	struct evbuffer *body = evbuffer_new();

	if (body != NULL && n > 0)
		(void)evbuffer_add(body, p, n);
	request_send(r, status, type, body);
	if (body != NULL)
		evbuffer_free(body);
}
