/* test_table_spend.c - buckets of tokens and periods of a table, of a size that
 * who asks has in its configuration. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/clock.h"
#include "lib/shared.h"
#include "shm/row.h"

#define MANY 200 /* who share a bucket */

static const struct weir_bucket small = { 10, 1000, 5 },
				per_minute = { 10, 60000, 10 },
				fast = { 1000000, 1000, 50000 };

static int
draw(const struct weir_bucket *b, uint64_t n, uint64_t *wait_ms)
{
	return weir_table_draw(&table, shared_key("a"), TOKENS, b, n, wait_ms);
}

static uint64_t
book(const struct weir_bucket *b, uint64_t *n)
{
	uint64_t wait_ms = 0;

	assert_int_equal(weir_table_book(&table, shared_key("a"), TOKENS, b, n,
				 &wait_ms),
		0);
	return wait_ms;
}

static int
spend(uint64_t period_ms, uint64_t n, uint64_t most, uint64_t *got)
{
	uint64_t left_ms = UINT64_MAX;
	int rc = weir_table_spend(&table, shared_key("a"), PERIOD, period_ms, n,
		most, got, &left_ms);

	assert_in_range(left_ms, 1, period_ms);
	return rc;
}

/* Up to a few ms behind the beginning of a period. */
static void
period_begin(uint64_t period_ms)
{
	clock_advance(period_ms - clock_wall_ms() % period_ms + 1);
}

/* ---- buckets ------------------------------------------------------------- */

static void
test_a_bucket_of_the_caller(void **state)
{
	uint64_t wait_ms;
	int i;

	(void)state;
	for (i = 0; i < 10; i++)
		assert_int_equal(draw(&per_minute, 1, NULL), 0);
	assert_int_equal(draw(&per_minute, 1, &wait_ms), -1);
	assert_int_equal(errno, EDQUOT);
	assert_in_range(wait_ms, 5990, 6000);
	assert_int_equal(shared_read("a", TOKENS), 0);
	clock_advance(1000);
	assert_int_equal(draw(&per_minute, 1, &wait_ms), -1);
	assert_in_range(wait_ms, 4900, 5100);
	clock_advance(wait_ms);
	assert_int_equal(draw(&per_minute, 1, NULL), 0);
	clock_advance(1000000);
	assert_int_equal(shared_read("a", TOKENS), 10);
	assert_int_equal(draw(&per_minute, 11, &wait_ms), -1);
	assert_true(wait_ms == UINT64_MAX);
}

/* What was drawn stays so, the table is the same. */
static void
test_a_bucket_of_another_size(void **state)
{
	static const struct weir_bucket big = { 10, 1000, 8 },
					none = { 0, 1000, 8 };
	uint64_t wait_ms;

	(void)state;
	assert_int_equal(draw(&small, 5, NULL), 0);
	assert_int_equal(draw(&small, 1, NULL), -1);
	assert_int_equal(draw(&big, 3, NULL), 0);
	assert_int_equal(draw(&big, 1, NULL), -1);
	assert_int_equal(draw(&none, 1, &wait_ms), -1);
	assert_true(wait_ms == UINT64_MAX);
	/* The column's own has room for 5. */
	clock_advance(300);
	assert_int_equal(draw(NULL, 1, NULL), -1);
	assert_int_equal(draw(&big, 2, NULL), 0);
}

/* Nobody gets more than the rate, and all the same. */
static void
test_bookings_are_fair(void **state)
{
	uint64_t due_ms[MANY], got[MANY] = { 0 }, n, all = 0, ms, least, most;
	int i;

	(void)state;
	for (i = 0; i < MANY; i++)
		due_ms[i] = 0;
	for (ms = 0; ms < 20000; ms++, clock_advance(1)) {
		for (i = 0; i < MANY; i++) {
			if (due_ms[i] > ms)
				continue;
			n = UINT32_MAX;
			due_ms[i] = ms + book(&fast, &n);
			if (ms < 10000)
				continue;
			got[i] += n;
			all += n;
		}
	}
	least = most = got[0];
	for (i = 1; i < MANY; i++) {
		least = got[i] < least ? got[i] : least;
		most = got[i] > most ? got[i] : most;
	}
	assert_in_range(all, 9500000, 10500000);
	assert_true(least * 10 > most * 9);
	/* Each was served again and again. */
	n = UINT32_MAX;
	assert_in_range(book(&fast, &n), 1, 3000);
}

/* Alone: the burst at once, then the rate, also if it comes late for it. */
static void
test_bookings_of_one(void **state)
{
	uint64_t n = 100, all, ms, due_ms;

	(void)state;
	assert_int_equal(book(&fast, &n), 0);
	assert_int_equal(n, 100);
	clock_advance(1000);
	for (ms = all = due_ms = 0; ms < 2000; ms += 20, clock_advance(20))
		while (due_ms <= ms) {
			n = UINT32_MAX;
			due_ms = ms + book(&fast, &n);
			all += n;
		}
	assert_in_range(all, 1950000, 2101000);
}

static void
test_what_is_booked_can_be_given_back(void **state)
{
	uint64_t n;

	(void)state;
	for (n = UINT32_MAX; book(&fast, &n) == 0; n = UINT32_MAX)
		;
	assert_int_equal(
		weir_table_refund(&table, shared_key("a"), TOKENS, n), 0);
	n = 1;
	assert_in_range(book(&fast, &n), 0, 1);
	assert_int_equal(
		weir_table_refund(&table, shared_key("a"), TOKENS, UINT64_MAX),
		0);
	assert_int_equal(draw(&fast, 50000, NULL), 0);
	assert_int_equal(
		weir_table_refund(&table, shared_key("b"), TOKENS, 1), -1);
	assert_int_equal(errno, ENOENT);
	assert_int_equal(
		weir_table_refund(&table, shared_key("a"), COUNT, 1), -1);
	assert_int_equal(errno, EINVAL);
}

