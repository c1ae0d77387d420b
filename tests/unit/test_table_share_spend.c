/* test_table_share_spend.c - tokens and periods of a table that two machines
 * share. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/clock.h"
#include "lib/carry.h"
#include "lib/shared.h"
#include "shm/owner.h"

#define PERIOD_MS 10000

/* ---- tokens and periods -------------------------------------------------- */

static const struct weir_bucket bucket = {
	.rate = 1, .per_ms = 1000, .burst = 10
};

static int
draw(struct weir_table *t, uint64_t n)
{
	return weir_table_draw(t, shared_key("a"), TOKENS, &bucket, n, NULL);
}

static void
test_tokens_are_drawn_here_too_once(void **state)
{
	int i;

	(void)state;
	assert_int_equal(draw(&table, 2), 0);
	assert_int_equal(draw(&other, 3), 0);
	for (i = 0; i < 3; i++) {
		carry(&other, &table);
		carry(&table, &other);
	}
	assert_int_equal(shared_read("a", TOKENS), 5);
	assert_int_equal(other_is("a", TOKENS), 5);
	assert_int_equal(draw(&other, 4), 0);
	carry(&other, &table);
	carry(&other, &table);
	assert_int_equal(shared_read("a", TOKENS), 1);
	assert_int_equal(draw(&table, 2), -1);
	/* They come again once, for both. */
	clock_advance(3000);
	assert_int_equal(shared_read("a", TOKENS), 4);
}

static void
test_tokens_below_zero_are_bounded(void **state)
{
	int i;

	(void)state;
	assert_int_equal(draw(&table, 10), 0);
	for (i = 0; i < 10; i++) {
		uint64_t n = 10, ms;

		assert_int_equal(weir_table_book(&other, shared_key("a"),
					 TOKENS, &bucket, &n, &ms),
			0);
		carry(&other, &table);
	}
	assert_int_equal(shared_read("a", TOKENS), 0);
	clock_advance(9000);
	assert_int_equal(draw(&table, 1), -1);
	clock_advance(2000);
	assert_int_equal(draw(&table, 1), 0);
}

static void
test_tokens_that_come_back_are_not_lost(void **state)
{
	(void)state;
	assert_int_equal(draw(&table, 1), 0);
	assert_int_equal(draw(&other, 6), 0);
	carry(&other, &table);
	assert_int_equal(shared_read("a", TOKENS), 3);
	assert_int_equal(
		weir_table_refund(&other, shared_key("a"), TOKENS, 4), 0);
	carry(&other, &table);
	assert_int_equal(shared_read("a", TOKENS), 3);
	assert_int_equal(draw(&other, 4), 0);
	carry(&other, &table);
	assert_int_equal(shared_read("a", TOKENS), 3);
	assert_int_equal(draw(&other, 1), 0);
	carry(&other, &table);
	assert_int_equal(shared_read("a", TOKENS), 2);
}

/* Of long ago only what has not come again is drawn by who hears it first. */
static void
test_tokens_of_a_full_bucket_are_forgotten(void **state)
{
	(void)state;
	assert_int_equal(draw(&other, 9), 0);
	clock_advance(20000);
	assert_int_equal(draw(&other, 2), 0);
	assert_int_equal(carry_said(&other, 0, false), 1);
	assert_int_equal(carried[0].columns[TOKENS].n, 11);
	assert_int_equal(carried[0].columns[TOKENS].before, 2);
	assert_int_equal(carried[0].columns[TOKENS].epoch, 1000);
	carry_say(&table, false);
	assert_int_equal(draw(&table, 9), -1);
	assert_int_equal(draw(&table, 8), 0);
}

/* Who stays at a limit has a bucket that is never full: what has come back of
 * it meanwhile is not drawn by who hears it first. */
