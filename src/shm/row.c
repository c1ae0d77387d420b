/* row.c - what a table keeps of one key: its columns.
 *
 * Each change can be interrupted for ever between any two stores: what is left
 * then is a number that was right before or after, or row_repair() mends it. */
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "shm/crash.h"
#include "shm/period.h"
#include "shm/rate.h"
#include "shm/row.h"
#include "shm/share.h"
#include "shm/shm.h"
#include "shm/tokens.h"

#define LAYOUT	     2	   /* to be another one when this file is */
#define SHARE_LAYOUT 1	   /* the same of share.h */
#define CLOCKS_MS    10000 /* nobody's clock is later by more */
#define HELD_BITS    (64 - OWNER_BITS)
#define HELD_MOST    OWNER_COUNT_MOST

struct value {
	uint32_t len;
	uint8_t bytes[];
};

static size_t
round_up(size_t n)
{
	return (n + 7) / 8 * 8;
}

static size_t
column_size(const struct shape *shape, const struct weir_column *column)
{
	switch (column->type) {
	case WEIR_COLUMN_RATE:
		return sizeof(struct rate);
	case WEIR_COLUMN_HELD:
		return shape->holders * sizeof(uint64_t);
	case WEIR_COLUMN_TOKENS:
		return sizeof(struct weir_tokens);
	case WEIR_COLUMN_VALUE:
		return round_up(sizeof(struct value) + column->size);
	case WEIR_COLUMN_PERIOD:
		return sizeof(struct period);
	case WEIR_COLUMN_COUNT:
		break;
	}
	return sizeof(uint64_t);
}

/* FNV-1a (Fowler, Noll, Vo), of numbers. */
static uint64_t
layout_of(uint64_t layout, uint64_t number)
{
	return (layout ^ number) * 0x100000001b3ull;
}

/* Text, up to its NUL. */
static uint64_t
layout_of_text(uint64_t layout, const char *text)
{
	while (*text != '\0')
		layout = layout_of(layout, (uint8_t)*text++);
	return layout_of(layout, 0);
}

static bool
column_is_sound(const struct shape *shape, const struct weir_column *c)
{
	switch (c->type) {
	case WEIR_COLUMN_RATE:
		return c->window_ms > 0;
	case WEIR_COLUMN_HELD:
		return shape->holders > 0;
	case WEIR_COLUMN_TOKENS:
		return c->burst <= UINT64_MAX / 1000;
	case WEIR_COLUMN_VALUE:
		return c->size <= WEIR_CELL_MOST;
	case WEIR_COLUMN_PERIOD:
	case WEIR_COLUMN_COUNT:
		break;
	}
	return true;
}

/* Whatever gives bytes of a row their meaning.  What was taken out of a bucket
 * is a number of tokens, whatever its size. */
static uint64_t
column_layout(const struct weir_column *c, uint64_t layout)
{
	layout = layout_of_text(layout, c->name);
	layout = layout_of(layout, c->type);
	layout = layout_of(layout, c->window_ms);
	return layout_of(layout, c->size);
}

int
shape_init(struct shape *shape)
{
	size_t at = sizeof(struct row) + round_up(shape->key_most);
	uint64_t layout = 0xcbf29ce484222325ull;
	unsigned i;

	errno = EINVAL;
	if (shape->n > WEIR_COLUMNS || shape->key_most > WEIR_KEY_MOST)
		return -1;
	layout = layout_of(layout_of(layout, LAYOUT), sizeof(struct row));
	layout = layout_of(layout_of(layout, shape->key_most), shape->holders);
	for (i = 0; i < shape->n; i++) {
		const struct weir_column *c = &shape->columns[i];

		shape->offsets[i] = (uint16_t)(at - sizeof(struct row));
		layout = column_layout(c, layout);
		at += column_size(shape, c);
		if (!column_is_sound(shape, c) || at > SHM_EXTENT / 4)
			return -1;
	}
	if (shape->shared) {
		shape->share_at = (uint16_t)(at - sizeof(struct row));
		layout = layout_of(layout, SHARE_LAYOUT);
		at += share_size(shape);
	}
	if (at > SHM_EXTENT / 4)
		return -1;
	shape->size = (uint32_t)at;
	shape->layout = layout;
	return 0;
}

