/* place.h - where in a table a key is: its stripe, with the lock, and its row.
 */
#ifndef SHM_PLACE_H
#define SHM_PLACE_H

#include "shm/table.h"

/* A key, found, with the lock of its stripe. */
struct place {
	struct stripe *stripe;
	struct stripe_of of;
	uint32_t hash;
};

/* What the i-th stripe needs to know of the table. */
struct stripe_of place_of(const struct weir_table *t, uint32_t i);
/* Takes the lock of the i-th stripe, for stripe_unlock(); -1 with ETIMEDOUT.
 * Who hangs (SIGSTOP, a debugger) with a lock costs one wait a second. */
int
place_lock_stripe(struct weir_table *t, uint32_t i, const struct stripe_of *of);
/* The row of the key, made if need be, with its lock; NULL with errno, and
 * without the lock. */
struct row *
place_need(struct place *p, struct weir_table *t, struct weir_bytes key);
/* The same, but no other key leaves for it. */
struct row *
place_room(struct place *p, struct weir_table *t, struct weir_bytes key);
/* The same of a key that is there, which is not used by that; else ENOENT. */
struct row *
place_find(struct place *p, struct weir_table *t, struct weir_bytes key);
/* As place_done(), after a change, if rc is 0, that other machines are told. */
int
place_changed(struct place *p, struct weir_table *t, struct row *row, int rc);
/* Ends what place_need() or place_find() began; rc and errno stay. */
int place_done(struct place *p, int rc);

#endif
