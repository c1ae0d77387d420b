/* test_table.c - tables that processes share: columns, holds, time. */
#include <sys/wait.h>

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/clock.h"
#include "lib/shared.h"
#include "shm/owner.h"

/* ---- columns ------------------------------------------------------------- */

static void
test_counts(void **state)
{
	(void)state;
	assert_true(shared_read("a", COUNT) == UINT64_MAX);
	assert_int_equal(shared_add("a", COUNT, 3), 3);
	assert_int_equal(shared_add("a", COUNT, 4), 7);
	assert_int_equal(shared_add("b", COUNT, 1), 1);
	assert_int_equal(shared_add("", COUNT, 2), 2);
	assert_int_equal(shared_read("a", COUNT), 7);
	assert_int_equal(table_count(&table), 3);
	assert_int_equal(weir_table_delete(&table, shared_key("a")), 0);
	assert_true(shared_read("a", COUNT) == UINT64_MAX);
	assert_int_equal(weir_table_delete(&table, shared_key("a")), -1);
	assert_int_equal(errno, ENOENT);
	assert_int_equal(shared_add("a", COUNT, 1), 1);
}

static void
test_a_key_too_long(void **state)
{
	(void)state;
	assert_int_equal(weir_table_add(&table, shared_key("12345678901234567"),
				 COUNT, 1, NULL),
		-1);
	assert_int_equal(errno, EMSGSIZE);
	assert_int_equal(shared_add("1234567890123456", COUNT, 1), 1);
}

/* Of the last second, wherever it began. */
static void
test_rates(void **state)
{
	(void)state;
	clock_advance(1000 - clock_ms() % 1000);
	assert_int_equal(shared_add("a", RATE, 10000), 10000);
	clock_advance(500);
	assert_int_equal(shared_read("a", RATE), 10000);
	clock_advance(750);
	assert_in_range(shared_read("a", RATE), 6000, 7500);
	assert_in_range(shared_add("a", RATE, 10), 6010, 7510);
	clock_advance(1000);
	assert_in_range(shared_read("a", RATE), 5, 10);
	clock_advance(2000);
	assert_int_equal(shared_read("a", RATE), 0);
}

static void
test_tokens(void **state)
{
	uint64_t wait_ms;

	(void)state;
	assert_int_equal(
		weir_table_draw(&table, shared_key("a"), TOKENS, NULL, 4, NULL),
		0);
	assert_int_equal(shared_read("a", TOKENS), 1);
	assert_int_equal(weir_table_draw(&table, shared_key("a"), TOKENS, NULL,
				 3, &wait_ms),
		-1);
	assert_int_equal(errno, EDQUOT);
	assert_in_range(wait_ms, 101, 200);
	clock_advance(wait_ms);
	assert_int_equal(
		weir_table_draw(&table, shared_key("a"), TOKENS, NULL, 3, NULL),
		0);
	assert_in_range(shared_read("a", TOKENS), 0, 2);
	clock_advance(1000000);
	assert_int_equal(shared_read("a", TOKENS), 5);
	assert_int_equal(weir_table_draw(&table, shared_key("a"), TOKENS, NULL,
				 6, &wait_ms),
		-1);
	assert_true(wait_ms == UINT64_MAX);
}

static void
test_values(void **state)
{
	char out[16];
	size_t len;

	(void)state;
	assert_int_equal(weir_table_set(&table, shared_key("a"), VALUE,
				 shared_key("hello world")),
		0);
	assert_int_equal(weir_table_get(&table, shared_key("a"), VALUE, out,
				 sizeof(out), &len),
		0);
	assert_int_equal(len, 11);
	assert_memory_equal(out, "hello world", 11);
	assert_int_equal(weir_table_set(&table, shared_key("a"), VALUE,
				 shared_key("hello worlds")),
		-1);
	assert_int_equal(errno, EMSGSIZE);
	assert_int_equal(
		weir_table_get(&table, shared_key("a"), VALUE, out, 5, &len),
		0);
	assert_int_equal(len, 11);
	assert_int_equal(weir_table_get(&table, shared_key("b"), VALUE, out,
				 sizeof(out), &len),
		-1);
	assert_int_equal(errno, ENOENT);
}

