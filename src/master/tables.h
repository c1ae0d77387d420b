/* tables.h - the tables that a generation's extensions want, in the segment. */
#ifndef MASTER_TABLES_H
#define MASTER_TABLES_H

#include <stdbool.h>
#include <stddef.h>

#include "heritage.h"
#include "shm/shm.h"
#include "shm/table.h"

struct conf;
struct pauses;

struct tables {
	struct shm *shm;       /* NULL: none is wanted */
	struct pauses *pauses; /* in there */
	struct heritage_table *v;
	size_t n;
	struct weir_counters *counters; /* NULL: nobody counts */
};

/* Does this configuration need the segment? */
bool tables_wanted(const struct conf *conf);
/* Opens those that are there and makes the others: workers so many processes
 * may hold something of one key.  The same of series that are counted.  0, or
 * -1, logged.  End with tables_done(). */
int tables_open(struct tables *ts, struct shm *shm, const struct conf *conf,
	unsigned workers);
/* The keeper has read their files. */
void tables_filled(struct tables *ts);
/* Frees; what is in the segment stays. */
void tables_done(struct tables *ts);
/* Has it a table in this zone? */
bool tables_have(const struct tables *ts, const struct shm_zone *zone);

#endif
