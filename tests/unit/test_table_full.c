/* test_table_full.c - tables without room for more: who is refused, who leaves,
 * and what is given back. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/clock.h"
#include "lib/shared.h"

static void
small(enum weir_full full)
{
	table_done(&table);
	options.name = "small";
	options.size = 1;
	options.ttl_ms = 60000;
	options.full = full;
	shared_open(true);
}

static void
test_f6_a_full_table_refuses(void **state)
{
	uint32_t before, n, from = 0;
	uint64_t now;

	(void)state;
	small(WEIR_FULL_REFUSE);
	before = shm_taken(&shm);
	n = shared_fill(100000);
	assert_in_range(n, 64, 1000);
	for (n = 0; n < 50; n++) {
		assert_int_equal(
			weir_table_read(&table, shared_number(&n), COUNT, &now),
			0);
		assert_int_equal(now, n);
	}
	clock_advance(60000);
	assert_int_equal(table_sweep(&table, &from, UINT32_MAX), 0);
	assert_int_equal(shm_taken(&shm), before);
	assert_true(shared_fill(50) == 50);
}

static void
test_memory_is_given_back(void **state)
{
	uint32_t before = shm_taken(&shm);

	(void)state;
	assert_int_equal(shared_fill(3500), 3500);
	assert_true(shm_taken(&shm) > before);
	table_clear(&table);
	assert_int_equal(shm_taken(&shm), before);
}

/* The one that was used longest ago goes, but not what is held. */
static void
test_f6_a_full_table_evicts(void **state)
{
	const uint32_t first = 0, second = 1, third = 2;
	uint64_t now;
	uint32_t n;

	(void)state;
	small(WEIR_FULL_EVICT);
	assert_int_equal(weir_table_hold(&table, shared_number(&first), HELD, 1,
				 1, NULL),
		0);
	assert_int_equal(
		weir_table_add(&table, shared_number(&second), COUNT, 5, NULL),
		0);
	assert_int_equal(
		weir_table_add(&table, shared_number(&third), COUNT, 5, NULL),
		0);
	for (n = 1000; n < 101000; n++) {
		assert_int_equal(weir_table_add(&table, shared_number(&n),
					 COUNT, 1, NULL),
			0);
		assert_int_equal(weir_table_add(&table, shared_number(&second),
					 COUNT, 1, NULL),
			0);
	}
	assert_int_equal(
		weir_table_read(&table, shared_number(&first), HELD, &now), 0);
	assert_int_equal(
		weir_table_read(&table, shared_number(&second), COUNT, &now),
		0);
	assert_int_equal(now, 100005);
	assert_int_equal(
		weir_table_read(&table, shared_number(&third), COUNT, &now),
		-1);
	assert_in_range(table_count(&table), 64, 1000);
}

/* However many are: those who are not leave. */
static void
test_many_that_are_held_hide_nobody(void **state)
{
	uint32_t n;

	(void)state;
	small(WEIR_FULL_EVICT);
	for (n = 0; n < 40; n++)
		assert_int_equal(weir_table_hold(&table, shared_number(&n),
					 HELD, 1, 1, NULL),
			0);
	for (; n < 10000; n++)
		if (weir_table_add(&table, shared_number(&n), COUNT, 1, NULL) ==
			-1)
			assert_int_equal(
				weir_table_add(&table, shared_number(&n), COUNT,
					1, NULL),
				0);
	for (n = 0; n < 40; n++)
		assert_int_equal(
			weir_table_release(&table, shared_number(&n), HELD, 1),
			0);
}

static void
test_a_table_that_is_all_held(void **state)
{
	uint32_t n = 0;

	(void)state;
	small(WEIR_FULL_EVICT);
	while (weir_table_hold(&table, shared_number(&n), HELD, 1, 1, NULL) ==
		0)
		assert_true(++n < 10000);
	assert_int_equal(errno, ENOSPC);
	table_clear(&table);
	assert_int_equal(table_count(&table), n);
}

#define table_test(f)                                                          \
	cmocka_unit_test_setup_teardown(f, shared_start, shared_stop)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		table_test(test_f6_a_full_table_refuses),
		table_test(test_memory_is_given_back),
		table_test(test_f6_a_full_table_evicts),
		table_test(test_many_that_are_held_hide_nobody),
		table_test(test_a_table_that_is_all_held),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
