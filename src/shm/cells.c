/* verbs.c - what modules do with a table. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "shm/crash.h"
#include "shm/place.h"
#include "shm/table.h"

/* A release that has to be made up for. */
struct owed {
	struct owed *next;
	unsigned column;
	uint32_t n;
	size_t len; /* of the key */
	uint8_t key[];
};

/* ---- releases that have to be made up for -------------------------------- */

/* What is held must not stay so because somebody else hangs. */
static int
owed_add(struct weir_table *t, struct weir_bytes key, unsigned column,
	uint32_t n)
{
	struct owed *owed = malloc(sizeof(*owed) + key.len);

	if (owed == NULL)
		return -1;
	*owed = (struct owed){
		.next = t->owed, .column = column, .n = n, .len = key.len
	};
	memcpy(owed->key, key.p, key.len);
	t->owed = owed;
	return 0;
}

void
owed_drop(struct weir_table *t)
{
	struct owed *owed;

	while ((owed = t->owed) != NULL) {
		t->owed = owed->next;
		free(owed);
	}
}

/* 0, or -1 with errno, of which ETIMEDOUT alone may be tried again. */
static int
release_now(struct weir_table *t, struct weir_bytes key, unsigned column,
	uint32_t n)
{
	struct place p;
	struct row *row = place_find(&p, t, key);

	if (row == NULL)
		return -1;
	row_release(&t->shape, row, column, t->me, n);
	stripe_use(p.stripe, &p.of, row);
	return place_done(&p, 0);
}

bool
table_settle(struct weir_table *t)
{
	struct owed *owed, **at = &t->owed;

	while ((owed = *at) != NULL) {
		struct weir_bytes key = { .p = owed->key, .len = owed->len };

		if (release_now(t, key, owed->column, owed->n) == -1 &&
			errno == ETIMEDOUT) {
			at = &owed->next;
			continue;
		}
		*at = owed->next;
		free(owed);
	}
	return t->owed == NULL;
}

/* ---- what modules call --------------------------------------------------- */

/* Is it a column of these types (bits)?  Else EINVAL. */
static bool
column_is(const struct weir_table *t, unsigned column, unsigned types)
{
	if (shape_has(&t->shape, column, types))
		return true;
	errno = EINVAL;
	return false;
}

int
weir_table_add(struct weir_table *t, struct weir_bytes key, unsigned column,
	uint64_t n, uint64_t *now)
{
	struct place p;
	struct row *row;
	uint64_t all;

	if (!column_is(t, column,
		    1u << WEIR_COLUMN_COUNT | 1u << WEIR_COLUMN_RATE) ||
		(row = place_need(&p, t, key)) == NULL)
		return -1;
	all = row_add(&t->shape, row, column, n, p.of.now_ms);
	if (now != NULL)
		*now = all;
	return place_done(&p, 0);
}

int
weir_table_hold(struct weir_table *t, struct weir_bytes key, unsigned column,
	uint32_t n, uint64_t most, uint64_t *now)
{
	struct place p;
	struct row *row;

	if (!column_is(t, column, t->me != 0 ? 1u << WEIR_COLUMN_HELD : 0) ||
		(row = place_need(&p, t, key)) == NULL)
		return -1;
	return place_done(&p, row_hold(&t->shape, row, column,
				      shm_owners(t->shm), t->me, n, most, now));
}

int
weir_table_release(struct weir_table *t, struct weir_bytes key, unsigned column,
	uint32_t n)
{
	if (!column_is(t, column, 1u << WEIR_COLUMN_HELD))
		return -1;
	if (release_now(t, key, column, n) == 0)
		return 0;
	return errno == ETIMEDOUT ? owed_add(t, key, column, n) : -1;
}

int
weir_table_draw(struct weir_table *t, struct weir_bytes key, unsigned column,
	const struct weir_bucket *b, uint64_t n, uint64_t *wait_ms)
{
	struct place p;
	struct row *row;

	if (!column_is(t, column, 1u << WEIR_COLUMN_TOKENS) ||
		(row = place_need(&p, t, key)) == NULL)
		return -1;
	return place_done(&p,
		row_draw(&t->shape, row, column, b, n, p.of.now_ms, wait_ms));
}

int
weir_table_book(struct weir_table *t, struct weir_bytes key, unsigned column,
	const struct weir_bucket *b, uint64_t *n, uint64_t *wait_ms)
{
	struct place p;
	struct row *row;

	if (!column_is(t, column, 1u << WEIR_COLUMN_TOKENS) ||
		(row = place_need(&p, t, key)) == NULL)
		return -1;
	row_book(&t->shape, row, column, b, n, p.of.now_ms, wait_ms);
	return place_done(&p, 0);
}

int
weir_table_spend(struct weir_table *t, struct weir_bytes key, unsigned column,
	uint64_t period_ms, uint64_t n, uint64_t most, uint64_t *got,
	uint64_t *left_ms)
{
	struct period_now now = { .ms = period_ms, .wall_ms = clock_wall_ms() };
	struct place p;
	struct row *row;
	int rc;

	if (!column_is(t, column, 1u << WEIR_COLUMN_PERIOD) ||
		(row = place_need(&p, t, key)) == NULL)
		return -1;
	now.now_ms = p.of.now_ms;
	rc = row_spend(&t->shape, row, column, &now, n, most, got);
	*left_ms =
		period_left_ms(row_period(&t->shape, row, column), now.now_ms);
	return place_done(&p, rc);
}

