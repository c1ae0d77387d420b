/* share.c - what other machines have of a table, beside what is had here. */
#include <sys/random.h>

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "shm/crash.h"
#include "shm/rate.h"
#include "shm/share.h"
#include "shm/tokens.h"

#define STEP_MS	     100       /* less is none */
#define SHARE_PREFIX "others/" /* of the name of a zone */

/* Every table that has a name can be shared: a long one is shortened, with a
 * number of all of it (FNV-1a: Fowler, Noll, Vo). */
static void
share_zone_name(char to[static SHM_NAME], const char *name)
{
	uint64_t number = 0xcbf29ce484222325ull;
	const char *p;

	if (snprintf(to, SHM_NAME, SHARE_PREFIX "%s", name) < SHM_NAME)
		return;
	for (p = name; *p != '\0'; p++)
		number = (number ^ (uint8_t)*p) * 0x100000001b3ull;
	snprintf(to, SHM_NAME, SHARE_PREFIX "%.16s/%016" PRIx64, name, number);
}

struct shm_zone *
share_zone_open(struct shm *shm, const char *name, uint64_t layout, uint32_t n)
{
	char zone_name[SHM_NAME];
	struct share_zone *share;
	size_t size = sizeof(*share) + n * sizeof(share->changes[0]);
	struct shm_zone *zone;
	bool fresh;

	share_zone_name(zone_name, name);
	zone = shm_zone_open(shm, zone_name, layout, size, &fresh);
	/* Of a table that is no more, which had fewer parts? */
	if (zone != NULL && (size_t)zone->n * SHM_EXTENT < size) {
		shm_zone_drop(shm, zone);
		zone = shm_zone_open(shm, zone_name, layout, size, &fresh);
	}
	if (zone == NULL || !fresh)
		return zone;
	share = shm_zone_data(shm, zone);
	if (getrandom(&share->self, sizeof(share->self), 0) !=
		sizeof(share->self))
		return NULL;
	clock_update();
	share_look(share);
	return zone;
}

/* It takes time to look at both clocks. */
void
share_look(struct share_zone *share)
{
	int64_t ahead_ms = (int64_t)(clock_wall_ms() - clock_ms());

	if (llabs(ahead_ms - share->ahead_ms) > STEP_MS)
		share->ahead_ms = ahead_ms;
}

size_t
share_size(const struct shape *shape)
{
	return sizeof(struct share_row) + shape->n * sizeof(struct share);
}

static struct share_row *
share_row(const struct shape *shape, const struct row *row)
{
	return (void *)((uint8_t *)(uintptr_t)row->bytes + shape->share_at);
}

static struct share *
share_of(const struct shape *shape, const struct row *row, unsigned column)
{
	return &share_row(shape, row)->columns[column];
}

/* In that order: who dies between leaves a number that nobody else has. */
void
share_changed(const struct shape *shape, struct row *row, uint32_t i)
{
	if (shape->share == NULL)
		return;
	shape->share->changes[i]++;
	atomic_signal_fence(memory_order_seq_cst);
	shm_crash();
	share_row(shape, row)->changed = shape->share->changes[i];
}

uint64_t
share_clock(const struct shape *shape, uint64_t now_ms)
{
	if (shape->share == NULL)
		return now_ms;
	return now_ms + (uint64_t)shape->share->ahead_ms;
}

static uint64_t
share_rate(const struct weir_column *c, const struct weir_share *others,
	uint64_t now_ms)
{
	struct rate rate = { 0 };
	unsigned i = others->epoch & 1;

	/* Where the clock is that far ahead, there is no telling what is now.
	 */
	if (others->epoch == 0 || others->epoch > now_ms / c->window_ms + 1)
		return 0;
	rate.windows[i].number = others->epoch;
	rate.windows[i].n = others->n;
	rate.windows[!i].number = others->epoch - 1;
	rate.windows[!i].n = others->before;
	return rate_read(&rate, c->window_ms, now_ms);
}

