/* listing.c - rows of channels for a keeper, a slice a turn. */
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/gather.h"
#include "engine/channel.h"
#include "engine/engine.h"
#include "worker/ask.h"
#include "worker/row.h"

#define GATHERED_MOST 1024 /* rows; whoever wants more gets all */

/* What a channel had read at some moment. */
struct sample {
	uint32_t engine;
	uint64_t id, at_ms, bytes[2];
};

enum listing_state {
	LISTING_SAMPLES, /* reads the counters */
	LISTING_PAUSES,	 /* until they are read again */
	LISTING_LOOKS,	 /* at each channel, to tell it or to keep its row */
	LISTING_TELLS	 /* the rows that it has kept */
};

struct listing {
	struct ask ask; /* first */
	struct link_list q;
	const struct heritage *heritage;
	enum listing_state state;
	struct cursor cursor;
	struct event *timer;
	struct sample *samples; /* in the order of the cursor */
	size_t nsamples, room, sample;
	struct gather best;
	bool gathers; /* only the first rows are told, else all */
	size_t told;  /* of those that were gathered */
	uint64_t total;
	bool kept; /* a row that had no room in the last packet */
	alignas(8) uint8_t row[ROW_MOST];
};

/* Adds a row to the packet; false: there is no room for it. */
static bool
packet_add_row(struct packet *out, const struct link_row *row)
{
	if (out->len + row->size > sizeof(out->bytes))
		return false;
	memcpy(out->bytes + out->len, row, row->size);
	out->len += row->size;
	out->rows.n++;
	return true;
}

static void
listing_wakes(evutil_socket_t fd, short what, void *arg)
{
	struct listing *l = arg;

	(void)fd;
	(void)what;
	clock_update();
	l->state = LISTING_LOOKS;
	cursor_begin(&l->cursor, l->ask.loop);
	ask_wake(&l->ask);
}

/* Without memory, rates are those of its life. */
static void
listing_sample(struct listing *l, const struct weir_channel *ch)
{
	size_t room = l->room == 0 ? 256 : l->room * 2;
	struct sample *samples;

	if (l->nsamples == l->room) {
		samples = reallocarray(l->samples, room, sizeof(*samples));
		if (samples == NULL)
			return;
		l->samples = samples;
		l->room = room;
	}
	l->samples[l->nsamples++] = (struct sample){ l->cursor.nengine, ch->id,
		clock_ms(), { ch->flows[0].in_bytes, ch->flows[1].in_bytes } };
}

static enum ask_turn
listing_samples(struct listing *l)
{
	struct weir_channel *ch;
	unsigned i;

	for (i = 0; i < ASK_LOOKS; i++) {
		ch = cursor_next(&l->cursor);
		if (ch == NULL)
			break;
		if (row_fits(ch, &l->q))
			listing_sample(l, ch);
	}
	if (i == ASK_LOOKS)
		return ASK_GOES_ON;
	cursor_end(&l->cursor);
	l->state = LISTING_PAUSES;
	l->timer = evtimer_new(l->ask.loop->base, listing_wakes, l);
	if (l->timer == NULL || poller_timer(&l->ask.loop->poller, l->timer,
					l->q.rate_ms) == -1)
		listing_wakes(-1, 0, l);
	return l->state == LISTING_PAUSES ? ASK_SLEEPS : ASK_GOES_ON;
}

/* Its rates since its sample, if it has one: both come in the same order. */
static void
listing_rates(struct listing *l, struct link_row *row)
{
	const struct sample *s;
	int dir;

	for (; l->sample < l->nsamples; l->sample++) {
		s = &l->samples[l->sample];
		if (s->engine > l->cursor.nengine ||
			(s->engine == l->cursor.nengine && s->id >= row->id))
			break;
	}
	if (l->sample == l->nsamples)
		return;
	s = &l->samples[l->sample];
	if (s->engine != l->cursor.nengine || s->id != row->id ||
		clock_ms() <= s->at_ms)
		return;
	for (dir = 0; dir < 2; dir++)
		row->rates[dir] = (row->bytes[dir] - s->bytes[dir]) * 1000 /
				  (clock_ms() - s->at_ms);
}