bool
shape_has(const struct shape *shape, unsigned column, unsigned types)
{
	return column < shape->n &&
	       (1u << shape->columns[column].type & types) != 0;
}

void *
row_cell(const struct shape *shape, const struct row *row, unsigned column)
{
	return (uint8_t *)(uintptr_t)row->bytes + shape->offsets[column];
}

void
row_init(const struct shape *shape, struct row *row, bool held)
{
	unsigned i;

	for (i = 0; i < shape->n; i++) {
		const struct weir_column *column = &shape->columns[i];

		if (column->type == WEIR_COLUMN_HELD && !held)
			continue;
		shm_crash();
		memset(row_cell(shape, row, i), 0, column_size(shape, column));
	}
	if (shape->shared && held)
		memset(row->bytes + shape->share_at, 0, share_size(shape));
	else if (shape->shared)
		share_forget(shape, row);
}

uint64_t
row_left(const struct row *row, uint64_t ttl_ms, uint64_t now_ms)
{
	uint64_t ends_ms = row->ends_ms;

	if (ends_ms == 0 && ttl_ms != 0 && ttl_ms < UINT64_MAX - row->used_ms)
		ends_ms = row->used_ms + ttl_ms;
	if (ends_ms == 0 || ends_ms == UINT64_MAX)
		return UINT64_MAX;
	return ends_ms > now_ms ? ends_ms - now_ms : 0;
}

void
row_repair(const struct shape *shape, struct row *row, uint64_t now_ms)
{
	unsigned i;

	for (i = 0; i < shape->n; i++) {
		const struct weir_column *column = &shape->columns[i];
		struct weir_tokens *tokens = row_cell(shape, row, i);
		struct value *value = row_cell(shape, row, i);

		if (column->type == WEIR_COLUMN_RATE)
			rate_repair(row_cell(shape, row, i),
				share_clock(shape, now_ms) / column->window_ms);
		if (column->type == WEIR_COLUMN_TOKENS &&
			tokens->at_ms > now_ms)
			tokens->at_ms = now_ms;
		if (column->type == WEIR_COLUMN_VALUE &&
			value->len > column->size)
			value->len = 0;
	}
}

/* The latest window that anybody can have added to: clocks of processes are
 * about the same, but the wall's may have been set back. */
static uint64_t
window_most(
	const struct shape *shape, const struct weir_column *c, uint64_t now_ms)
{
	return (share_clock(shape, now_ms) + CLOCKS_MS) / c->window_ms;
}

/* ---- counts and rates ---------------------------------------------------- */

uint64_t
row_add(const struct shape *shape, struct row *row, unsigned column, uint64_t n,
	uint64_t now_ms)
{
	const struct weir_column *c = &shape->columns[column];
	uint64_t *count = row_cell(shape, row, column);
	struct rate *rate = row_cell(shape, row, column);

	if (c->type == WEIR_COLUMN_COUNT) {
		*count += n;
	} else {
		rate_repair(rate, window_most(shape, c, now_ms));
		rate_add(rate, share_clock(shape, now_ms) / c->window_ms, n);
	}
	return row_read(shape, row, column, NULL, now_ms);
}

/* ---- what processes hold ------------------------------------------------- */

static uint64_t
held_all(const struct shape *shape, const uint64_t *cells,
	const struct owners *owners)
{
	uint64_t all = 0;
	uint32_t i;

	for (i = 0; i < shape->holders; i++)
		if (cells[i] != 0 && owner_lives(owners, cells[i] >> HELD_BITS))
			all += cells[i] & HELD_MOST;
	return all;
}

