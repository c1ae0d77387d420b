/* report.c - what a worker says of itself: its line of the board, its title. */
#include <bsd/unistd.h>
#include <errno.h>

#include <event2/event.h>

#include "base/board.h"
#include "base/clock.h"
#include "engine/channel.h"
#include "heritage.h"
#include "worker/report.h"

#define SOON_MS	 1000  /* from a change to the title */
#define AGAIN_MS 10000 /* from a title to the next: they grow older */

static bool
report_arm(struct report *r, unsigned ms)
{
	return poller_timer(&r->loop->poller, r->timer, ms) == 0;
}

/* When the oldest channel was opened; 0: there is none. */
static uint64_t
report_oldest(const struct report *r)
{
	const struct weir_channel *ch;
	uint64_t oldest_ms = 0;
	size_t i;

	for (i = 0; i < r->nengines; i++) {
		ch = TAILQ_FIRST(&r->engines[i].channels);
		if (ch != NULL && (oldest_ms == 0 || ch->opened_ms < oldest_ms))
			oldest_ms = ch->opened_ms;
	}
	return oldest_ms;
}

static void
report_title(evutil_socket_t fd, short what, void *arg)
{
	struct report *r = arg;
	const struct heritage *h = r->heritage;
	uint64_t oldest_ms = report_oldest(r);
	const char *drains = r->drains ? ", drains" : "";

	(void)fd;
	(void)what;
	clock_update();
	r->due = false;
	h->board->lines[h->slot].oldest_ms = oldest_ms;
	if (oldest_ms == 0) {
		setproctitle("worker %u generation %u: no channels%s", h->slot,
			h->generation, drains);
		return;
	}
	setproctitle("worker %u generation %u: %zu channels, oldest %llu s%s",
		h->slot, h->generation, r->loop->channels,
		(unsigned long long)(clock_ms() - oldest_ms) / 1000, drains);
	(void)report_arm(r, AGAIN_MS);
}

int
report_init(struct report *r, struct loop *loop, const struct engine *engines,
	size_t nengines, const struct heritage *h)
{
	*r = (struct report){ .heritage = h,
		.loop = loop,
		.engines = engines,
		.nengines = nengines };
	r->timer = evtimer_new(loop->base, report_title, r);
	r->due = r->timer != NULL && report_arm(r, SOON_MS);
	if (r->due)
		return 0;
	errno = ENOMEM;
	return -1;
}

void
report_done(struct report *r)
{
	if (r->timer != NULL)
		event_free(r->timer);
	r->timer = NULL;
}

void
report_drains(struct report *r)
{
	r->drains = true;
	r->due = report_arm(r, SOON_MS);
}

/* Adds what is not there yet to what those before have left in the slot. */
static void
report_add(_Atomic uint64_t *to, uint64_t *there, uint64_t now)
{
	if (now == *there)
		return;
	atomic_store_explicit(to,
		atomic_load_explicit(to, memory_order_relaxed) + now - *there,
		memory_order_relaxed);
	*there = now;
}

void
report_turn(struct report *r)
{
	struct board_line *line = &r->heritage->board->lines[r->heritage->slot];

	/* One writer: no need to lock the bus. */
	atomic_store_explicit(&line->turns, ++r->turns, memory_order_relaxed);
	report_add(
		&line->copied_bytes, &r->copied_bytes, r->loop->copied_bytes);
	report_add(&line->spliced_bytes, &r->spliced_bytes,
		r->loop->spliced_bytes);
	if (r->loop->channels == r->channels)
		return;
	if (r->channels == 0)
		line->oldest_ms = report_oldest(r);
	r->channels = r->loop->channels;
	line->channels = (uint32_t)r->channels;
	if (!r->due)
		r->due = report_arm(r, SOON_MS);
}