/* False: the packet is full, and the row is kept. */
static bool
listing_look(
	struct listing *l, const struct weir_channel *ch, struct packet *out)
{
	struct link_row row;

	if (!row_fits(ch, &l->q))
		return true;
	l->total++;
	row_figures(&row, ch, l->heritage);
	listing_rates(l, &row);
	row_key(&row, (enum link_sort)l->q.sort);
	if (l->gathers && !gather_wants(&l->best, &row))
		return true;
	row_write((void *)l->row, &row, ch);
	if (l->gathers) {
		/* Without memory there are fewer. */
		(void)gather_add(&l->best, (const void *)l->row);
		return true;
	}
	l->kept = !packet_add_row(out, (const void *)l->row);
	return !l->kept;
}

static enum ask_turn
listing_last(struct listing *l, struct packet *out)
{
	out->rows.last = 1;
	out->rows.total = l->total;
	return ASK_IS_DONE;
}

static enum ask_turn
listing_looks(struct listing *l, struct packet *out)
{
	struct weir_channel *ch;
	unsigned i;

	if (l->kept)
		l->kept = !packet_add_row(out, (const void *)l->row);
	for (i = 0; i < ASK_LOOKS; i++) {
		ch = cursor_next(&l->cursor);
		if (ch == NULL)
			break;
		if (!listing_look(l, ch, out) || out->rows.n == ASK_ROWS)
			return ASK_GOES_ON;
	}
	if (i == ASK_LOOKS)
		return ASK_GOES_ON;
	cursor_end(&l->cursor);
	if (!l->gathers)
		return listing_last(l, out);
	gather_sort(&l->best);
	l->state = LISTING_TELLS;
	return ASK_GOES_ON;
}

static enum ask_turn
listing_tells(struct listing *l, struct packet *out)
{
	while (l->told < l->best.n && packet_add_row(out, l->best.v[l->told]))
		l->told++;
	return l->told < l->best.n ? ASK_GOES_ON : listing_last(l, out);
}

static enum ask_turn
listing_turn(struct ask *a, struct packet *out)
{
	struct listing *l = (struct listing *)a;
	enum ask_turn turn = ASK_SLEEPS;

	out->len = sizeof(out->rows);
	out->rows = (struct link_rows){ .head = { LINK_LIST, a->number } };
	if (l->state == LISTING_SAMPLES) {
		if (l->cursor.loop == NULL)
			cursor_begin(&l->cursor, a->loop);
		turn = listing_samples(l);
	} else if (l->state == LISTING_LOOKS) {
		if (l->cursor.loop == NULL)
			cursor_begin(&l->cursor, a->loop);
		turn = listing_looks(l, out);
	} else if (l->state == LISTING_TELLS) {
		turn = listing_tells(l, out);
	}
	/* Nothing to tell yet. */
	if (out->rows.n == 0 && turn != ASK_IS_DONE)
		out->len = 0;
	return turn;
}

static void
listing_end(struct ask *a)
{
	struct listing *l = (struct listing *)a;

	cursor_end(&l->cursor);
	if (l->timer != NULL)
		event_free(l->timer);
	gather_done(&l->best);
	free(l->samples);
	free(l);
}

struct ask *
listing_new(const struct link_list *q, const struct heritage *h)
{
	struct listing *l = calloc(1, sizeof(*l));

	if (l == NULL)
		return NULL;
	l->ask.turn = listing_turn;
	l->ask.end = listing_end;
	l->q = *q;
	l->q.state[LINK_NAME - 1] = '\0';
	l->q.server[LINK_NAME - 1] = '\0';
	l->q.backend[LINK_NAME - 1] = '\0';
	l->heritage = h;
	l->state = q->rate_ms > 0 ? LISTING_SAMPLES : LISTING_LOOKS;
	l->gathers = q->limit <= GATHERED_MOST;
	gather_init(&l->best, q->limit, q->reverse);
	return &l->ask;
}
