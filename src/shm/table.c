/* table.c - a table in shared memory: keys, spread over stripes. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "shm/crash.h"
#include "shm/siphash.h"
#include "shm/table.h"
#include "shm/table_private.h"

#define SPREAD	    32 /* stripes that there are at least, if they have */
#define SPREAD_SIZE ((size_t)2 * SHM_EXTENT)
#define STRIPE_SIZE ((size_t)16 * SHM_EXTENT) /* rows of one, about */
#define STRIPE_MOST 64 /* extents of one: more make what has a lock slow */
#define STRIPES	    4096
#define LATER_MS    1000 /* who hangs with a lock is not waited for again */
/* A release that has to be made up for. */
struct owed {
	struct owed *next;
	unsigned column;
	uint32_t n;
	size_t len; /* of the key */
	uint8_t key[];
};

/* ---- making -------------------------------------------------------------- */

static uint32_t
stripes_for(size_t size)
{
	uint32_t n = 1;

	while (n < STRIPES &&
		n * (n < SPREAD ? SPREAD_SIZE : STRIPE_SIZE) < size)
		n *= 2;
	return n;
}

struct stripe_of
table_of(const struct weir_table *t, uint32_t i)
{
	return (struct stripe_of){ .shm = t->shm,
		.shape = &t->shape,
		.owner = SHM_OWNER(shm_zone_index(t->shm, t->zone), i),
		.extents_most = t->extents_most,
		.ttl_ms = t->options.ttl_ms,
		.now_ms = clock_ms() };
}

int
table_init(struct weir_table *t, struct shm *shm,
	const struct table_options *options, bool *fresh)
{
	size_t size, most;
	uint32_t i;

	*t = (struct weir_table){ .shm = shm, .options = *options };
	t->shape = (struct shape){ .columns = options->columns,
		.n = options->ncolumns,
		.key_most = options->key_most,
		.holders = options->holders };
	if (shape_init(&t->shape) == -1)
		return -1;
	t->n = stripes_for(options->size);
	size = t->n * sizeof(*t->stripes);
	t->zone =
		shm_zone_open(shm, options->name, t->shape.layout, size, fresh);
	if (t->zone == NULL)
		return -1;
	t->stripes = shm_zone_data(shm, t->zone);
	/* Of another size before, it keeps its stripes, but may grow. */
	t->n = 1;
	while ((size_t)t->n * 2 * sizeof(*t->stripes) <=
		(size_t)t->zone->n * SHM_EXTENT)
		t->n *= 2;
	most = options->size / SHM_EXTENT / t->n;
	t->extents_most = most > STRIPE_MOST ? STRIPE_MOST
			  : most > 0	     ? (uint32_t)most
					     : 1;
	for (i = 0; *fresh && i < t->n; i++)
		if (stripe_init(&t->stripes[i]) == -1)
			return -1;
	t->later_ms = calloc(t->n, sizeof(*t->later_ms));
	return t->later_ms == NULL ? -1 : 0;
}

void
table_done(struct weir_table *t)
{
	struct owed *owed;

	while ((owed = t->owed) != NULL) {
		t->owed = owed->next;
		free(owed);
	}
	free(t->later_ms);
	t->later_ms = NULL;
}

void
table_own(struct weir_table *t, uint64_t me)
{
	t->me = me;
	t->pid = getpid();
}

/* ---- locks --------------------------------------------------------------- */

/* A key, found, with the lock of its stripe. */
struct place {
	struct stripe *stripe;
	struct stripe_of of;
	uint32_t hash;
};

int
table_lock(struct weir_table *t, uint32_t i, const struct stripe_of *of)
{
	bool repaired, wait = t->later_ms[i] <= of->now_ms;
	struct stripe *s = &t->stripes[i];
	int32_t pid;

	if (stripe_lock(s, of, wait, &repaired) == 0) {
		pid = s->pid;
		s->pid = t->pid;
		t->later_ms[i] = 0;
		if (!repaired)
			return 0;
		/* To write a line may take long. */
		stripe_unlock(s);
		log_alert("table \"%s\": process %d died while it changed it; "
			  "what it left is in order again",
			t->options.name, (int)pid);
		return table_lock(t, i, of);
	}
	if (wait) {
		t->later_ms[i] = of->now_ms + LATER_MS;
		log_error("table \"%s\": process %d hangs while it changes "
			  "it: a part of it cannot be used",
			t->options.name, (int)s->pid);
		errno = ETIMEDOUT;
	}
	return -1;
}

static int
place_lock(struct place *p, struct weir_table *t, struct weir_bytes key)
{
	uint64_t hash;
	uint32_t i;

	if (key.len > t->options.key_most) {
		errno = EMSGSIZE;
		return -1;
	}
	hash = siphash(shm_secret(t->shm), key.p, key.len);
	i = (uint32_t)(hash >> 32) & (t->n - 1);
	p->hash = (uint32_t)hash;
	p->of = table_of(t, i);
	p->stripe = &t->stripes[i];
	return table_lock(t, i, &p->of);
}

/* The row of the key, made if need be, with its lock; NULL with errno, and
 * without the lock. */
static struct row *
place_need(struct place *p, struct weir_table *t, struct weir_bytes key)
{
	struct row *row;

	if (place_lock(p, t, key) == -1)
		return NULL;
	row = stripe_need(p->stripe, &p->of, key, p->hash,
		t->options.full == WEIR_FULL_EVICT);
	if (row == NULL) {
		stripe_unlock(p->stripe);
		errno = ENOSPC;
		return NULL;
	}
	stripe_use(p->stripe, &p->of, row);
	return row;
}

/* The same of a key that is there, which is not used by that; else ENOENT. */
static struct row *
place_find(struct place *p, struct weir_table *t, struct weir_bytes key)
{
	struct row *row;

	if (place_lock(p, t, key) == -1)
		return NULL;
	row = stripe_find(p->stripe, &p->of, key, p->hash);
	if (row != NULL)
		return row;
	stripe_unlock(p->stripe);
	errno = ENOENT;
	return NULL;
}

/* Ends what place_need() or place_find() began; rc and errno stay. */
static int
place_done(struct place *p, int rc)
{
	int err = errno;

	shm_crash();
	stripe_unlock(p->stripe);
	errno = err;
	return rc;
}

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
	uint64_t n, uint64_t *wait_ms)
{
	struct place p;
	struct row *row;

	if (!column_is(t, column, 1u << WEIR_COLUMN_TOKENS) ||
		(row = place_need(&p, t, key)) == NULL)
		return -1;
	return place_done(
		&p, row_draw(&t->shape, row, column, n, p.of.now_ms, wait_ms));
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
	row->ends_ms =
		ms < UINT64_MAX - p.of.now_ms ? p.of.now_ms + ms : UINT64_MAX;
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
		row_init(&t->shape, row, p.of.now_ms, false);
	else
		stripe_remove(p.stripe, &p.of, row);
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

bool
weir_table_allows(const struct weir_table *t)
{
	return t->options.full == WEIR_FULL_ALLOW;
}
