/* test_timeouts.c - limits are due at their time, in order, never before. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>
#include <cmocka.h>

#include "engine/timeouts.h"
#include "lib/chance.h"

#define MANY 500

struct item {
	struct timeout t;
	uint64_t due_ms; /* 0: none */
	enum timeout_kind kind;
	unsigned told;
};

static struct timeouts ts;
static struct item items[MANY];
static uint64_t now_ms, last_due_ms;
static struct item *again; /* is set anew when it is due */

static void
set(struct item *it, enum timeout_kind kind, uint32_t value_ms, uint64_t since)
{
	timeouts_set(&ts, &it->t, kind, value_ms, since);
	it->kind = kind;
	it->due_ms = value_ms == 0 ? 0 : since + value_ms;
}

static void
due(struct timeout *t, enum timeout_kind kind)
{
	struct item *it = (struct item *)t;

	assert_int_equal(kind, it->kind);
	assert_int_equal(t->kind, TIMEOUT_NONE);
	assert_int_not_equal(it->due_ms, 0);
	assert_true(it->due_ms <= now_ms);
	it->told++;
	it->due_ms = 0;
	if (it == again)
		set(it, TIMEOUT_IDLE, 50, now_ms);
}

static unsigned crowd_told;

/* The first time it turns out to have been active since. */
static void
crowd_due(struct timeout *t, enum timeout_kind kind)
{
	crowd_told++;
	if (kind == TIMEOUT_IDLE)
		timeouts_set(&ts, t, TIMEOUT_HALF_CLOSE, 600000,
			ts.now_ms - chance(60000));
}

static int
start(void **state)
{
	size_t i;

	(void)state;
	timeouts_init(&ts, 1000);
	for (i = 0; i < MANY; i++)
		items[i] = (struct item){ 0 };
	now_ms = 1000;
	again = NULL;
	return 0;
}

static int
stop(void **state)
{
	(void)state;
	return 0;
}

static void
sweep(uint64_t at_ms)
{
	now_ms = at_ms;
	timeouts_sweep(&ts, at_ms, due);
}

static void
test_due_at_its_time_and_once(void **state)
{
	(void)state;
	assert_int_equal(ts.next_ms, UINT64_MAX);
	set(&items[0], TIMEOUT_IDLE, 100, 1000);
	assert_in_range(ts.next_ms, now_ms, 1100);
	sweep(1099);
	assert_int_equal(items[0].told, 0);
	sweep(1100);
	assert_int_equal(items[0].told, 1);
	sweep(5000);
	assert_int_equal(items[0].told, 1);
	assert_int_equal(ts.next_ms, UINT64_MAX);
}

static void
test_zero_is_never(void **state)
{
	(void)state;
	set(&items[0], TIMEOUT_IDLE, 0, 1000);
	assert_int_equal(items[0].t.kind, TIMEOUT_NONE);
	set(&items[0], TIMEOUT_IDLE, 10, 1000);
	set(&items[0], TIMEOUT_IDLE, 0, 1000);
	sweep(UINT64_MAX - 1);
	assert_int_equal(items[0].told, 0);
}

static void
test_set_anew_replaces(void **state)
{
	(void)state;
	set(&items[0], TIMEOUT_IDLE, 100, 1000);
	set(&items[0], TIMEOUT_CONNECT, 300, 1000);
	sweep(1299);
	assert_int_equal(items[0].told, 0);
	assert_in_range(ts.next_ms, now_ms, 1300);
	sweep(1300);
	assert_int_equal(items[0].told, 1);
}

static void
test_clear(void **state)
{
	(void)state;
	set(&items[0], TIMEOUT_IDLE, 100, 1000);
	set(&items[1], TIMEOUT_IDLE, 100, 1000);
	timeouts_clear(&ts, &items[0].t);
	timeouts_clear(&ts, &items[0].t);
	sweep(2000);
	assert_int_equal(items[0].told, 0);
	assert_int_equal(items[1].told, 1);
}

static void
test_early_ones_are_sorted_in(void **state)
{
	(void)state;
	set(&items[0], TIMEOUT_IDLE, 100, 1050);
	set(&items[1], TIMEOUT_IDLE, 100, 1000);
	set(&items[2], TIMEOUT_IDLE, 100, 1025);
	sweep(1100);
	assert_int_equal(items[1].told, 1);
	assert_in_range(ts.next_ms, now_ms, 1125);
	sweep(1125);
	assert_int_equal(items[2].told, 1);
	assert_int_equal(items[0].told, 0);
	assert_in_range(ts.next_ms, now_ms, 1150);
}