uint64_t
row_held(const struct shape *shape, const struct row *row, unsigned column,
	const struct owners *owners)
{
	return held_all(shape, row_cell(shape, row, column), owners);
}

bool
row_is_held(const struct shape *shape, const struct row *row,
	const struct owners *owners)
{
	unsigned i;

	for (i = 0; i < shape->n; i++)
		if (shape->columns[i].type == WEIR_COLUMN_HELD &&
			row_held(shape, row, i, owners) +
					share_believed(shape, row, i) >
				0)
			return true;
	return false;
}

/* Mine, or else, with owners, one that nobody needs any more. */
static uint64_t *
held_mine(const struct shape *shape, uint64_t *cells, uint64_t me,
	const struct owners *owners)
{
	uint64_t *nobody = NULL;
	uint32_t i;

	for (i = 0; i < shape->holders; i++) {
		if (cells[i] >> HELD_BITS == me)
			return &cells[i];
		if (owners != NULL && nobody == NULL &&
			((cells[i] & HELD_MOST) == 0 ||
				!owner_lives(owners, cells[i] >> HELD_BITS)))
			nobody = &cells[i];
	}
	return nobody;
}

int
row_hold(const struct shape *shape, struct row *row, unsigned column,
	const struct owners *owners, uint64_t me, uint32_t n, uint64_t most,
	uint64_t *now)
{
	uint64_t *cells = row_cell(shape, row, column), *mine, all, old;

	all = held_all(shape, cells, owners) + share_others(shape, row, column);
	if (now != NULL)
		*now = all;
	if (all > most || n > most - all) {
		errno = EDQUOT;
		return -1;
	}
	mine = held_mine(shape, cells, me, owners);
	old = mine != NULL && *mine >> HELD_BITS == me ? *mine & HELD_MOST : 0;
	if (mine == NULL || n > HELD_MOST - old) {
		errno = ENOSPC;
		return -1;
	}
	shm_crash();
	*mine = me << HELD_BITS | (old + n);
	if (now != NULL)
		*now = all + n;
	return 0;
}

void
row_release(const struct shape *shape, struct row *row, unsigned column,
	uint64_t me, uint32_t n)
{
	uint64_t *mine =
		held_mine(shape, row_cell(shape, row, column), me, NULL);
	uint64_t old;

	if (mine == NULL)
		return; /* the row was lost meanwhile, and made again */
	old = *mine & HELD_MOST;
	shm_crash();
	*mine = old > n ? me << HELD_BITS | (old - n) : 0;
}

/* ---- tokens and periods -------------------------------------------------- */

static struct weir_bucket
bucket_of_column(const struct weir_column *c)
{
	return (struct weir_bucket){
		.rate = c->rate, .per_ms = 1000, .burst = c->burst
	};
}

int
row_draw(const struct shape *shape, struct row *row, unsigned column,
	const struct weir_bucket *b, uint64_t n, uint64_t now_ms,
	uint64_t *wait_ms)
{
	struct weir_bucket own = bucket_of_column(&shape->columns[column]);
	struct weir_tokens *tokens = row_cell(shape, row, column);
	bool full;

	if (b == NULL)
		b = &own;
	tokens_bound(tokens, b, now_ms);
	full = tokens_used(tokens, b, now_ms) == 0;
	if (weir_tokens_draw(tokens, b, n, now_ms, wait_ms)) {
		share_drawn(shape, row, column, n, full);
		return 0;
	}
	errno = EDQUOT;
	return -1;
}

void
row_book(const struct shape *shape, struct row *row, unsigned column,
	const struct weir_bucket *b, uint64_t *n, uint64_t now_ms,
	uint64_t *wait_ms)
{
	struct weir_bucket own = bucket_of_column(&shape->columns[column]);
	struct weir_tokens *tokens = row_cell(shape, row, column);
	bool full;

	if (b == NULL)
		b = &own;
	tokens_bound(tokens, b, now_ms);
	full = tokens_used(tokens, b, now_ms) == 0;
	*wait_ms = weir_tokens_book(tokens, b, n, now_ms);
	share_drawn(shape, row, column, *n, full);
}

