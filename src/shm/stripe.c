/* stripe.c - a part of a table: rows with one lock.
 *
 * Whether a row lives is one word in it, written last when it comes and first
 * when it goes.  So whoever is killed between any two stores leaves rows that
 * are right, and an order of them that can be made again. */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "shm/crash.h"
#include "shm/share.h"
#include "shm/siphash.h"
#include "shm/stripe.h"

#define REF_BITS 8 /* of a reference: the place in its extent */
#define TRIES	 8 /* rows that are asked whether they can go */

static struct row *
row_at(const struct stripe_of *of, uint32_t ref)
{
	uint8_t *extent = shm_extent(of->shm, ref >> REF_BITS);

	return (void *)(extent + (size_t)(ref & ((1u << REF_BITS) - 1)) *
					 of->shape->size);
}

static uint32_t
row_ref(const struct stripe_of *of, const struct row *row)
{
	size_t at = (size_t)((const uint8_t *)row -
			     (const uint8_t *)shm_extent(of->shm, 0));

	return (uint32_t)(at / SHM_EXTENT << REF_BITS |
			  at % SHM_EXTENT / of->shape->size);
}

static uint32_t
rows_per_extent(const struct shape *shape)
{
	uint32_t n = SHM_EXTENT / shape->size;

	return n < 1u << REF_BITS ? n : 1u << REF_BITS;
}

static uint32_t *
bucket_of(struct stripe *s, uint32_t hash)
{
	return &s->buckets[hash % STRIPE_BUCKETS];
}

/* ---- the order by use ---------------------------------------------------- */

static void
order_add(struct stripe *s, const struct stripe_of *of, struct row *row)
{
	uint32_t ref = row_ref(of, row);

	row->newer = 0;
	row->older = s->newest;
	shm_crash();
	if (s->newest != 0)
		row_at(of, s->newest)->newer = ref;
	else
		s->oldest = ref;
	shm_crash();
	s->newest = ref;
}

static void
order_remove(struct stripe *s, const struct stripe_of *of, struct row *row)
{
	if (row->newer != 0)
		row_at(of, row->newer)->older = row->older;
	else
		s->newest = row->older;
	shm_crash();
	if (row->older != 0)
		row_at(of, row->older)->newer = row->newer;
	else
		s->oldest = row->newer;
}

void
stripe_touch(struct stripe *s, const struct stripe_of *of, struct row *row)
{
	if (row->newer == 0)
		return;
	order_remove(s, of, row);
	shm_crash();
	order_add(s, of, row);
}

void
stripe_use(struct stripe *s, const struct stripe_of *of, struct row *row)
{
	row->used_ms = of->now_ms;
	shm_crash();
	stripe_touch(s, of, row);
}

/* ---- rows ---------------------------------------------------------------- */

/* All rows of a new extent are free; -1 with ENOSPC. */
static int
stripe_grow(struct stripe *s, const struct stripe_of *of)
{
	uint32_t extent, i;

	if (s->extents >= of->extents_most) {
		errno = ENOSPC;
		return -1;
	}
	extent = s->extents == 0 ? s->own : shm_take(of->shm, of->owner);
	if (extent == 0 || (s->extents == 0 && !shm_back(of->shm, extent)))
		return -1;
	shm_crash();
	s->extents++;
	for (i = rows_per_extent(of->shape); i-- > 0;) {
		row_at(of, extent << REF_BITS | i)->next = s->free;
		shm_crash();
		s->free = extent << REF_BITS | i;
	}
	return 0;
}

static void
bucket_remove(struct stripe *s, const struct stripe_of *of, struct row *row)
{
	uint32_t ref = row_ref(of, row), *at = bucket_of(s, row->hash);

	while (*at != ref)
		at = &row_at(of, *at)->next;
	*at = row->next;
}

void
stripe_remove(struct stripe *s, const struct stripe_of *of, struct row *row)
{
	atomic_store_explicit(&row->state, 0, memory_order_relaxed);
	atomic_signal_fence(memory_order_seq_cst);
	shm_crash();
	bucket_remove(s, of, row);
	shm_crash();
	order_remove(s, of, row);
	shm_crash();
	row->next = s->free;
	shm_crash();
	s->free = row_ref(of, row);
	s->live--;
}

static bool
row_is_over(const struct stripe_of *of, const struct row *row)
{
	uint64_t ends_ms = row->ends_ms;

	if (ends_ms == 0 && of->ttl_ms != 0 &&
		of->ttl_ms < UINT64_MAX - row->used_ms)
		ends_ms = row->used_ms + of->ttl_ms;
	return ends_ms != 0 && ends_ms <= of->now_ms &&
	       !row_is_held(of->shape, row, shm_owners(of->shm)) &&
	       !share_is_held(of->shape, row);
}