int
weir_table_refund(struct weir_table *t, struct weir_bytes key, unsigned column,
	uint64_t n)
{
	struct place p;
	struct row *row;

	if (!column_is(t, column,
		    1u << WEIR_COLUMN_TOKENS | 1u << WEIR_COLUMN_PERIOD) ||
		(row = place_find(&p, t, key)) == NULL)
		return -1;
	row_refund(&t->shape, row, column, n);
	return place_done(&p, 0);
}

int
weir_table_column(const struct weir_table *t, const char *name,
	enum weir_column_type type)
{
	unsigned i;

	for (i = 0; i < t->shape.n; i++)
		if (strcmp(t->shape.columns[i].name, name) == 0)
			return column_is(t, i, 1u << type) ? (int)i : -1;
	errno = ENOENT;
	return -1;
}

int
weir_table_set(struct weir_table *t, struct weir_bytes key, unsigned column,
	struct weir_bytes value)
{
	struct place p;
	struct row *row;

	if (!column_is(t, column, 1u << WEIR_COLUMN_VALUE) ||
		(row = place_need(&p, t, key)) == NULL)
		return -1;
	return place_done(&p, row_set(&t->shape, row, column, value));
}

static uint64_t
end_of(const struct place *p, uint64_t ms)
{
	return ms < UINT64_MAX - p->of.now_ms ? p->of.now_ms + ms : UINT64_MAX;
}

int
weir_table_store(struct weir_table *t, struct weir_bytes key, unsigned column,
	struct weir_bytes value, uint64_t ms)
{
	struct place p;
	struct row *row;

	if (!column_is(t, column, 1u << WEIR_COLUMN_VALUE))
		return -1;
	if (value.len > t->shape.columns[column].size) {
		errno = EMSGSIZE;
		return -1;
	}
	row = place_need(&p, t, key);
	if (row == NULL)
		return -1;
	row->ends_ms = end_of(&p, ms);
	shm_crash();
	return place_done(&p, row_set(&t->shape, row, column, value));
}

int
weir_table_get(struct weir_table *t, struct weir_bytes key, unsigned column,
	void *value, size_t size, size_t *len)
{
	struct place p;
	struct row *row;

	if (!column_is(t, column, 1u << WEIR_COLUMN_VALUE) ||
		(row = place_find(&p, t, key)) == NULL)
		return -1;
	stripe_touch(p.stripe, &p.of, row);
	*len = row_get(&t->shape, row, column, value, size);
	return place_done(&p, 0);
}

int
weir_table_read(struct weir_table *t, struct weir_bytes key, unsigned column,
	uint64_t *now)
{
	struct place p;
	struct row *row;

	if (!column_is(t, column, ~0u) ||
		(row = place_find(&p, t, key)) == NULL)
		return -1;
	stripe_touch(p.stripe, &p.of, row);
	*now = row_read(
		&t->shape, row, column, shm_owners(t->shm), p.of.now_ms);
	return place_done(&p, 0);
}

int
weir_table_expire(struct weir_table *t, struct weir_bytes key, uint64_t ms)
{
	struct place p;
	struct row *row = place_find(&p, t, key);

	if (row == NULL)
		return -1;
	row->ends_ms = end_of(&p, ms);
	return place_done(&p, 0);
}

int
weir_table_left(struct weir_table *t, struct weir_bytes key, uint64_t *ms)
{
	struct place p;
	struct row *row = place_find(&p, t, key);

	if (row == NULL)
		return -1;
	*ms = row_left(row, t->options.ttl_ms, p.of.now_ms);
	return place_done(&p, 0);
}

int
weir_table_delete(struct weir_table *t, struct weir_bytes key)
{
	struct place p;
	struct row *row = place_find(&p, t, key);

	if (row == NULL)
		return -1;
	/* What is held is so until it is released. */
	if (row_is_held(&t->shape, row, shm_owners(t->shm)))
		row_init(&t->shape, row, false);
	else
		stripe_remove(p.stripe, &p.of, row);
	return place_done(&p, 0);
}

int
table_resume_period(struct weir_table *t, struct weir_bytes key,
	unsigned column, uint64_t n, uint64_t left_ms)
{
	struct place p;
	struct row *row;

	if (!column_is(t, column, 1u << WEIR_COLUMN_PERIOD) ||
		(row = place_need(&p, t, key)) == NULL)
		return -1;
	*row_period(&t->shape, row, column) =
		(struct period){ .ends_ms = p.of.now_ms + left_ms, .n = n };
	return place_done(&p, 0);
}

int
table_resume_tokens(struct weir_table *t, struct weir_bytes key,
	unsigned column, const struct weir_bucket *b, uint64_t used)
{
	struct place p;
	struct row *row;

	if (!column_is(t, column, 1u << WEIR_COLUMN_TOKENS) ||
		(row = place_need(&p, t, key)) == NULL)
		return -1;
	*row_tokens(&t->shape, row, column) = (struct weir_tokens){
		.at_ms = p.of.now_ms, .used = used, .last = *b
	};
	return place_done(&p, 0);
}

bool
weir_table_allows(const struct weir_table *t)
{
	return t->options.full == WEIR_FULL_ALLOW;
}