int
row_spend(const struct shape *shape, struct row *row, unsigned column,
	const struct period_now *now, uint64_t n, uint64_t most, uint64_t *got)
{
	uint64_t ends_ms = now->wall_ms - now->wall_ms % now->ms + now->ms;
	uint64_t others = share_spent(shape, row, column, ends_ms);

	most -= others < most ? others : most;
	*got = period_spend(row_cell(shape, row, column), now, n, most);
	share_period(shape, row, column, now->ms, ends_ms);
	if (*got > 0 || (n == 0 && row_period(shape, row, column)->n < most))
		return 0;
	errno = EDQUOT;
	return -1;
}

void
row_refund(
	const struct shape *shape, struct row *row, unsigned column, uint64_t n)
{
	struct weir_tokens *tokens = row_cell(shape, row, column);
	struct period *p = row_cell(shape, row, column);

	if (shape->columns[column].type == WEIR_COLUMN_PERIOD) {
		p->n -= n < p->n ? n : p->n;
		return;
	}
	tokens->used -= n < tokens->used / 1000 ? n * 1000 : tokens->used;
	share_returned(shape, row, column, n);
}

struct period *
row_period(const struct shape *shape, const struct row *row, unsigned column)
{
	return row_cell(shape, row, column);
}

struct weir_tokens *
row_tokens(const struct shape *shape, const struct row *row, unsigned column)
{
	return row_cell(shape, row, column);
}

/* ---- values -------------------------------------------------------------- */

int
row_set(const struct shape *shape, struct row *row, unsigned column,
	struct weir_bytes in)
{
	struct value *value = row_cell(shape, row, column);

	if (in.len > shape->columns[column].size) {
		errno = EMSGSIZE;
		return -1;
	}
	/* Half of a new value is no value. */
	value->len = 0;
	atomic_signal_fence(memory_order_seq_cst);
	shm_crash();
	memcpy(value->bytes, in.p, in.len);
	shm_crash();
	atomic_signal_fence(memory_order_seq_cst);
	value->len = (uint32_t)in.len;
	return 0;
}

size_t
row_get(const struct shape *shape, const struct row *row, unsigned column,
	void *out, size_t size)
{
	const struct value *value = row_cell(shape, row, column);

	memcpy(out, value->bytes, value->len < size ? value->len : size);
	return value->len;
}

/* What this machine has. */
static uint64_t
row_own(const struct shape *shape, const struct row *row, unsigned column,
	const struct owners *owners, uint64_t now_ms)
{
	const struct weir_column *c = &shape->columns[column];
	const void *p = row_cell(shape, row, column);
	struct rate rate;

	switch (c->type) {
	case WEIR_COLUMN_RATE:
		rate = *(const struct rate *)p;
		rate_repair(&rate, window_most(shape, c, now_ms));
		return rate_read(
			&rate, c->window_ms, share_clock(shape, now_ms));
	case WEIR_COLUMN_HELD:
		return held_all(shape, p, owners);
	case WEIR_COLUMN_TOKENS:
		return tokens_left(p, bucket_of_column(c), now_ms);
	case WEIR_COLUMN_VALUE:
		return ((const struct value *)p)->len;
	case WEIR_COLUMN_PERIOD:
		return period_left_ms(p, now_ms) > 0
			       ? ((const struct period *)p)->n
			       : 0;
	case WEIR_COLUMN_COUNT:
		break;
	}
	return *(const uint64_t *)p;
}

uint64_t
row_read(const struct shape *shape, const struct row *row, unsigned column,
	const struct owners *owners, uint64_t now_ms)
{
	return row_own(shape, row, column, owners, now_ms) +
	       share_others(shape, row, column);
}
