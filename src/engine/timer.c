/* timer.c - the one timer that each stage has in a channel. */
#include <stddef.h>
#include <stdlib.h>

#include "base/clock.h"
#include "engine/aside.h"
#include "engine/chain.h"
#include "engine/engine.h"
#include "engine/timer.h"

#define BLOCKED_MS 10 /* how often to look whether an output has drained */

struct timer {
	struct timer *next;
	struct weir_channel *ch;
	struct timeout due;
	uint8_t stage;
};

int
timer_set(struct weir_channel *ch, unsigned stage, uint32_t ms)
{
	struct aside *aside = aside_get(ch);
	struct timer *t;

	if (aside == NULL)
		return -1;
	t = aside->timers;
	while (t != NULL && t->stage != stage)
		t = t->next;
	if (t == NULL) {
		t = calloc(1, sizeof(*t));
		if (t == NULL)
			return -1;
		t->ch = ch;
		t->stage = (uint8_t)stage;
		t->next = aside->timers;
		aside->timers = t;
	}
	timeouts_set(&ch->engine->loop->timeouts, &t->due, TIMEOUT_TIMER, ms,
		clock_ms());
	return 0;
}

void
timer_due(struct timeout *due)
{
	struct timer *t =
		(void *)((uint8_t *)due - offsetof(struct timer, due));
	struct weir_channel *ch = t->ch;

	if (channel_is_ending(ch))
		return;
	if (chain_blocks_timer(ch, t->stage)) {
		timeouts_set(&ch->engine->loop->timeouts, due, TIMEOUT_TIMER,
			BLOCKED_MS, clock_ms());
		return;
	}
	chain_timer(ch, t->stage);
	channel_run(ch);
}

void
timer_drop(struct weir_channel *ch)
{
	struct timer *t;

	while ((t = ch->aside->timers) != NULL) {
		ch->aside->timers = t->next;
		timeouts_clear(&ch->engine->loop->timeouts, &t->due);
		free(t);
	}
}
