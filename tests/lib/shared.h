/* shared.h - a table in shared memory, for tests: one column of each type. */
#ifndef LIB_SHARED_H
#define LIB_SHARED_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "shm/table.h"

enum { COUNT, RATE, HELD, TOKENS, VALUE, PERIOD, COLUMNS };

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
/* A key of its own for each number, which it borrows. */
struct weir_bytes shared_number(const uint32_t *n);
/* Adds n, which must be possible; what it is then. */
uint64_t shared_add(const char *key, unsigned column, uint64_t n);
int shared_hold(const char *key, uint32_t n, uint64_t most);
/* Adds so many keys, from number 0 on, until the table is full; how many. */
uint32_t shared_fill(uint32_t most);
/* Runs in a process of its own, as another owner, which is killed when that was
 * 0; the owner's id, still alive. */
uint64_t shared_in_another(int (*what)(void));

/* Another process hangs with the locks of all parts of the table; which one. */
pid_t shared_hang(void);
/* It goes on, and ends. */
void shared_hang_end(pid_t pid);

#endif
