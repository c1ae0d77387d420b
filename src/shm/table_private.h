/* table_private.h - what the parts of a table share. */
#ifndef SHM_TABLE_PRIVATE_H
#define SHM_TABLE_PRIVATE_H

#include "shm/table.h"

/* What stripe i needs to know, now. */
struct stripe_of table_of(const struct weir_table *t, uint32_t i);
/* Its lock is mine when this is 0; else -1 with ETIMEDOUT.  Who hangs (SIGSTOP,
 * a debugger) with a lock costs one wait a second. */
int table_lock(struct weir_table *t, uint32_t i, const struct stripe_of *of);

#endif
