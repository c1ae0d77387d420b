/* shared.h - a table in shared memory, for tests: one column of each type. */
#ifndef LIB_SHARED_H
#define LIB_SHARED_H

#include <stdbool.h>
#include <stdint.h>

#include "shm/table.h"

enum { COUNT, RATE, HELD, TOKENS, VALUE, COLUMNS };

/* A rate is of 1 s; tokens are 5, and 10 a second; a value has 11 bytes. */
extern const struct weir_column shared_columns[COLUMNS];
extern struct shm shm;
extern struct weir_table table;
extern struct table_options options;

/* Fixtures of a test: a segment, and an empty table with room for everything.
 * The second fails when the table is not in order. */
int shared_start(void **state);
int shared_stop(void **state);
/* The table of options, which is fresh, or not, by another owner. */
void shared_open(bool fresh_wanted);
/* The same in a segment of its own, after the end of the last one. */
void shared_anew(void);

struct weir_bytes shared_key(const char *text);
/* What the table has of it; UINT64_MAX: it has no such key. */
uint64_t shared_read(const char *key, unsigned column);

#endif