struct row *
stripe_find(struct stripe *s, const struct stripe_of *of, struct weir_bytes key,
	uint32_t hash)
{
	uint32_t ref = *bucket_of(s, hash);
	struct row *row;

	for (; ref != 0; ref = row->next) {
		row = row_at(of, ref);
		if (row->hash != hash || row->key_len != key.len ||
			memcmp(row->bytes, key.p, key.len) != 0)
			continue;
		if (!row_is_over(of, row))
			return row;
		stripe_remove(s, of, row);
		return NULL;
	}
	return NULL;
}

/* Makes room: of those used longest ago, one whose time has passed, or, with
 * any, one that may be missed; false: there is none.  What is held here counts
 * as used; what others hold does not keep anybody out. */
static bool
stripe_evict(struct stripe *s, const struct stripe_of *of, bool any)
{
	struct row *row;
	int i;

	for (i = 0; i < TRIES && s->oldest != 0; i++) {
		row = row_at(of, s->oldest);
		if (row_is_held(of->shape, row, shm_owners(of->shm))) {
			stripe_touch(s, of, row);
		} else if (any || row_is_over(of, row)) {
			stripe_remove(s, of, row);
			return true;
		} else {
			return false;
		}
	}
	return false;
}

struct row *
stripe_need(struct stripe *s, const struct stripe_of *of, struct weir_bytes key,
	uint32_t hash, bool evict)
{
	struct row *row = stripe_find(s, of, key, hash);

	if (row != NULL)
		return row;
	if (s->free == 0 && !stripe_evict(s, of, false) &&
		stripe_grow(s, of) == -1 &&
		(!evict || !stripe_evict(s, of, true))) {
		errno = ENOSPC;
		return NULL;
	}
	row = row_at(of, s->free);
	s->free = row->next;
	shm_crash();
	row->hash = hash;
	row->key_len = (uint32_t)key.len;
	memcpy(row->bytes, key.p, key.len);
	row->used_ms = of->now_ms;
	row->ends_ms = 0;
	row_init(of->shape, row, true);
	shm_crash();
	row->next = *bucket_of(s, hash);
	*bucket_of(s, hash) = row_ref(of, row);
	shm_crash();
	order_add(s, of, row);
	s->live++;
	shm_crash();
	atomic_signal_fence(memory_order_seq_cst);
	atomic_store_explicit(&row->state, ROW_LIVE, memory_order_relaxed);
	return row;
}

/* ---- repair -------------------------------------------------------------- */

/* Is it one, as far as can be seen? */
static bool
row_is_sound(const struct stripe_of *of, const struct row *row)
{
	return row->state == ROW_LIVE && row->key_len <= of->shape->key_most &&
	       row->hash == (uint32_t)siphash(shm_secret(of->shm), row->bytes,
				    row->key_len);
}

/* Makes everything anew from the rows that live.  The order by use is that in
 * which they lie. */
static void
stripe_repair(struct stripe *s, const struct stripe_of *of)
{
	uint32_t extent = 0, i;

	s->extents = s->live = s->free = s->newest = s->oldest = 0;
	memset(s->buckets, 0, sizeof(s->buckets));
	while ((extent = shm_next(of->shm, of->owner, extent)) != 0) {
		if (!shm_back(of->shm, extent)) {
			if (extent != s->own)
				shm_give(of->shm, extent);
			continue;
		}
		s->extents++;
		for (i = 0; i < rows_per_extent(of->shape); i++) {
			uint32_t ref = extent << REF_BITS | i, *to = &s->free;
			struct row *row = row_at(of, ref);

			if (row_is_sound(of, row)) {
				row_repair(of->shape, row, of->now_ms);
				order_add(s, of, row);
				s->live++;
				to = bucket_of(s, row->hash);
			} else {
				row->state = 0;
			}
			shm_crash();
			row->next = *to;
			*to = ref;
		}
	}
	s->repaired++;
}

/* ---- the lock ------------------------------------------------------------ */

int
stripe_init(struct stripe *s, struct shm *shm, uint32_t owner)
{
	pthread_mutexattr_t attr;
	int err = pthread_mutexattr_init(&attr);

	s->own = shm_reserve(shm, owner);
	if (s->own == 0)
		return -1;

	if (err == 0) {
		(void)pthread_mutexattr_setpshared(
			&attr, PTHREAD_PROCESS_SHARED);
		(void)pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
		err = pthread_mutex_init(&s->lock, &attr);
		(void)pthread_mutexattr_destroy(&attr);
	}
	if (err == 0)
		return 0;
	errno = err;
	return -1;
}