/* Processes look at the clock once a turn, so some are late. */
static void
test_processes_with_different_clocks(void **state)
{
	uint64_t late_ms = (uint64_t)0 - 100, drawn = 0;
	int i;

	(void)state;
	clock_advance(2000 - clock_ms() % 1000);
	assert_int_equal(shared_add("a", RATE, 500), 500);
	for (i = 0; i < 10; i++) {
		clock_advance(late_ms);
		assert_true(shared_add("a", RATE, 1) >= 501);
		clock_advance(100);
		/* What was late is of the window before, and fades with it. */
		assert_true(shared_add("a", RATE, 1) >= 501);
		drawn += weir_table_draw(&table, shared_key("a"), TOKENS, NULL,
				 1, NULL) == 0;
		clock_advance(late_ms);
		drawn += weir_table_draw(&table, shared_key("a"), TOKENS, NULL,
				 1, NULL) == 0;
		clock_advance(100);
	}
	assert_in_range(drawn, 5, 6);
}

static void
test_columns_that_cannot_be(void **state)
{
	uint64_t now;
	char out[1];
	size_t len;

	(void)state;
	assert_int_equal(
		weir_table_add(&table, shared_key("a"), HELD, 1, NULL), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(
		weir_table_add(&table, shared_key("a"), COLUMNS, 1, NULL), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(
		weir_table_hold(&table, shared_key("a"), COUNT, 1, 1, NULL),
		-1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(
		weir_table_release(&table, shared_key("a"), RATE, 1), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(
		weir_table_draw(&table, shared_key("a"), VALUE, NULL, 1, NULL),
		-1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(
		weir_table_set(&table, shared_key("a"), COUNT, shared_key("")),
		-1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(
		weir_table_get(&table, shared_key("a"), COUNT, out, 1, &len),
		-1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(
		weir_table_read(&table, shared_key("a"), COLUMNS, &now), -1);
	assert_int_equal(errno, EINVAL);
	table_own(&table, 0);
	assert_int_equal(shared_hold("a", 1, 1), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(table_count(&table), 0);
}

/* ---- what is held -------------------------------------------------------- */

static void
test_held_up_to_a_limit(void **state)
{
	uint64_t now;

	(void)state;
	assert_int_equal(shared_hold("a", 2, 3), 0);
	assert_int_equal(
		weir_table_hold(&table, shared_key("a"), HELD, 2, 3, &now), -1);
	assert_int_equal(errno, EDQUOT);
	assert_int_equal(now, 2);
	assert_int_equal(shared_hold("a", 1, 3), 0);
	assert_int_equal(shared_read("a", HELD), 3);
	assert_int_equal(
		weir_table_release(&table, shared_key("a"), HELD, 2), 0);
	assert_int_equal(shared_read("a", HELD), 1);
	assert_int_equal(
		weir_table_release(&table, shared_key("a"), HELD, 5), 0);
	assert_int_equal(shared_read("a", HELD), 0);
	assert_int_equal(
		weir_table_release(&table, shared_key("b"), HELD, 1), -1);
	assert_int_equal(errno, ENOENT);
}

static int
hold_two(void)
{
	return shared_hold("a", 2, 10);
}

/* It ends with who held it: no slot leaks. */
static void
test_f4_what_the_dead_held_is_free(void **state)
{
	uint64_t id;
	int i;

	(void)state;
	assert_int_equal(shared_hold("a", 1, 10), 0);
	for (i = 0; i < 100; i++) {
		id = shared_in_another(hold_two);
		assert_int_equal(shared_read("a", HELD), 3);
		assert_int_equal(shared_hold("a", 1, 3), -1);
		assert_int_equal(errno, EDQUOT);
		owner_end(shm_owners(&shm), id);
		assert_int_equal(shared_read("a", HELD), 1);
	}
	assert_int_equal(shared_hold("a", 2, 3), 0);
}

static void
test_more_holders_than_there_is_room_for(void **state)
{
	uint64_t ids[2];

	(void)state;
	assert_int_equal(shared_hold("a", 1, 10), 0);
	ids[0] = shared_in_another(hold_two);
	ids[1] = shared_in_another(hold_two);
	table_own(&table, owner_begin(shm_owners(&shm)));
	assert_int_equal(shared_hold("a", 1, 10), -1);
	assert_int_equal(errno, ENOSPC);
	owner_end(shm_owners(&shm), ids[0]);
	assert_int_equal(shared_hold("a", 1, 10), 0);
	assert_int_equal(shared_read("a", HELD), 4);
}

/* Else another could hold what is held already. */
static void
test_a_key_that_is_held_stays(void **state)
{
	(void)state;
	assert_int_equal(shared_hold("a", 2, 2), 0);
	shared_add("a", COUNT, 5);
	assert_int_equal(weir_table_delete(&table, shared_key("a")), 0);
	assert_int_equal(shared_read("a", COUNT), 0);
	assert_int_equal(shared_read("a", HELD), 2);
	table_clear(&table);
	assert_int_equal(shared_hold("a", 1, 2), -1);
	assert_int_equal(errno, EDQUOT);
	assert_int_equal(
		weir_table_release(&table, shared_key("a"), HELD, 2), 0);
	assert_int_equal(weir_table_delete(&table, shared_key("a")), 0);
	assert_int_equal(table_count(&table), 0);
}

/* ---- time ---------------------------------------------------------------- */

static void
test_keys_end_when_nobody_uses_them(void **state)
{
	(void)state;
	table_done(&table);
	options.ttl_ms = 1000;
	shared_open(false);
	shared_add("a", COUNT, 1);
	shared_add("b", COUNT, 1);
	assert_int_equal(shared_hold("c", 1, 1), 0);
	clock_advance(600);
	assert_int_equal(shared_add("a", COUNT, 1), 2);
	clock_advance(600);
	assert_int_equal(shared_read("a", COUNT), 2);
	assert_true(shared_read("b", COUNT) == UINT64_MAX);
	clock_advance(100000);
	assert_true(shared_read("a", COUNT) == UINT64_MAX);
	assert_int_equal(shared_read("c", HELD), 1); /* it is used */
}

static void
test_a_key_with_a_time_of_its_own(void **state)
{
	(void)state;
	shared_add("a", COUNT, 1);
	assert_int_equal(weir_table_expire(&table, shared_key("a"), 500), 0);
	assert_int_equal(weir_table_expire(&table, shared_key("b"), 500), -1);
	assert_int_equal(errno, ENOENT);
	clock_advance(100);
	assert_int_equal(shared_add("a", COUNT, 1), 2);
	clock_advance(400);
	assert_true(shared_read("a", COUNT) == UINT64_MAX);
}

/* A value comes with its end, and one that does not fit changes nothing. */
static void
test_a_value_with_its_time(void **state)
{
	char long_value[WEIR_CELL_MOST + 1] = "";
	struct weir_bytes key = shared_key("a");
	uint64_t left;

	(void)state;
	assert_int_equal(
		weir_table_store(&table, key, VALUE, shared_key("x"), 500), 0);
	assert_int_equal(weir_table_left(&table, key, &left), 0);
	assert_int_equal(left, 500);
	assert_int_equal(
		weir_table_store(&table, key, VALUE,
			(struct weir_bytes){ .p = (const uint8_t *)long_value,
				.len = sizeof(long_value) },
			UINT64_MAX),
		-1);
	assert_int_equal(errno, EMSGSIZE);
	assert_int_equal(
		weir_table_store(&table, key, COUNT, shared_key("x"), 1), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(weir_table_left(&table, key, &left), 0);
	assert_int_equal(left, 500);
	assert_int_equal(weir_table_store(&table, key, VALUE, shared_key("y"),
				 UINT64_MAX),
		0);
	assert_int_equal(weir_table_left(&table, key, &left), 0);
	assert_true(left == UINT64_MAX);
}

#define table_test(f)                                                          \
	cmocka_unit_test_setup_teardown(f, shared_start, shared_stop)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		table_test(test_counts),
		table_test(test_a_key_too_long),
		table_test(test_rates),
		table_test(test_tokens),
		table_test(test_values),
		table_test(test_processes_with_different_clocks),
		table_test(test_columns_that_cannot_be),
		table_test(test_held_up_to_a_limit),
		table_test(test_f4_what_the_dead_held_is_free),
		table_test(test_more_holders_than_there_is_room_for),
		table_test(test_a_key_that_is_held_stays),
		table_test(test_keys_end_when_nobody_uses_them),
		table_test(test_a_key_with_a_time_of_its_own),
		table_test(test_a_value_with_its_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
