/* test_table_share.c - a table that two machines share: what one has, the other
 * counts, and nothing counts twice. */
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
#include "shm/share.h"

#define PARTS 64

/* ---- counts and rates ---------------------------------------------------- */

static void
test_counts_add_up_and_never_twice(void **state)
{
	int i;

	(void)state;
	shared_add("a", COUNT, 5);
	other_adds("a", COUNT, 7);
	other_adds("b", COUNT, 1);
	for (i = 0; i < 3; i++) {
		carry(&table, &other);
		carry(&other, &table);
	}
	assert_int_equal(shared_read("a", COUNT), 12);
	assert_int_equal(other_is("a", COUNT), 12);
	assert_int_equal(shared_read("b", COUNT), 1);
	assert_int_equal(shared_add("a", COUNT, 1), 13);
	/* What others have is not said as one's own. */
	assert_int_equal(carry_said(&table, 0, true), 1);
	assert_int_equal(carried[0].columns[COUNT].n, 6);
}

/* Keeps what was changed since the last time; how many rows. */
static unsigned
changes(uint64_t since[static PARTS])
{
	unsigned i;

	assert_true(weir_table_parts(&table) <= PARTS);
	for (carried_rows = 0, i = 0; i < weir_table_parts(&table); i++)
		(void)weir_table_changes(
			&table, i, &since[i], false, carry_row, NULL);
	return carried_rows;
}

static void
test_only_what_changed_is_said(void **state)
{
	uint64_t since[PARTS] = { 0 };

	(void)state;
	shared_add("a", COUNT, 5);
	shared_add("b", COUNT, 5);
	assert_int_equal(changes(since), 2);
	/* To read is no change. */
	assert_int_equal(shared_read("a", COUNT), 5);
	assert_int_equal(changes(since), 0);
	shared_add("a", COUNT, 5);
	assert_int_equal(changes(since), 1);
	assert_int_equal(carried[0].key[0], 'a');
	assert_int_equal(changes(since), 0);
}

static void
test_a_rate_is_that_of_both(void **state)
{
	(void)state;
	shared_add("a", RATE, 10);
	other_adds("a", RATE, 30);
	carry(&other, &table);
	assert_int_equal(shared_read("a", RATE), 40);
	clock_advance(2000);
	assert_int_equal(shared_read("a", RATE), 0);
	carry(&other, &table);
	assert_int_equal(shared_read("a", RATE), 0);
}

static void
test_less_is_no_news_after_a_loss(void **state)
{
	(void)state;
	other_adds("a", COUNT, 7);
	carry(&other, &table);
	assert_int_equal(weir_table_delete(&other, shared_key("a")), 0);
	assert_int_equal(carry_said(&other, 0, false), 1);
	carry_say(&table, true);
	assert_int_equal(shared_read("a", COUNT), 7);
	carry_say(&table, false);
	assert_int_equal(shared_read("a", COUNT), 0);
}

static void
test_who_is_late_says_nothing(void **state)
{
	(void)state;
	other_adds("a", COUNT, 7);
	carry_as_of = 1000;
	carry(&other, &table);
	other_adds("a", COUNT, 1);
	carry_as_of = 500;
	carry(&other, &table);
	assert_int_equal(shared_read("a", COUNT), 7);
	/* So late that it is the clock which was set. */
	carry_as_of = 1000 + 20000000;
	carry(&other, &table);
	assert_int_equal(shared_read("a", COUNT), 8);
	carry_as_of = 2000;
	other_adds("a", COUNT, 1);
	carry(&other, &table);
	assert_int_equal(shared_read("a", COUNT), 9);
}

/* Its clock is wrong: what it has now is not what was lately. */
static void
test_a_rate_from_the_future_is_none(void **state)
{
	(void)state;
	shared_add("a", RATE, 10);
	other_adds("a", RATE, 30);
	assert_int_equal(carry_said(&other, 0, false), 1);
	carried[0].columns[RATE].epoch += 10;
	carry_say(&table, false);
	assert_int_equal(shared_read("a", RATE), 10);
	carried[0].columns[RATE].epoch -= 10;
	carry_say(&table, false);
	assert_int_equal(shared_read("a", RATE), 40);
}

/* It was an hour ahead, until somebody has set it. */
static void
test_a_clock_that_is_set_back(void **state)
{
	(void)state;
	table.shape.share->ahead_ms += 3600000;
	shared_add("a", RATE, 10);
	assert_int_equal(shared_read("a", RATE), 10);
	assert_in_range(weir_table_clock(&table), clock_wall_ms() - 1000,
		clock_wall_ms() + 1000);
	assert_int_equal(shared_read("a", RATE), 0);
	assert_int_equal(shared_add("a", RATE, 1), 1);
	clock_advance(2000);
	assert_int_equal(shared_read("a", RATE), 0);
}