int
stripe_lock(
	struct stripe *s, const struct stripe_of *of, bool wait, bool *repaired)
{
	struct timespec until;
	int err = pthread_mutex_trylock(&s->lock);

	*repaired = false;
	if (err == EBUSY && wait) {
		clock_gettime(CLOCK_MONOTONIC, &until);
		until.tv_nsec += STRIPE_WAIT_MS * 1000000;
		until.tv_sec += until.tv_nsec / 1000000000;
		until.tv_nsec %= 1000000000;
		err = pthread_mutex_clocklock(
			&s->lock, CLOCK_MONOTONIC, &until);
	}
	if (err == EOWNERDEAD) {
		stripe_repair(s, of);
		err = pthread_mutex_consistent(&s->lock);
		*repaired = true;
	}
	if (err == 0)
		return 0;
	errno = ETIMEDOUT;
	return -1;
}

void
stripe_unlock(struct stripe *s)
{
	(void)pthread_mutex_unlock(&s->lock);
}

/* ---- all of it ----------------------------------------------------------- */

/* Gives back every extent but its own, and that one's memory; there is no row.
 */
static void
stripe_shrink(struct stripe *s, const struct stripe_of *of)
{
	uint32_t extent = 0;

	s->free = 0;
	shm_crash();
	while ((extent = shm_next(of->shm, of->owner, extent)) != 0) {
		if (extent == s->own)
			shm_empty(of->shm, extent);
		else
			shm_give(of->shm, extent);
		shm_crash();
	}
	s->extents = 0;
}

static void
stripe_remove_all(struct stripe *s, const struct stripe_of *of, bool over)
{
	uint32_t ref = s->oldest, newer;
	struct row *row;

	for (; ref != 0; ref = newer) {
		row = row_at(of, ref);
		newer = row->newer;
		if (over ? row_is_over(of, row)
			 : !row_is_held(of->shape, row, shm_owners(of->shm)))
			stripe_remove(s, of, row);
	}
	if (s->live == 0 && s->extents > 0)
		stripe_shrink(s, of);
}

uint32_t
stripe_sweep(struct stripe *s, const struct stripe_of *of)
{
	stripe_remove_all(s, of, true);
	return s->live;
}

void
stripe_clear(struct stripe *s, const struct stripe_of *of)
{
	stripe_remove_all(s, of, false);
}

void
stripe_walk(struct stripe *s, const struct stripe_of *of,
	bool (*told)(void *arg, const struct row *row), void *arg)
{
	uint32_t ref = s->newest;
	struct row *row;

	for (; ref != 0; ref = row->older) {
		row = row_at(of, ref);
		if (!row_is_over(of, row) && !told(arg, row))
			return;
	}
}

/* ---- the checker --------------------------------------------------------- */

static uint32_t
count_buckets(const struct stripe *s, const struct stripe_of *of, uint32_t most)
{
	uint32_t n = 0, i, ref;

	for (i = 0; i < STRIPE_BUCKETS; i++)
		for (ref = s->buckets[i]; ref != 0 && n <= most; n++) {
			const struct row *row = row_at(of, ref);

			if (!row_is_sound(of, row) ||
				row->hash % STRIPE_BUCKETS != i)
				return UINT32_MAX;
			ref = row->next;
		}
	return n;
}

const char *
stripe_check(const struct stripe *s, const struct stripe_of *of)
{
	uint32_t most, extents = 0, extent = 0, n, ref, before = 0;

	while ((extent = shm_next(of->shm, of->owner, extent)) != 0)
		extents += extent != s->own || s->extents > 0;
	most = extents * rows_per_extent(of->shape);
	if (extents != s->extents)
		return "it has other extents than it counts";
	if (count_buckets(s, of, most) != s->live)
		return "its buckets are not its rows";
	for (n = 0, ref = s->oldest; ref != 0 && n <= most; n++) {
		if (row_at(of, ref)->older != before)
			return "its order does not go both ways";
		before = ref;
		ref = row_at(of, ref)->newer;
	}
	if (n != s->live || before != s->newest)
		return "its order is not its rows";
	for (n = 0, ref = s->free; ref != 0 && n <= most; n++) {
		if (row_at(of, ref)->state == ROW_LIVE)
			return "a row that lives is free";
		ref = row_at(of, ref)->next;
	}
	return n + s->live == most ? NULL : "rows are missing";
}