static void
test_tokens_of_a_limit_that_is_reached_are_few(void **state)
{
	uint64_t wait_ms = 0;
	int i;

	(void)state;
	assert_int_equal(draw(&other, 10), 0);
	for (i = 0; i < 3600; i++) {
		clock_advance(1000);
		assert_int_equal(draw(&other, 1), 0);
	}
	carry(&other, &table);
	assert_int_equal(weir_table_draw(&table, shared_key("a"), TOKENS,
				 &bucket, 1, &wait_ms),
		-1);
	assert_in_range(wait_ms, 1, 1000);
	clock_advance(1000);
	assert_int_equal(draw(&table, 1), 0);
}

/* Of many machines together too much is heard before it is known how big the
 * bucket is. */
static void
test_tokens_heard_first_are_bounded(void **state)
{
	uint64_t wait_ms = 0;

	(void)state;
	assert_int_equal(draw(&other, 10), 0);
	assert_int_equal(carry_said(&other, 0, false), 1);
	carried[0].columns[TOKENS].before = 360099;
	carry_say(&table, false);
	assert_int_equal(weir_table_draw(&table, shared_key("a"), TOKENS,
				 &bucket, 1, &wait_ms),
		-1);
	assert_in_range(wait_ms, 1, 11000);
	clock_advance(11000);
	assert_int_equal(draw(&table, 1), 0);
}

/* Some of those who have drawn are not heard again yet. */
static void
test_tokens_are_not_drawn_again_after_a_loss(void **state)
{
	int i;

	(void)state;
	for (i = 0; i < 4; i++) {
		assert_int_equal(draw(&other, 10), 0);
		clock_advance(20000);
	}
	assert_int_equal(carry_said(&other, 0, false), 1);
	carried[0].columns[TOKENS].before = 0; /* all came again */
	carry_say(&table, false);
	assert_int_equal(draw(&table, 1), 0);
	assert_int_equal(shared_read("a", TOKENS), 9);
	carried[0].columns[TOKENS].n -= 30;
	carry_say(&table, true);
	carried[0].columns[TOKENS].n += 30;
	carry_say(&table, true);
	carry_say(&table, false);
	assert_int_equal(shared_read("a", TOKENS), 9);
}

static int
spend(struct weir_table *t, uint64_t n, uint64_t *got)
{
	uint64_t left_ms;

	return weir_table_spend(
		t, shared_key("a"), PERIOD, PERIOD_MS, n, 100, got, &left_ms);
}

static void
test_a_period_is_spent_by_both(void **state)
{
	uint64_t got;

	(void)state;
	/* Not at the end of one. */
	clock_advance(PERIOD_MS - clock_wall_ms() % PERIOD_MS + 1);
	assert_int_equal(spend(&other, 60, &got), 0);
	assert_int_equal(spend(&table, 30, &got), 0);
	carry(&other, &table);
	carry(&other, &table);
	assert_int_equal(shared_read("a", PERIOD), 90);
	assert_int_equal(spend(&table, 30, &got), 0);
	assert_int_equal(got, 10);
	assert_int_equal(spend(&table, 30, &got), -1);
	assert_int_equal(errno, EDQUOT);
	assert_int_equal(spend(&table, 0, &got), -1);
	carry(&table, &other);
	assert_int_equal(other_is("a", PERIOD), 100);
	clock_advance(PERIOD_MS);
	assert_int_equal(shared_read("a", PERIOD), 0);
	assert_int_equal(spend(&table, 100, &got), 0);
	assert_int_equal(got, 100);
	/* What is old adds nothing. */
	carry(&other, &table);
	assert_int_equal(shared_read("a", PERIOD), 100);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		carry_test(test_tokens_are_drawn_here_too_once),
		carry_test(test_tokens_below_zero_are_bounded),
		carry_test(test_tokens_that_come_back_are_not_lost),
		carry_test(test_tokens_of_a_full_bucket_are_forgotten),
		carry_test(test_tokens_of_a_limit_that_is_reached_are_few),
		carry_test(test_tokens_heard_first_are_bounded),
		carry_test(test_tokens_are_not_drawn_again_after_a_loss),
		carry_test(test_a_period_is_spent_by_both),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
