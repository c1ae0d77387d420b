/* stripe.h - a part of a table: rows with one lock, found by hash, the one that
 * was used longest ago first to leave. */
#ifndef SHM_STRIPE_H
#define SHM_STRIPE_H

#include <pthread.h>
#include <stdalign.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shm/row.h"
#include "shm/shm.h"

#define STRIPE_BUCKETS 1024
#define STRIPE_WAIT_MS 20 /* for its lock, at most */

/* In the segment.  Rows say themselves whether they live; all that is here but
 * the lock is made anew from them when somebody has died at work. */
struct stripe {
	alignas(64) pthread_mutex_t lock;
	uint32_t own; /* extent that nobody else can have, with rows or not */
	uint32_t extents; /* that it has rows in; its own is the first */
	uint32_t live;	  /* rows */
	uint32_t free;	  /* first of those nobody's; 0: none */
	uint32_t newest, oldest;
	uint32_t repaired; /* how often */
	int32_t pid;	   /* who had the lock last */
	uint32_t buckets[STRIPE_BUCKETS];
};

/* What a stripe needs to know of its table. */
struct stripe_of {
	struct shm *shm;
	const struct shape *shape;
	uint32_t owner; /* of its extents */
	uint32_t extents_most;
	uint64_t ttl_ms; /* since the last use; 0: none */
	uint64_t now_ms;
};

/* A fresh one, of zeros, has an extent for owner of its own; -1 with errno. */
int stripe_init(struct stripe *s, struct shm *shm, uint32_t owner);
/* Its lock is mine when this is 0; else -1 with ETIMEDOUT.  wait: as long as
 * STRIPE_WAIT_MS, if need be.  *repaired is set when the last one died with the
 * lock, and what he left has been put in order (pthread_mutex_consistent(3)).*/
int stripe_lock(struct stripe *s, const struct stripe_of *of, bool wait,
	bool *repaired);
void stripe_unlock(struct stripe *s);

/* With its lock: */

/* The row of a key; NULL: there is none, or its time has passed. */
struct row *stripe_find(struct stripe *s, const struct stripe_of *of,
	struct weir_bytes key, uint32_t hash);
/* The row of a key, made if there is none; evict: another one may have to go
 * for it, but none in which something is held.  NULL with ENOSPC. */
struct row *stripe_need(struct stripe *s, const struct stripe_of *of,
	struct weir_bytes key, uint32_t hash, bool evict);
/* It is not the next to leave. */
void
stripe_touch(struct stripe *s, const struct stripe_of *of, struct row *row);
/* It was used now. */
void stripe_use(struct stripe *s, const struct stripe_of *of, struct row *row);
void
stripe_remove(struct stripe *s, const struct stripe_of *of, struct row *row);
/* Removes all whose time has passed, and gives back extents when none is left.
 * How many rows are left. */
uint32_t stripe_sweep(struct stripe *s, const struct stripe_of *of);
/* Removes all that are not held. */
void stripe_clear(struct stripe *s, const struct stripe_of *of);
/* What is wrong with it; NULL: nothing. */
const char *stripe_check(const struct stripe *s, const struct stripe_of *of);
/* Calls told() for each row, which may end that with false. */
void stripe_walk(struct stripe *s, const struct stripe_of *of,
	bool (*told)(void *arg, const struct row *row), void *arg);

#endif