/* A bucket that is in no table. */
static void
test_a_bucket_of_ones_own(void **state)
{
	struct weir_tokens tokens = { 0 };
	uint64_t wait_ms, n = 5;

	(void)state;
	assert_true(weir_tokens_draw(&tokens, &small, 4, 1000, NULL));
	assert_false(weir_tokens_draw(&tokens, &small, 3, 1000, &wait_ms));
	assert_int_equal(wait_ms, 200);
	assert_true(weir_tokens_draw(&tokens, &small, 3, 1200, NULL));
	assert_int_equal(weir_tokens_book(&tokens, &small, &n, 1200), 100);
	assert_int_equal(n, 1);
	n = 5;
	assert_int_equal(weir_tokens_book(&tokens, &small, &n, 1200), 200);
	assert_int_equal(n, 1);
	n = 5;
	assert_int_equal(weir_tokens_book(&tokens, &small, &n, 9000), 0);
	assert_int_equal(n, 5);
}

/* ---- periods ------------------------------------------------------------- */

static void
test_spent_in_a_period(void **state)
{
	uint64_t got;

	(void)state;
	period_begin(60000);
	assert_int_equal(spend(60000, 7, 10, &got), 0);
	assert_int_equal(got, 7);
	assert_int_equal(spend(60000, 7, 10, &got), 0);
	assert_int_equal(got, 3);
	assert_int_equal(spend(60000, 7, 10, &got), -1);
	assert_int_equal(errno, EDQUOT);
	assert_int_equal(got, 0);
	assert_int_equal(shared_read("a", PERIOD), 10);
	/* A higher limit, or lower, finds what was spent. */
	assert_int_equal(spend(60000, 7, 12, &got), 0);
	assert_int_equal(got, 2);
	assert_int_equal(spend(60000, 7, 5, &got), -1);
	assert_int_equal(spend(60000, 0, 5, &got), -1);
	assert_int_equal(spend(60000, 0, 13, &got), 0);
	clock_advance(60000);
	assert_int_equal(shared_read("a", PERIOD), 0);
	assert_int_equal(spend(60000, 7, 10, &got), 0);
	assert_int_equal(got, 7);
}

/* It ends at a full minute, whenever it was that something was spent first. */
static void
test_periods_begin_together(void **state)
{
	uint64_t got;

	(void)state;
	period_begin(60000);
	clock_advance(50000);
	assert_int_equal(spend(60000, 7, 10, &got), 0);
	clock_advance(9000);
	assert_int_equal(shared_read("a", PERIOD), 7);
	clock_advance(1000);
	assert_int_equal(shared_read("a", PERIOD), 0);
}

static void
test_a_period_of_another_length(void **state)
{
	uint64_t got;

	(void)state;
	period_begin(86400000);
	clock_advance(3600000 * 5 / 2);
	assert_int_equal(spend(3600000, 7, 10, &got), 0);
	/* What was spent counts, until the next one begins. */
	assert_int_equal(spend(86400000, 7, 10, &got), 0);
	assert_int_equal(got, 3);
	clock_advance(1800000);
	assert_int_equal(spend(86400000, 7, 10, &got), 0);
	assert_int_equal(got, 7);
	/* A day is more than an hour: that has begun since. */
	assert_int_equal(spend(3600000, 5, 10, &got), 0);
	assert_int_equal(got, 5);
	clock_advance(3600000);
	assert_int_equal(shared_read("a", PERIOD), 0);
}

static void
test_what_is_spent_can_be_given_back(void **state)
{
	uint64_t got;

	(void)state;
	period_begin(60000);
	assert_int_equal(spend(60000, 7, 10, &got), 0);
	assert_int_equal(
		weir_table_refund(&table, shared_key("a"), PERIOD, 4), 0);
	assert_int_equal(shared_read("a", PERIOD), 3);
	assert_int_equal(
		weir_table_refund(&table, shared_key("a"), PERIOD, 4), 0);
	assert_int_equal(shared_read("a", PERIOD), 0);
}

/* ---- columns ------------------------------------------------------------- */

static void
test_columns_by_name(void **state)
{
	(void)state;
	assert_int_equal(
		weir_table_column(&table, "tokens", WEIR_COLUMN_TOKENS),
		TOKENS);
	assert_int_equal(
		weir_table_column(&table, "period", WEIR_COLUMN_PERIOD),
		PERIOD);
	assert_int_equal(
		weir_table_column(&table, "tokens", WEIR_COLUMN_HELD), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(
		weir_table_column(&table, "token", WEIR_COLUMN_TOKENS), -1);
	assert_int_equal(errno, ENOENT);
}

#define spend_test(f)                                                          \
	cmocka_unit_test_setup_teardown(f, shared_start, shared_stop)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		spend_test(test_a_bucket_of_the_caller),
		spend_test(test_a_bucket_of_another_size),
		spend_test(test_bookings_are_fair),
		spend_test(test_bookings_of_one),
		spend_test(test_what_is_booked_can_be_given_back),
		spend_test(test_a_bucket_of_ones_own),
		spend_test(test_spent_in_a_period),
		spend_test(test_periods_begin_together),
		spend_test(test_a_period_of_another_length),
		spend_test(test_what_is_spent_can_be_given_back),
		spend_test(test_columns_by_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