uint64_t
share_others(const struct shape *shape, const struct row *row, unsigned column)
{
	const struct weir_column *c = &shape->columns[column];
	const struct weir_share *others;

	if (shape->share == NULL)
		return 0;
	others = &share_of(shape, row, column)->others;
	switch (c->type) {
	case WEIR_COLUMN_COUNT:
		return others->n;
	case WEIR_COLUMN_HELD:
		return shape->share->until_ms > clock_ms() ? others->n : 0;
	case WEIR_COLUMN_RATE:
		return share_rate(c, others, share_clock(shape, clock_ms()));
	case WEIR_COLUMN_PERIOD:
		return others->epoch > share_clock(shape, clock_ms())
			       ? others->n
			       : 0;
	case WEIR_COLUMN_TOKENS:
	case WEIR_COLUMN_VALUE:
		break;
	}
	return 0;
}

bool
share_is_held(const struct shape *shape, const struct row *row)
{
	unsigned i;

	for (i = 0; shape->share != NULL && i < shape->n; i++)
		if (shape->columns[i].type == WEIR_COLUMN_HELD &&
			share_others(shape, row, i) > 0)
			return true;
	return false;
}

/* Once they do not count it any more, they have to hear all of it again; unless
 * it is after that that they have heard it. */
uint64_t
share_believed(
	const struct shape *shape, const struct row *row, unsigned column)
{
	const struct share *share;
	uint64_t until_ms;

	if (shape->share == NULL)
		return 0;
	share = share_of(shape, row, column);
	until_ms = shape->share->until_ms;
	return until_ms > clock_ms() || share->own[1] >= until_ms
		       ? share->own[0]
		       : 0;
}

uint64_t
share_spent(const struct shape *shape, const struct row *row, unsigned column,
	uint64_t ends_ms)
{
	const struct weir_share *others;

	if (shape->share == NULL)
		return 0;
	others = &share_of(shape, row, column)->others;
	return others->epoch == ends_ms ? others->n : 0;
}

void
share_period(const struct shape *shape, const struct row *row, unsigned column,
	uint64_t ms, uint64_t ends_ms)
{
	struct share *share;

	if (shape->share == NULL)
		return;
	share = share_of(shape, row, column);
	share->own[0] = ends_ms;
	share->own[1] = ms;
}

void
share_drawn(const struct shape *shape, const struct row *row, unsigned column,
	uint64_t n, bool full)
{
	struct share *share;

	if (shape->share == NULL)
		return;
	share = share_of(shape, row, column);
	if (full)
		share->own[1] = share->own[0];
	share->own[0] += n;
}

void
share_returned(const struct shape *shape, const struct row *row,
	unsigned column, uint64_t n)
{
	struct share *share;

	if (shape->share == NULL)
		return;
	share = share_of(shape, row, column);
	share->own[0] -= n < share->own[0] ? n : share->own[0];
	if (share->own[1] > share->own[0])
		share->own[1] = share->own[0];
}

void
share_forget(const struct shape *shape, struct row *row)
{
	unsigned i;

	for (i = 0; i < shape->n; i++)
		if (shape->columns[i].type != WEIR_COLUMN_HELD)
			memset(share_of(shape, row, i)->own, 0,
				sizeof(share_of(shape, row, i)->own));
}

/* ---- what is told -------------------------------------------------------- */

static struct weir_share
rate_own(const struct rate *rate)
{
	unsigned i = rate->windows[1].number > rate->windows[0].number;
	bool next = rate->windows[!i].number + 1 == rate->windows[i].number;

	return (struct weir_share){ .epoch = rate->windows[i].number,
		.n = rate->windows[i].n,
		.before = next ? rate->windows[!i].n : 0 };
}

/* As tokens in 1,000,000 ms, which another machine may need.  A bucket that is
 * never full gets some back all the time. */
static struct weir_share
tokens_own(const struct shape *shape, const struct weir_tokens *tokens,
	const struct share *share)
{
	const struct weir_bucket *b = &tokens->last;
	uint64_t since = share->own[0] - share->own[1];
	uint64_t used = (tokens->used + 999) / 1000;

	if (share->own[0] == 0)
		return (struct weir_share){ 0 };
	return (struct weir_share){
		.epoch = b->per_ms == 0 ? 0 : b->rate * 1000000 / b->per_ms,
		.n = share->own[0],
		.before = since < used ? since : used,
		.at_ms = share_clock(shape, tokens->at_ms)
	};
}

