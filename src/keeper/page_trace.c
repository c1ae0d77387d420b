/* page_trace.c - what channels do, while they do it. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "keeper/keeper.h"
#include "keeper/page.h"
#include "keeper/route.h"

#define TRACES_MOST 16 /* at a time */
#define TRACES_TCP  12 /* for one more over TCP to begin */
#define ID_TEXT	    48

struct tracing {
	struct weir_request *r;
	struct ask *ask;
	char id[ID_TEXT]; /* of the one channel, or "" */
	uint64_t lost;	  /* events that the client was too slow for */
	bool begun;
};

static const char *const sides[] = { "frontend", "backend" };

/* Two digits a byte. */
static json_t *
data_json(const uint8_t *p, size_t n)
{
	char text[2 * LINK_TRACE_MOST + 1] = "";
	size_t i;

	for (i = 0; i < n && i < LINK_TRACE_MOST; i++)
		snprintf(text + 2 * i, 3, "%02x", p[i]);
	return json_string(text);
}

static json_t *
event_json(const struct owed *from, const struct link_event *e)
{
	char id[ID_TEXT];
	json_t *json;

	snprintf(id, sizeof(id), "%u.%u.%" PRIu64, from->generation, from->slot,
		e->id);
	json = json_pack("{s:s,s:I,s:o}", "id", id, "age_ms",
		(json_int_t)e->age_ms, "event",
		text_json(e->what, strnlen(e->what, sizeof(e->what))));
	if (e->side < 2)
		(void)json_object_set_new(
			json, "side", json_string(sides[e->side]));
	if (e->n > 0)
		(void)json_object_set_new(
			json, "bytes", json_integer((json_int_t)e->n));
	if (e->err != 0)
		(void)json_object_set_new(
			json, "error", json_string(strerror(e->err)));
	if (e->len > 0)
		(void)json_object_set_new(
			json, "data", data_json(e->data, e->len));
	return json;
}

/* Adds a line, and first how many could not be added. */
static void
tracing_line(struct tracing *t, json_t *line)
{
	json_t *lost;

	if (t->lost > 0 && line != NULL) {
		lost = json_pack("{s:I}", "lost", (json_int_t)t->lost);
		if (request_line(t->r, lost))
			t->lost = 0;
		json_decref(lost);
	}
	if (t->lost > 0 || (line != NULL && !request_line(t->r, line)))
		t->lost++;
	json_decref(line);
}

/* Of one channel, as soon as it is known that there is one. */
static void
tracing_starts(struct tracing *t)
{
	if (t->begun)
		return;
	t->begun = true;
	request_stream(t->r, "application/x-ndjson");
}

static bool
tracing_told(struct ask *a, const struct owed *from, const struct link_head *p,
	size_t n)
{
	struct tracing *t = a->arg;
	const struct link_events *es = (const void *)p;
	size_t at = sizeof(*es);
	uint32_t i;

	/* Its worker hung for so long that it was answered with that. */
	if (t->r->req == NULL)
		return true;
	if (link_fits(p, n, LINK_DONE)) {
		/* That channel has ended, or has never been. */
		if (((const struct link_done *)p)->err == 0)
			tracing_starts(t);
		return true;
	}
	if (!link_fits(p, n, LINK_TRACE))
		return false;
	tracing_starts(t);
	t->lost += es->lost;
	for (i = 0; i < es->n; i++) {
		const struct link_event *e =
			(const void *)((const uint8_t *)p + at);

		if (n - at < sizeof(*e) || e->size > n - at ||
			e->size < sizeof(*e) || e->len > e->size - sizeof(*e))
			return false;
		tracing_line(t, event_json(from, e));
		at += e->size;
	}
	return false;
}

/* Only of one channel: it is gone, or its worker. */
static void
tracing_over(struct ask *a)
{
	struct tracing *t = a->arg;

	if (t->begun)
		request_stream_end(t->r);
	else
		request_refuse(t->r, 404, "there is no channel %s", t->id);
}

static void
tracing_end(struct weir_request *r)
{
	struct tracing *t = r->job;

	r->keeper->ntraces--;
	if (t->ask != NULL)
		ask_end(t->ask);
}

/* What to ask of whom; false after an answer. */
static bool
tracing_parse(
	struct weir_request *r, struct link_trace *q, struct member **only)
{
	const char *id = weir_request_value(r, "id");
	struct channel_name name = { 0, 0, 0 };
	uint64_t bytes = 0;

	*q = (struct link_trace){ .head = { LINK_TRACE, 0 },
		.client.all = true };
	*only = NULL;
	if ((id == NULL) == (weir_request_value(r, "client") == NULL)) {
		request_refuse(r, 400,
			"either \"id\" or \"client\" is wanted: one channel, "
			"or all of a network");
		return false;
	}
	if (!request_network(r, "client", &q->client) ||
		!request_number(r, "bytes", LINK_TRACE_MOST, &bytes))
		return false;
	q->bytes = (uint32_t)bytes;
	if (bytes > 0 && !request_has_rights(r, false))
		return false;
	if (id != NULL && (*only = request_channel(r, id, &name)) == NULL)
		return false;
	q->id = name.number;
	return true;
}

void
page_trace(struct weir_request *r)
{
	struct link_trace q;
	struct member *only;
	unsigned most = r->unix_peer ? TRACES_MOST : TRACES_TCP;
	struct tracing *t;

	if (!tracing_parse(r, &q, &only))
		return;
	if (r->keeper->ntraces >= most) {
		request_refuse(r, 503,
			"%u traces are running, which is the most that there "
			"may be here",
			r->keeper->ntraces);
		return;
	}
	t = request_job(r, sizeof(*t), tracing_end);
	if (t == NULL)
		return;
	r->keeper->ntraces++;
	t->r = r;
	if (only != NULL)
		snprintf(t->id, sizeof(t->id), "%s",
			weir_request_value(r, "id"));
	t->ask = ask_begin(r->keeper, &(struct ask_options){ .question = &q,
					      .size = sizeof(q),
					      .only = only,
					      .most = request_asks(r),
					      .told = tracing_told,
					      .over = tracing_over,
					      .arg = t });
	if (t->ask == NULL)
		request_failed(r, errno);
	else if (only == NULL)
		tracing_starts(t);
}