static void
test_others_hear_of_the_end_of_all(void **state)
{
	uint64_t since[PARTS] = { 0 };

	(void)state;
	shared_add("a", COUNT, 5);
	other_adds("a", COUNT, 7);
	assert_int_equal(shared_hold("a", 1, 3), 0);
	assert_int_equal(changes(since), 1);
	carry_say(&other, false);
	carry(&other, &table);
	assert_int_equal(changes(since), 0);
	table_clear(&table);
	assert_int_equal(shared_read("a", COUNT), 7);
	assert_int_equal(shared_read("a", HELD), 1);
	assert_int_equal(changes(since), 1);
	carry_say(&other, false);
	assert_int_equal(other_is("a", COUNT), 7);
	assert_int_equal(
		weir_table_release(&table, shared_key("a"), HELD, 1), 0);
}

/* ---- what is held -------------------------------------------------------- */

static void
test_what_others_hold_counts_while_they_are_heard(void **state)
{
	uint64_t now;

	(void)state;
	assert_int_equal(
		weir_table_hold(&other, shared_key("a"), HELD, 2, 3, &now), 0);
	carry(&other, &table);
	assert_int_equal(shared_hold("a", 1, 3), 0);
	assert_int_equal(shared_hold("a", 1, 3), -1);
	assert_int_equal(errno, EDQUOT);
	assert_int_equal(shared_read("a", HELD), 3);
	clock_advance(1001);
	assert_int_equal(shared_read("a", HELD), 1);
	assert_int_equal(shared_hold("a", 2, 3), 0);
	assert_int_equal(
		weir_table_release(&table, shared_key("a"), HELD, 3), 0);
	assert_int_equal(
		weir_table_release(&other, shared_key("a"), HELD, 2), 0);
	carry(&other, &table);
	assert_int_equal(shared_read("a", HELD), 0);
}

static int
hold_and_die(void)
{
	return shared_hold("a", 2, 3);
}

static void
test_f4_who_dies_lets_go_elsewhere_too(void **state)
{
	uint64_t turn = weir_table_turn(&table), id;
	unsigned i, n = 0;

	(void)state;
	id = shared_in_another(hold_and_die);
	carry(&table, &other);
	assert_int_equal(other_is("a", HELD), 2);
	owner_end(shm_owners(&shm), id);
	assert_true(weir_table_turn(&table) != turn);
	/* Nothing was changed, but what was said is not so any more. */
	for (i = 0; i < weir_table_parts(&table); i++) {
		uint64_t since = UINT64_MAX;

		carried_rows = 0;
		(void)weir_table_changes(
			&table, i, &since, true, carry_row, NULL);
		n += carried_rows;
		carry_say(&other, false);
	}
	assert_int_equal(n, 1);
	assert_int_equal(other_is("a", HELD), 0);
}

static void
test_a_row_that_others_hold_stays(void **state)
{
	uint32_t from = 0;

	(void)state;
	table.options.ttl_ms = 500;
	assert_int_equal(
		weir_table_hold(&other, shared_key("a"), HELD, 1, 3, NULL), 0);
	carry(&other, &table);
	clock_advance(600);
	assert_int_equal(table_sweep(&table, &from, table.n), 1);
	clock_advance(600);
	assert_int_equal(table_sweep(&table, &from, table.n), 0);
	assert_int_equal(
		weir_table_release(&other, shared_key("a"), HELD, 1), 0);
}

/* Else nobody would tell them that it is not so any more. */
static void
test_a_row_that_others_believe_is_held_stays(void **state)
{
	uint32_t from = 0;

	(void)state;
	table.options.ttl_ms = 500;
	assert_int_equal(shared_hold("a", 1, 3), 0);
	carry(&table, &other);
	assert_int_equal(
		weir_table_release(&table, shared_key("a"), HELD, 1), 0);
	clock_advance(600);
	assert_int_equal(table_sweep(&table, &from, table.n), 1);
	carry(&table, &other);
	assert_int_equal(other_is("a", HELD), 0);
	clock_advance(600);
	assert_int_equal(table_sweep(&table, &from, table.n), 0);
}

static void
test_no_key_takes_the_room_of_one_that_is_believed_held(void **state)
{
	(void)state;
	table.options.full = WEIR_FULL_EVICT;
	assert_int_equal(shared_hold("a", 1, 3), 0);
	carry(&table, &other);
	assert_int_equal(
		weir_table_release(&table, shared_key("a"), HELD, 1), 0);
	assert_int_equal(shared_fill(100000), 100000);
	assert_true(table_count(&table) < 100000);
	assert_int_equal(shared_read("a", HELD), 0);
}

/* Two that differ only in the end of their names, as long as one may be. */
static void
test_tables_of_long_names(void **state)
{
	char names[2][SHM_NAME];
	struct weir_table t[2];
	bool fresh;
	int i;

	(void)state;
	for (i = 0; i < 2; i++) {
		memset(names[i], 'x', SHM_NAME);
		names[i][SHM_NAME - 2] = (char)('0' + i);
		names[i][SHM_NAME - 1] = '\0';
		options.name = names[i];
		assert_int_equal(table_init(&t[i], &shm, &options, &fresh), 0);
		assert_true(fresh);
	}
	assert_true(weir_table_self(&t[0]) != weir_table_self(&t[1]));
	table_done(&t[0]);
	table_done(&t[1]);
	options.name = "t";
}

