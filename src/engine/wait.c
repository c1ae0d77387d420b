/* wait.c - callbacks that asked to be called again later. */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

#include "base/clock.h"
#include "engine/aside.h"
#include "engine/engine.h"
#include "engine/stage.h"
#include "engine/trace.h"
#include "engine/wait.h"

static struct wait *
wait_find(const struct weir_channel *ch, unsigned stage, enum hook hook)
{
	struct wait *w = ch->aside == NULL ? NULL : ch->aside->waits;

	while (w != NULL && (w->stage != stage || w->hook != hook))
		w = w->next;
	return w;
}

struct wait *
wait_get(struct weir_channel *ch, unsigned stage, enum hook hook)
{
	struct wait *w = wait_find(ch, stage, hook);

	if (w != NULL)
		return w;
	if (aside_get(ch) == NULL || (w = calloc(1, sizeof(*w))) == NULL)
		return NULL;
	w->ch = ch;
	w->stage = (uint8_t)stage;
	w->hook = (uint8_t)hook;
	w->serial = ++ch->aside->serial;
	w->next = ch->aside->waits;
	ch->aside->waits = w;
	return w;
}

/* Sets the stage's bit to what is true. */
static void
wait_mark(struct wait *w)
{
	uint64_t *waiting, bit = stage_bit(w->stage);

	if (w->hook > HOOK_DOWN)
		return;
	waiting = &w->ch->aside->waiting[w->hook];
	*waiting &= ~bit;
	if (w->begun && !w->released)
		*waiting |= bit;
}

static void
wait_remove(struct weir_channel *ch, struct wait *w)
{
	struct wait **at = &ch->aside->waits;

	while (*at != w)
		at = &(*at)->next;
	*at = w->next;
	timeouts_clear(&ch->engine->loop->timeouts, &w->limit);
	w->begun = false;
	wait_mark(w);
	free(w);
}

/* What was waited for has come: whoever waits is called when the channel runs,
 * for no callback runs inside another. */
static void
wait_over(struct wait *w, int result)
{
	if (w->over)
		return;
	w->over = true;
	w->result = result;
	if (!w->begun)
		return;
	timeouts_clear(&w->ch->engine->loop->timeouts, &w->limit);
	channel_queue(w->ch);
}

int
wait_begin(struct weir_channel *ch, unsigned stage, enum hook hook, uint32_t ms)
{
	struct wait *w = wait_get(ch, stage, hook);

	if (w == NULL)
		return -1;
	w->begun = true;
	w->since_ms = clock_ms();
	if (ch->traced)
		trace_words(ch, WEIR_SELF,
			"waits:", ch->engine->chain.stages[stage].name, 0);
	if (w->over)
		channel_queue(ch);
	else
		timeouts_set(&ch->engine->loop->timeouts, &w->limit,
			TIMEOUT_WAIT, ms, clock_ms());
	wait_mark(w);
	return 0;
}

bool
wait_lasts(const struct weir_channel *ch, unsigned stage, enum hook hook)
{
	const struct wait *w = wait_find(ch, stage, hook);

	return w != NULL && w->begun && !w->over;
}

bool
wait_any_lasts(const struct weir_channel *ch, enum hook hook)
{
	const struct wait *w = ch->aside == NULL ? NULL : ch->aside->waits;

	while (w != NULL && (w->hook != hook || !w->begun || w->over))
		w = w->next;
	return w != NULL;
}

int
wait_take(struct weir_channel *ch, unsigned stage, enum hook hook)
{
	struct wait *w = wait_find(ch, stage, hook);
	int result;

	if (w == NULL)
		return 0;
	result = w->result;
	wait_remove(ch, w);
	return result;
}

void
wait_wake(struct weir_channel *ch, uint32_t serial, int result)
{
	struct wait *w = ch->aside == NULL ? NULL : ch->aside->waits;

	while (w != NULL && w->serial != serial)
		w = w->next;
	if (w != NULL)
		wait_over(w, result);
}

void
wait_release(struct weir_channel *ch)
{
	struct wait *w = ch->aside == NULL ? NULL : ch->aside->waits;

	for (; w != NULL; w = w->next)
		if (w->over) {
			w->released = true;
			wait_mark(w);
		}
}

void
wait_due(struct timeout *t)
{
	wait_over((void *)((uint8_t *)t - offsetof(struct wait, limit)),
		-ETIMEDOUT);
}

void
wait_end(struct weir_channel *ch, enum hook hook)
{
	struct wait *w = ch->aside == NULL ? NULL : ch->aside->waits;

	for (; w != NULL; w = w->next)
		if (w->hook == hook)
			wait_over(w, -ECANCELED);
}

void
wait_void(struct weir_channel *ch, unsigned stage)
{
	struct wait *w = ch->aside == NULL ? NULL : ch->aside->waits, *next;

	for (; w != NULL; w = next) {
		next = w->next;
		if (w->stage == stage && !w->begun)
			wait_remove(ch, w);
	}
}

void
wait_drop(struct weir_channel *ch)
{
	while (ch->aside->waits != NULL)
		wait_remove(ch, ch->aside->waits);
}