struct weir_share
share_own(const struct shape *shape, const struct row *row, unsigned column,
	const struct owners *owners)
{
	const void *cell = row_cell(shape, row, column);
	struct share *share = share_of(shape, row, column);

	switch (shape->columns[column].type) {
	case WEIR_COLUMN_COUNT:
		return (struct weir_share){ .n = *(const uint64_t *)cell };
	case WEIR_COLUMN_HELD:
		share->own[1] = clock_ms();
		share->own[0] = row_held(shape, row, column, owners);
		return (struct weir_share){ .n = share->own[0] };
	case WEIR_COLUMN_RATE:
		return rate_own(cell);
	case WEIR_COLUMN_PERIOD:
		return (struct weir_share){ .epoch = share->own[0],
			.n = share->own[0] == 0
				     ? 0
				     : ((const struct period *)cell)->n,
			.before = share->own[1] };
	case WEIR_COLUMN_TOKENS:
		return tokens_own(shape, cell, share);
	case WEIR_COLUMN_VALUE:
		break;
	}
	return (struct weir_share){ 0 };
}

bool
share_is_news(const struct shape *shape, const struct row *row, uint64_t since,
	const struct owners *owners, bool gone)
{
	unsigned i;

	if (share_row(shape, row)->changed > since)
		return true;
	for (i = 0; gone && i < shape->n; i++) {
		const struct share *share = share_of(shape, row, i);

		if (shape->columns[i].type == WEIR_COLUMN_HELD &&
			(share->others.n > 0 ||
				share->own[0] !=
					row_held(shape, row, i, owners)))
			return true;
	}
	return false;
}

/* ---- what others say ----------------------------------------------------- */

/* Draws what they have drawn since they said so last.  A little less than then
 * is what they gave back: what they draw next is that. */
static bool
tokens_set(const struct shape *shape, const struct row *row, unsigned column,
	const struct weir_share *others, bool more)
{
	struct weir_tokens *tokens = row_cell(shape, row, column);
	struct weir_share *last = &share_of(shape, row, column)->others;
	struct weir_bucket b = tokens->last;
	uint64_t n = others->before;

	if (last->before != 0)
		n = others->n > last->n ? others->n - last->n : 0;
	if (b.per_ms == 0)
		b = (struct weir_bucket){ .rate = others->epoch,
			.per_ms = 1000000,
			.burst = UINT64_MAX / 4000 };
	if (last->before != 0 && others->n <= last->n &&
		(more || last->n - others->n <= tokens->last.burst))
		return false;
	last->before = 1;
	last->n = others->n;
	atomic_signal_fence(memory_order_seq_cst);
	shm_crash();
	tokens_lose(tokens, &b, n, clock_ms());
	return n > 0;
}

/* In that order: half of it is less, not more. */
static bool
column_set(const struct shape *shape, const struct row *row, unsigned column,
	const struct weir_share *others, bool more)
{
	struct weir_share *last = &share_of(shape, row, column)->others;

	if (shape->columns[column].type == WEIR_COLUMN_TOKENS)
		return tokens_set(shape, row, column, others, more);
	if ((others->epoch == last->epoch && others->n == last->n &&
		    others->before == last->before) ||
		(more && (others->epoch < last->epoch ||
				 (others->epoch == last->epoch &&
					 others->n < last->n))))
		return false;
	last->n = last->before = 0;
	atomic_signal_fence(memory_order_seq_cst);
	shm_crash();
	last->epoch = others->epoch;
	atomic_signal_fence(memory_order_seq_cst);
	shm_crash();
	last->n = others->n;
	last->before = others->before;
	return true;
}

bool
share_set(const struct shape *shape, struct row *row,
	const struct weir_others *others)
{
	struct share_row *share = share_row(shape, row);
	bool changed = false;
	unsigned i;

	/* Of two keepers, one may be late with what it was told before; unless
	 * it is the clock that was set back. */
	if (others->as_of < share->as_of &&
		share->as_of - others->as_of < SHARE_LATE_US)
		return false;
	for (i = 0; i < shape->n; i++)
		if (column_set(
			    shape, row, i, &others->columns[i], others->more))
			changed = true;
	share->as_of = others->as_of;
	return changed;
}