/* ---- room ---------------------------------------------------------------- */

static void
test_others_take_no_room_from_anybody(void **state)
{
	struct weir_share columns[COLUMNS] = { [COUNT] = { .n = 1 } };
	struct weir_others o = { .as_of = 1, .columns = columns };

	(void)state;
	table.options.full = WEIR_FULL_REFUSE;
	assert_int_equal(weir_table_others(&table, shared_key("a"), &o), -1);
	assert_true(shared_read("a", COUNT) == UINT64_MAX);
	table.options.full = WEIR_FULL_EVICT;
	assert_int_equal(weir_table_others(&table, shared_key("a"), &o), 0);
	assert_int_equal(shared_read("a", COUNT), 1);
	/* Nothing makes no row. */
	columns[COUNT].n = 0;
	assert_int_equal(weir_table_others(&table, shared_key("b"), &o), -1);
	assert_true(shared_read("b", COUNT) == UINT64_MAX);
}

static void
test_a_full_table_evicts_nobody_for_others(void **state)
{
	struct weir_share columns[COLUMNS] = { [COUNT] = { .n = 1 } };
	struct weir_others o = { .as_of = 1, .columns = columns };
	uint32_t n = shared_fill(100000), i, most;

	(void)state;
	most = (uint32_t)table_count(&table);
	for (i = 200000; i < 200100; i++)
		(void)weir_table_others(&table, shared_number(&i), &o);
	assert_true(n > 0);
	assert_int_equal(table_count(&table), most);
}

static bool
row_told(void *arg, struct weir_bytes key, const struct weir_share *columns,
	unsigned n)
{
	(void)key;
	(void)columns;
	(void)n;
	++*(unsigned *)arg;
	return true;
}

/* Holds keys, from number 0 on, until there is no room; how many. */
static uint32_t
hold_all(void)
{
	uint32_t n;

	for (n = 0; n < 100000; n++)
		if (weir_table_hold(
			    &table, shared_number(&n), HELD, 1, 1, NULL) == -1)
			break;
	assert_int_equal(errno, ENOSPC);
	return n;
}

static void
test_who_comes_here_has_the_room_of_what_others_hold(void **state)
{
	struct weir_share columns[COLUMNS] = { [HELD] = { .n = 1 } };
	struct weir_others o = { .as_of = 1, .columns = columns };
	uint32_t i;

	(void)state;
	table.options.full = WEIR_FULL_EVICT;
	weir_table_fresh(&table, 1000);
	for (i = 200000; i < 300000; i++)
		(void)weir_table_others(&table, shared_number(&i), &o);
	assert_in_range(table_count(&table), 100, 99999);
	for (i = 0; i < 1000; i++)
		assert_int_equal(weir_table_hold(&table, shared_number(&i),
					 HELD, 1, 1, NULL),
			0);
	/* But none goes that is held here. */
	for (i = 0; i < 1000; i++)
		assert_int_equal(
			weir_table_release(&table, shared_number(&i), HELD, 1),
			0);
}

/* While nothing is exchanged, nobody takes back what others believe. */
static void
test_what_others_believed_keeps_no_room_without_them(void **state)
{
	unsigned told = 0, i;
	uint32_t n, k;

	(void)state;
	table.options.full = WEIR_FULL_EVICT;
	n = hold_all();
	assert_true(n > 100);
	for (i = 0; i < weir_table_parts(&table); i++) {
		uint64_t since = 0;

		assert_true(weir_table_changes(&table, i, &since, false,
				    row_told, &told) >= 0);
	}
	assert_int_equal(told, n);
	weir_table_fresh(&table, 1000);
	for (k = 0; k < n; k++)
		assert_int_equal(
			weir_table_release(&table, shared_number(&k), HELD, 1),
			0);
	clock_advance(1001);
	assert_int_equal(shared_fill(100000), 100000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		carry_test(test_counts_add_up_and_never_twice),
		carry_test(test_only_what_changed_is_said),
		carry_test(test_a_rate_is_that_of_both),
		carry_test(test_a_rate_from_the_future_is_none),
		carry_test(test_a_clock_that_is_set_back),
		carry_test(test_others_hear_of_the_end_of_all),
		carry_test(test_less_is_no_news_after_a_loss),
		carry_test(test_who_is_late_says_nothing),
		carry_test(test_what_others_hold_counts_while_they_are_heard),
		carry_test(test_f4_who_dies_lets_go_elsewhere_too),
		carry_test(test_a_row_that_others_hold_stays),
		carry_test(test_a_row_that_others_believe_is_held_stays),
		carry_test(
			test_no_key_takes_the_room_of_one_that_is_believed_held),
		carry_test(test_tables_of_long_names),
		carry_test(test_others_take_no_room_from_anybody),
		carry_test(test_a_full_table_evicts_nobody_for_others),
		carry_test(
			test_who_comes_here_has_the_room_of_what_others_hold),
		carry_test(
			test_what_others_believed_keeps_no_room_without_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
