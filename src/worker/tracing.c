/* tracing.c - events of channels for a keeper, which may be slow: then it loses
 * some, and is told how many. */
#include <bsd/string.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "engine/channel.h"
#include "engine/engine.h"
#include "engine/trace.h"
#include "worker/ask.h"

#define ROOM 65536 /* bytes of events that wait */

struct tracing {
	struct ask ask; /* first */
	struct tracer tracer;
	struct link_trace q;
	struct cursor cursor;
	bool looks; /* for the channels that are there already */
	bool found; /* one of them */
	bool over;  /* the one channel is gone */
	bool begun; /* the keeper knows that there is something to watch */
	uint64_t lost;
	size_t len;
	uint8_t *bytes; /* ROOM of them: events as they are sent */
};

static struct tracing *
tracing_of(struct tracer *t)
{
	return (void *)((uint8_t *)t - offsetof(struct tracing, tracer));
}

static bool
tracing_wants(struct tracer *t, const struct weir_channel *ch)
{
	const struct tracing *tr = tracing_of(t);
	struct weir_addr peer;

	if (tr->q.id != 0)
		return ch->id == tr->q.id;
	if (tr->q.client.all)
		return true;
	endpoint_peer(&ch->ends[WEIR_FRONTEND], &peer);
	return weir_cidr_has(&tr->q.client, &peer);
}

/* Room for an event of that size; NULL: it is lost, and so are those behind it
 * until all before it are sent. */
static struct link_event *
tracing_room(struct tracing *tr, size_t size)
{
	struct link_event *e = (void *)(tr->bytes + tr->len);

	if (tr->lost > 0 || tr->len + size > ROOM) {
		tr->lost++;
		return NULL;
	}
	memset(e, 0, size);
	tr->len += size;
	return e;
}

static void
tracing_told(struct tracer *t, const struct weir_channel *ch,
	const struct trace_event *what)
{
	struct tracing *tr = tracing_of(t);
	size_t len = what->p == NULL ? 0 : (size_t)what->n;
	struct link_event *e;
	size_t size;

	if (len > tr->q.bytes)
		len = tr->q.bytes;
	size = (sizeof(*e) + len + 7) & ~(size_t)7;
	if (tr->q.id != 0 && ch->state == CHANNEL_DEAD)
		tr->over = true;
	ask_wake(&tr->ask);
	e = tracing_room(tr, size);
	if (e == NULL)
		return;
	*e = (struct link_event){ .size = (uint32_t)size,
		.len = (uint32_t)len,
		.id = ch->id,
		.age_ms = clock_ms() - ch->opened_ms,
		.n = what->n,
		.err = what->err,
		.side = (uint8_t)what->side,
		.spliced = what->spliced };
	snprintf(e->what, sizeof(e->what), "%s%s%s", what->what,
		what->more == NULL ? "" : " ",
		what->more == NULL ? "" : what->more);
	if (len > 0)
		memcpy(e->data, what->p, len);
}

/* Marks those that are there; true: there are more to look at. */
static bool
tracing_look(struct tracing *tr)
{
	struct weir_channel *ch;
	unsigned i;

	if (tr->cursor.loop == NULL)
		cursor_begin(&tr->cursor, tr->ask.loop);
	for (i = 0; i < ASK_LOOKS; i++) {
		ch = cursor_next(&tr->cursor);
		if (ch == NULL) {
			tr->looks = false;
			cursor_end(&tr->cursor);
			return false;
		}
		if (trace_mark(&tr->tracer, ch))
			tr->found = true;
	}
	return true;
}

/* Moves what fits into the packet. */
static void
tracing_send(struct tracing *tr, struct packet *out)
{
	const struct link_event *e;
	size_t n = 0;

	out->len = sizeof(out->events);
	out->events =
		(struct link_events){ .head = { LINK_TRACE, tr->ask.number } };
	if (tr->len == 0) {
		out->events.lost = tr->lost;
		tr->lost = 0;
	}
	while (n < tr->len) {
		e = (const void *)(tr->bytes + n);
		if (out->len + e->size > sizeof(out->bytes))
			break;
		memcpy(out->bytes + out->len, e, e->size);
		out->len += e->size;
		out->events.n++;
		n += e->size;
	}
	tr->len -= n;
	memmove(tr->bytes, tr->bytes + n, tr->len);
	/* The first packet comes at once, though nothing may happen for long.
	 */
	if (out->events.n == 0 && out->events.lost == 0 &&
		(tr->begun || !tr->found))
		out->len = 0;
	else
		tr->begun = true;
}

static enum ask_turn
tracing_turn(struct ask *a, struct packet *out)
{
	struct tracing *tr = (struct tracing *)a;
	bool looks = tr->looks && tracing_look(tr);

	if (!looks && tr->q.id != 0 && !tr->found) {
		ask_say(a, out, ENOENT, 0);
		return ASK_IS_DONE;
	}
	tracing_send(tr, out);
	if (tr->len > 0 || tr->lost > 0 || looks)
		return ASK_GOES_ON;
	if (!tr->over)
		return ASK_SLEEPS;
	if (out->len > 0)
		return ASK_GOES_ON;
	ask_say(a, out, 0, 1);
	return ASK_IS_DONE;
}

static void
tracing_end(struct ask *a)
{
	struct tracing *tr = (struct tracing *)a;

	tracer_end(&tr->tracer);
	cursor_end(&tr->cursor);
	free(tr->bytes);
	free(tr);
}

struct ask *
tracing_new(const struct link_trace *q, struct loop *loop)
{
	struct tracing *tr = calloc(1, sizeof(*tr));

	if (tr == NULL || (tr->bytes = malloc(ROOM)) == NULL) {
		free(tr);
		return NULL;
	}
	tr->ask.turn = tracing_turn;
	tr->ask.end = tracing_end;
	tr->q = *q;
	if (tr->q.bytes > LINK_TRACE_MOST)
		tr->q.bytes = LINK_TRACE_MOST;
	tr->looks = true;
	tr->tracer.wants = tracing_wants;
	tr->tracer.told = tracing_told;
	tracer_begin(&tr->tracer, loop);
	return &tr->ask;
}