static void
test_set_anew_while_due(void **state)
{
	(void)state;
	again = &items[0];
	set(&items[0], TIMEOUT_IDLE, 50, 1000);
	sweep(1050);
	assert_int_equal(items[0].told, 1);
	assert_in_range(ts.next_ms, now_ms, 1100);
	sweep(1100);
	assert_int_equal(items[0].told, 2);
}

static void
test_many_at_random(void **state)
{
	static const uint32_t values[] = { 0, 5, 10, 300, 301, 60000 };
	unsigned told = 0, step;
	size_t i;

	(void)state;
	for (step = 0; step < 200000; step++) {
		struct item *it = &items[chance(MANY)];
		uint64_t since_ms = now_ms - chance(4);

		if (chance(4) == 0) {
			timeouts_clear(&ts, &it->t);
			it->due_ms = 0;
		} else {
			set(it, TIMEOUT_IDLE, values[chance(6)], since_ms);
		}
		if (chance(8) == 0)
			sweep(now_ms + chance(20));
		last_due_ms = UINT64_MAX;
		if (step % 64 != 0)
			continue;
		for (i = 0; i < MANY; i++)
			if (items[i].due_ms != 0 &&
				items[i].due_ms < last_due_ms)
				last_due_ms = items[i].due_ms;
		/* May wake early, must not wake late. */
		assert_true(ts.next_ms <= last_due_ms);
	}
	sweep(now_ms + 100000);
	for (i = 0; i < MANY; i++) {
		assert_int_equal(items[i].due_ms, 0);
		told += items[i].told;
	}
	assert_true(told > 1000);
}

/* Each far one is due at its millisecond, whatever level it starts on. */
static void
test_far_ones(void **state)
{
	static const uint32_t values[] = { 1, 63, 64, 65, 4095, 4096, 4097,
		262143, 262144, 16777216, 16777217, 1073741824, UINT32_MAX };
	const size_t n = sizeof(values) / sizeof(values[0]);
	size_t i, k;

	(void)state;
	for (k = 0; k < 70; k++) {
		timeouts_init(&ts, now_ms);
		for (i = 0; i < n; i++) {
			items[i] = (struct item){ 0 };
			set(&items[i], TIMEOUT_IDLE, values[i], now_ms);
		}
		for (i = 0; i < n; i++) {
			uint64_t due_ms = items[i].due_ms;

			sweep(due_ms - 1);
			assert_int_equal(items[i].told, 0);
			sweep(due_ms);
			assert_int_equal(items[i].told, 1);
		}
		assert_int_equal(ts.next_ms, UINT64_MAX);
		now_ms += 977;
	}
}

/* Many that were active meanwhile come due at once: none is walked past. */
static void
test_many_at_once_cost_little(void **state)
{
	enum { CROWD = 50000 };
	static struct timeout crowd[CROWD];
	clock_t start;
	size_t i;

	(void)state;
	for (i = 0; i < CROWD; i++)
		timeouts_set(&ts, &crowd[i], TIMEOUT_IDLE, 600000, 1000);
	crowd_told = 0;
	start = clock();
	timeouts_sweep(&ts, 601000, crowd_due);
	timeouts_sweep(&ts, 1201000, crowd_due);
	assert_int_equal(crowd_told, 2 * CROWD);
	assert_true(clock() - start < 2 * CLOCKS_PER_SEC);
}

static void
test_words(void **state)
{
	(void)state;
	assert_string_equal(timeout_word(TIMEOUT_IDLE), "idle_timeout");
	assert_string_equal(timeout_word(TIMEOUT_DUMB), "dumb_connect_timeout");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_due_at_its_time_and_once, start, stop),
		cmocka_unit_test_setup_teardown(
			test_zero_is_never, start, stop),
		cmocka_unit_test_setup_teardown(
			test_set_anew_replaces, start, stop),
		cmocka_unit_test_setup_teardown(test_clear, start, stop),
		cmocka_unit_test_setup_teardown(
			test_early_ones_are_sorted_in, start, stop),
		cmocka_unit_test_setup_teardown(
			test_set_anew_while_due, start, stop),
		cmocka_unit_test_setup_teardown(
			test_many_at_random, start, stop),
		cmocka_unit_test_setup_teardown(test_far_ones, start, stop),
		cmocka_unit_test_setup_teardown(
			test_many_at_once_cost_little, start, stop),
		cmocka_unit_test(test_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
