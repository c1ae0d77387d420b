/* carry.h - two machines that share a table, for tests, and what is carried
 * from one to the other. */
#ifndef LIB_CARRY_H
#define LIB_CARRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/shared.h"

/* A row on its way. */
struct carried {
	char key[32];
	size_t len;
	struct weir_share columns[COLUMNS];
};

/* The other machine: a table of its own, in the segment of lib/shared.h. */
extern struct weir_table other;
/* What was said last, and when that was so, for those who are told. */
extern struct carried carried[];
extern unsigned carried_rows;
extern uint64_t carry_as_of;

/* Fixtures of a test: both tables are empty, and both in order at its end. */
int carry_start(void **state);
int carry_stop(void **state);
#define carry_test(f)                                                          \
	cmocka_unit_test_setup_teardown(f, carry_start, carry_stop)

/* For weir_table_changes(): keeps a row. */
bool carry_row(void *arg, struct weir_bytes key,
	const struct weir_share *columns, unsigned n);
/* Keeps what a table has to say since; how many rows. */
unsigned carry_said(struct weir_table *t, uint64_t since, bool gone);
/* Says that to a table. */
void carry_say(struct weir_table *t, bool more);
/* All that there is, one way. */
void carry(struct weir_table *from, struct weir_table *to);

/* As shared_read() and shared_add(), of the other machine. */
uint64_t other_is(const char *key, unsigned column);
void other_adds(const char *key, unsigned column, uint64_t n);

#endif
