/* table.h - a table in shared memory, as one process sees it. */
#ifndef SHM_TABLE_H
#define SHM_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/table.h"
#include "shm/row.h"
#include "shm/shm.h"
#include "shm/stripe.h"

struct table_options {
	const char *name;
	const struct weir_column *columns; /* copied, but for names */
	unsigned ncolumns;
	uint32_t key_most;
	uint32_t holders; /* processes that may hold something of one key */
	size_t size;	  /* bytes of rows at most */
	uint64_t ttl_ms;  /* since the last use; 0: none */
	enum weir_full full;
};

struct weir_table {
	struct shm *shm;
	struct shm_zone *zone;
	struct stripe *stripes;
	struct weir_column columns[WEIR_COLUMNS];
	struct shape shape;
	struct table_options options;
	uint64_t me; /* owner of what is held here; 0: none */
	int32_t pid;
	uint32_t extents_most; /* of a stripe */
	struct owed *owed;     /* releases that have to be made up for */
	uint32_t n;	       /* of stripes: a power of two */
	uint64_t *later_ms;    /* by stripe: not to be waited for until then */
};

/* Opens the table, or makes it; for the master, before it forks.  *fresh: there
 * was none that is alike.  -1 with errno.  End with table_done(). */
int table_init(struct weir_table *t, struct shm *shm,
	const struct table_options *options, bool *fresh);
void table_done(struct weir_table *t);
/* This process, from here on, is that owner. */
void table_own(struct weir_table *t, uint64_t me);
/* Makes up for releases that could not be made, as a lock was not to be had;
 * true: none is left. */
bool table_settle(struct weir_table *t);
/* This was spent in a period that lasts left_ms still, of a key that is made if
 * need be; -1 with errno. */
int table_resume_period(struct weir_table *t, struct weir_bytes key,
	unsigned column, uint64_t n, uint64_t left_ms);
/* So many thousandths of that bucket have not come again, likewise. */
int table_resume_tokens(struct weir_table *t, struct weir_bytes key,
	unsigned column, const struct weir_bucket *b, uint64_t used);
/* Forgets them. */
void owed_drop(struct weir_table *t);
/* Removes the keys whose time has passed, of n stripes from *from on, which
 * goes around; how many keys are left in these. */
uint64_t table_sweep(struct weir_table *t, uint32_t *from, uint32_t n);
void table_clear(struct weir_table *t);
/* Calls told() for each row of the i-th of its n parts, with the lock of that
 * part, which is left when told says false; -1 with ETIMEDOUT. */
int table_walk_part(struct weir_table *t, uint32_t i,
	bool (*told)(void *arg, const struct row *row), void *arg);
/* The same for all parts but those whose lock cannot be had; how many these
 * are. */
uint32_t table_walk(struct weir_table *t,
	bool (*told)(void *arg, const struct row *row), void *arg);
/* Keys, as they are now. */
uint64_t table_count(struct weir_table *t);
/* How often somebody has died at work in it. */
uint64_t table_repaired(struct weir_table *t);
/* What is wrong with it; NULL: nothing. */
const char *table_check(struct weir_table *t);

#endif
