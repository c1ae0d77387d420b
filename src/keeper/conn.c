/* conn.c - one connection of the API. */
#include <sys/socket.h>

#include <stdlib.h>
#include <string.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>

#include "base/clock.h"
#include "keeper/conn.h"
#include "keeper/request.h"

static void conn_writes(
	struct evbuffer *out, const struct evbuffer_cb_info *info, void *arg);

struct conn *
conn_new(struct bufferevent *bev, struct side *side)
{
	struct conn *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return NULL;
	c->side = side;
	c->bev = bev;
	bufferevent_incref(bev);
	c->since_ms = clock_ms() == 0 ? 1 : clock_ms();
	c->watch = evbuffer_add_cb(bufferevent_get_output(bev), conn_writes, c);
	return c;
}

void
conn_free(struct conn *c)
{
	(void)evbuffer_remove_cb_entry(
		bufferevent_get_output(c->bev), c->watch);
	bufferevent_decref(c->bev);
	free(c);
}

bool
conn_is_over(const struct conn *c)
{
	bufferevent_data_cb reads, writes;
	bufferevent_event_cb other;
	void *arg;

	bufferevent_getcb(c->bev, &reads, &writes, &other, &arg);
	return reads == NULL && writes == NULL && other == NULL;
}

void
conn_end(struct conn *c)
{
	int fd = bufferevent_getfd(c->bev);

	if (fd != -1)
		(void)shutdown(fd, SHUT_RDWR);
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
