/* drain.c - letting the channels of each server finish. */
#include <errno.h>
#include <stdlib.h>

#include <event2/event.h>

#include "base/board.h"
#include "base/clock.h"
#include "base/log.h"
#include "engine/channel.h"
#include "heritage.h"
#include "worker/drain.h"

#define SPREAD_MS                                                              \
	100 /* between two times that some are ended: half of it, up           \
	     * to one and a half */

static void
patience_over(evutil_socket_t fd, short what, void *arg)
{
	struct patience *p = arg;

	(void)fd;
	(void)what;
	clock_update();
	if (!TAILQ_EMPTY(&p->engine->channels))
		log_notice("%s: its time is over, its channels are reset",
			p->engine->server->name);
	engine_stop(p->engine);
	if (--p->drain->nwaiting == 0)
		p->drain->loop->leaving = true;
}

static void
drain_arm(struct drain *d)
{
	unsigned ms = SPREAD_MS / 2 + (unsigned)(random() % SPREAD_MS);

	/* Without it they are all ended when the time is over. */
	(void)poller_timer(&d->loop->poller, d->spread, ms);
}

static int
patience_compare(const void *left, const void *right)
{
	const struct patience *a = *(struct patience *const *)left;
	const struct patience *b = *(struct patience *const *)right;

	return (a->end_ms > b->end_ms) - (a->end_ms < b->end_ms);
}

/* At that rate, could it be too early for all?  Most of the time it is, and a
 * worker may have very many. */
static bool
drain_is_early(const struct drain *d, uint64_t total)
{
	uint64_t now_ms = clock_ms();
	double left_ms =
		d->first_ms > now_ms ? (double)(d->first_ms - now_ms) : 0;

	return (double)total * 1000 <
	       (double)d->heritage->conf->process.drain_rate * left_ms;
}

/* How many channels there are; orders the servers. */
static size_t
drain_count(struct drain *d)
{
	const struct weir_channel *ch;
	size_t n = 0, i;

	for (i = 0; i < d->n; i++) {
		d->v[i].channels = 0;
		TAILQ_FOREACH(ch, &d->v[i].engine->channels, all_link)
		{
			d->v[i].channels += !channel_is_ending(ch);
		}
		n += d->v[i].channels;
	}
	qsort(d->order, d->n, sizeof(struct patience *), patience_compare);
	return n;
}

/* Is it time to begin, for all to be gone in time at that rate? */
static bool
drain_is_due(const struct drain *d, double rate)
{
	uint64_t now_ms = clock_ms();
	size_t before = 0, i;

	for (i = 0; i < d->n; i++) {
		const struct patience *p = d->order[i];
		double left_ms =
			p->end_ms > now_ms ? (double)(p->end_ms - now_ms) : 0;

		if (p->end_ms == UINT64_MAX)
			break;
		before += p->channels;
		if (before > 0 && (double)before * 1000 >= rate * left_ms)
			return true;
	}
	return false;
}

/* Ends this worker's part of those that the rate allows since the last time, as
 * late as it can be. */
static void
drain_spread(evutil_socket_t fd, short what, void *arg)
{
	struct drain *d = arg;
	uint64_t total, ms;
	size_t own, i;
	double rate;

	(void)fd;
	(void)what;
	clock_update();
	ms = clock_ms() - d->spread_ms;
	d->spread_ms = clock_ms();
	drain_arm(d);
	total = board_total(d->heritage->board);
	/* What the others have said may be older than our own channels. */
	if (total < d->loop->channels)
		total = d->loop->channels;
	own = drain_is_early(d, total) ? 0 : drain_count(d);
	if (own == 0) {
		d->allowed = 0;
		return;
	}
	rate = (double)d->heritage->conf->process.drain_rate * (double)own /
	       (double)total;
	if (!drain_is_due(d, rate)) {
		d->allowed = 0;
		return;
	}
	d->allowed += rate * (double)ms / 1000;
	for (i = 0; i < d->n && d->allowed >= 1; i++) {
		size_t n = (size_t)d->allowed;

		if (n > d->order[i]->channels)
			n = d->order[i]->channels;
		engine_shed(d->order[i]->engine, n);
		d->allowed -= (double)n;
	}
}

int
drain_init(struct drain *d, struct loop *loop, struct engine *engines, size_t n,
	const struct heritage *h)
{
	*d = (struct drain){ .loop = loop, .heritage = h };
	d->v = calloc(n, sizeof(*d->v));
	d->order = calloc(n, sizeof(struct patience *));
	d->spread = evtimer_new(loop->base, drain_spread, d);
	if (d->v == NULL || d->order == NULL || d->spread == NULL) {
		errno = ENOMEM;
		return -1;
	}
	for (; d->n < n; d->n++) {
		struct patience *p = &d->v[d->n];

		*p = (struct patience){ .drain = d,
			.engine = &engines[d->n],
			.end_ms = UINT64_MAX };
		d->order[d->n] = p;
		p->end = evtimer_new(loop->base, patience_over, p);
		if (p->end == NULL) {
			errno = ENOMEM;
			return -1;
		}
	}
	return 0;
}

void
drain_done(struct drain *d)
{
	size_t i;

	for (i = 0; i < d->n; i++)
		event_free(d->v[i].end);
	if (d->spread != NULL)
		event_free(d->spread);
	free(d->order);
	free(d->v);
	*d = (struct drain){ 0 };
}

/* No timer, no time. */
static void
patience_begin(struct patience *p, uint32_t wait_ms)
{
	p->end_ms = clock_ms() + wait_ms;
	if (p->end_ms < p->drain->first_ms)
		p->drain->first_ms = p->end_ms;
	if (poller_timer(&p->drain->loop->poller, p->end, wait_ms) == -1)
		patience_over(-1, 0, p);
}

void
drain_begin(struct drain *d, bool own, uint32_t ms)
{
	bool limited = own || ms != 0;
	uint32_t most_ms = 0;
	size_t i;

	d->nwaiting = d->n;
	d->first_ms = UINT64_MAX;
	for (i = 0; i < d->n; i++) {
		struct patience *p = &d->v[i];
		uint32_t wait_ms = own ? p->engine->server->close_wait_ms : ms;

		if (!d->on)
			engine_signal(p->engine, "drain");
		if (wait_ms > most_ms)
			most_ms = wait_ms;
		if (limited)
			patience_begin(p, wait_ms);
	}
	d->on = true;
	d->spread_ms = clock_ms();
	if (d->heritage->conf->process.drain_rate > 0 && limited)
		drain_arm(d);
	if (limited)
		log_notice("draining: %zu channels may take %u ms",
			d->loop->channels, most_ms);
	else
		log_notice("draining: %zu channels", d->loop->channels);
}
