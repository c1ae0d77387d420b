/* carry.c - two machines that share a table, for tests. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/clock.h"
#include "lib/carry.h"
#include "lib/shared.h"

#define ROWS 64

struct weir_table other;
uint64_t carry_as_of;
struct carried carried[ROWS];
unsigned carried_rows;

int
carry_start(void **state)
{
	struct table_options others;
	bool fresh;

	if (shared_start(state) == -1)
		return -1;
	table_done(&table);
	options.shared = true;
	shared_open(true);
	others = options;
	others.name = "there";
	assert_int_equal(table_init(&other, &shm, &others, &fresh), 0);
	table_own(&other, table.me);
	assert_true(weir_table_self(&table) != weir_table_self(&other));
	carry_as_of = 0;
	return 0;
}

int
carry_stop(void **state)
{
	assert_null(table_check(&other));
	table_done(&other);
	return shared_stop(state);
}

bool
carry_row(void *arg, struct weir_bytes key, const struct weir_share *columns,
	unsigned n)
{
	(void)arg;
	assert_int_equal(n, COLUMNS);
	assert_true(carried_rows < ROWS);
	memcpy(carried[carried_rows].key, key.p, key.len);
	carried[carried_rows].len = key.len;
	memcpy(carried[carried_rows++].columns, columns, n * sizeof(*columns));
	return true;
}

unsigned
carry_said(struct weir_table *t, uint64_t since, bool gone)
{
	unsigned i;

	for (carried_rows = 0, i = 0; i < weir_table_parts(t); i++) {
		uint64_t from = since;

		assert_true(weir_table_changes(
				    t, i, &from, gone, carry_row, NULL) >= 0);
	}
	return carried_rows;
}

void
carry_say(struct weir_table *t, bool more)
{
	unsigned i;

	carry_as_of++;
	for (i = 0; i < carried_rows; i++) {
		struct weir_others o = { .as_of = carry_as_of,
			.more = more,
			.columns = carried[i].columns };

		assert_int_equal(weir_table_others(t,
					 (struct weir_bytes){
						 .p = (void *)carried[i].key,
						 .len = carried[i].len },
					 &o),
			0);
	}
}

void
carry(struct weir_table *from, struct weir_table *to)
{
	(void)carry_said(from, 0, false);
	carry_say(to, false);
	weir_table_fresh(to, 1000);
}

uint64_t
other_is(const char *key, unsigned column)
{
	uint64_t n = UINT64_MAX;

	(void)weir_table_read(&other, shared_key(key), column, &n);
	return n;
}

void
other_adds(const char *key, unsigned column, uint64_t n)
{
	assert_int_equal(
		weir_table_add(&other, shared_key(key), column, n, NULL), 0);
}
