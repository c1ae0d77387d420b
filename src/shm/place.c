/* place.c - where in a table a key is: its stripe, with the lock, and its row.
 */
#include <errno.h>

#include "base/clock.h"
#include "base/log.h"
#include "shm/crash.h"
#include "shm/place.h"
#include "shm/share.h"
#include "shm/siphash.h"

#define LATER_MS 1000 /* who hangs with a lock is not waited for again */

struct stripe_of
place_of(const struct weir_table *t, uint32_t i)
{
	return (struct stripe_of){ .shm = t->shm,
		.shape = &t->shape,
		.owner = SHM_OWNER(shm_zone_index(t->shm, t->zone), i),
		.extents_most = t->extents_most,
		.ttl_ms = t->options.ttl_ms,
		.now_ms = clock_ms() };
}

/* Who hangs (SIGSTOP, a debugger) with a lock costs one wait a second. */
int
place_lock_stripe(struct weir_table *t, uint32_t i, const struct stripe_of *of)
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
		return place_lock_stripe(t, i, of);
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
	p->of = place_of(t, i);
	p->stripe = &t->stripes[i];
	return place_lock_stripe(t, i, &p->of);
}

static struct row *
place_make(struct place *p, struct weir_table *t, struct weir_bytes key,
	bool evict)
{
	struct row *row;

	if (place_lock(p, t, key) == -1)
		return NULL;
	row = stripe_need(p->stripe, &p->of, key, p->hash, evict);
	if (row == NULL) {
		stripe_unlock(p->stripe);
		errno = ENOSPC;
		return NULL;
	}
	stripe_use(p->stripe, &p->of, row);
	return row;
}

struct row *
place_need(struct place *p, struct weir_table *t, struct weir_bytes key)
{
	return place_make(p, t, key, t->options.full == WEIR_FULL_EVICT);
}

struct row *
place_room(struct place *p, struct weir_table *t, struct weir_bytes key)
{
	return place_make(p, t, key, false);
}

struct row *
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

int
place_changed(struct place *p, struct weir_table *t, struct row *row, int rc)
{
	int err = errno;

	if (rc == 0)
		share_changed(
			&t->shape, row, (uint32_t)(p->stripe - t->stripes));
	errno = err;
	return place_done(p, rc);
}

int
place_done(struct place *p, int rc)
{
	int err = errno;

	shm_crash();
	stripe_unlock(p->stripe);
	errno = err;
	return rc;
}
