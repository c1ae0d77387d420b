/* test_table_others.c - tables over reloads, and beside processes that die or
 * hang at work. */
#include <sys/wait.h>

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/clock.h"
#include "lib/shared.h"

/* ---- reloads ------------------------------------------------------------- */

static void
test_a_table_is_kept(void **state)
{
	(void)state;
	shared_add("a", COUNT, 5);
	table_done(&table);
	options.size *= 2;
	options.ttl_ms = 99;
	shared_open(false);
	assert_int_equal(shared_read("a", COUNT), 5);
	table_done(&table);
	options.size /= 8;
	shared_open(false);
	assert_int_equal(shared_read("a", COUNT), 5);
}

static void
test_f7_a_table_of_other_columns_is_fresh(void **state)
{
	static struct weir_column others[COLUMNS];

	(void)state;
	shared_add("a", COUNT, 5);
	table_done(&table);
	options.ncolumns--;
	shared_open(true);
	assert_true(shared_read("a", COUNT) == UINT64_MAX);
	table_done(&table);
	options.key_most++;
	shared_open(true);
	table_done(&table);
	memcpy(others, shared_columns, sizeof(others));
	options.columns = others;
	others[COUNT].name = "other";
	shared_open(true);
	table_done(&table);
	others[RATE].window_ms++;
	shared_open(true);
	table_done(&table);
	others[TOKENS].burst++;
	shared_open(false);
}

static void
test_rows_too_big(void **state)
{
	static const struct weir_column big[] = {
		{ .name = "big", .type = WEIR_COLUMN_VALUE, .size = SHM_EXTENT }
	};
	struct weir_table t;
	bool fresh;

	(void)state;
	options.columns = big;
	options.ncolumns = 1;
	assert_int_equal(table_init(&t, &shm, &options, &fresh), -1);
	assert_int_equal(errno, EINVAL);
	options.columns = shared_columns;
	options.ncolumns = COLUMNS;
}

/* Others have taken all the memory there is: each part has some of its own, in
 * which one key takes the place of another. */
static void
test_f6_a_full_segment_evicts(void **state)
{
	(void)state;
	assert_int_equal(shared_add("a", COUNT, 1), 1);
	while (shm_take(&shm, SHM_OWNER(200, 1)) != 0)
		;
	assert_int_equal(shared_fill(20000), 20000);
	assert_in_range(table_count(&table), 100, 19999);
	assert_null(table_check(&table));
	table_clear(&table);
	assert_int_equal(table_count(&table), 0);
	assert_int_equal(shared_fill(20000), 20000);
}

/* There is room for its parts, but not for something of each: it leaves nothing
 * that somebody could take for a table. */
static void
test_a_table_without_room(void **state)
{
	uint32_t at, taken;
	struct weir_table t;
	bool fresh;

	(void)state;
	options.name = "other";
	while (shm_take(&shm, SHM_OWNER(200, 1)) != 0)
		;
	taken = shm_taken(&shm);
	for (at = taken - 12; at < taken; at++)
		shm_give(&shm, at);
	assert_int_equal(table_init(&t, &shm, &options, &fresh), -1);
	assert_int_equal(errno, ENOSPC);
	assert_int_equal(shm_taken(&shm), taken - 12);
	table_done(&t);
	for (at = taken - 100; at < taken - 12; at++)
		shm_give(&shm, at);
	assert_int_equal(table_init(&t, &shm, &options, &fresh), 0);
	assert_true(fresh);
	table_done(&t);
}

/* ---- others who die or hang ---------------------------------------------- */

static int
die_with_the_lock(void)
{
	struct stripe *s;

	for (s = table.stripes; s < table.stripes + table.n; s++)
		if (pthread_mutex_lock(&s->lock) != 0)
			return -1;
	/* As if it had been amid a change. */
	for (s = table.stripes; s < table.stripes + table.n; s++) {
		s->newest = s->free = 0;
		memset(s->buckets, 0, sizeof(s->buckets));
	}
	return 0;
}

static void
test_f2_what_the_dead_left_is_put_in_order(void **state)
{
	uint32_t n;
	uint64_t now;

	(void)state;
	assert_int_equal(shared_fill(1000), 1000);
	for (n = 0; n < 1000; n += 3)
		assert_int_equal(
			weir_table_delete(&table, shared_number(&n)), 0);
	shared_in_another(die_with_the_lock);
	for (n = 0; n < 1000; n++) {
		int rc =
			weir_table_read(&table, shared_number(&n), COUNT, &now);

		assert_int_equal(rc, n % 3 == 0 ? -1 : 0);
		if (rc == 0)
			assert_int_equal(now, n);
	}
	assert_int_equal(table_repaired(&table), table.n);
	assert_null(table_check(&table));
	assert_int_equal(shared_fill(1000), 1000);
}

static int64_t
now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

static bool
key_counts(void *arg, struct weir_bytes key)
{
	(void)key;
	++*(unsigned *)arg;
	return true;
}

/* One wait, and no more for a second. */
static void
test_f1_who_hangs_is_not_waited_for(void **state)
{
	int64_t begun_us;
	unsigned n = 0;
	int i;
	pid_t pid;

	(void)state;
	shared_add("a", COUNT, 1);
	assert_int_equal(shared_hold("b", 1, 1), 0);
	pid = shared_hang();
	begun_us = now_us();
	for (i = 0; i < 1000; i++) {
		assert_int_equal(
			weir_table_add(&table, shared_key("a"), COUNT, 1, NULL),
			-1);
		assert_int_equal(errno, ETIMEDOUT);
	}
	assert_in_range(now_us() - begun_us, 20000, 99000);
	/* Who wants to know of all keys is told that these are not all. */
	assert_int_equal(weir_table_walk(&table, key_counts, &n), -1);
	assert_int_equal(errno, ETIMEDOUT);
	/* What cannot be said now is not forgotten. */
	assert_int_equal(
		weir_table_release(&table, shared_key("b"), HELD, 1), 0);
	assert_false(table_settle(&table));
	shared_hang_end(pid);
	assert_int_equal(shared_add("a", COUNT, 1), 2);
	assert_int_equal(shared_read("b", HELD), 1);
	assert_true(table_settle(&table));
	assert_int_equal(shared_read("b", HELD), 0);
	n = 0;
	assert_int_equal(weir_table_walk(&table, key_counts, &n), 0);
	assert_int_equal(n, 2);
}

static int
add_many(void)
{
	int i;

	for (i = 0; i < 20000; i++)
		if (weir_table_add(&table, shared_key(i % 2 ? "a" : "b"), COUNT,
			    1, NULL) == -1)
			return -1;
	return 0;
}

static void
test_two_at_once(void **state)
{
	pid_t pids[2];
	int i, status;

	(void)state;
	for (i = 0; i < 2; i++) {
		pids[i] = fork();
		assert_int_not_equal(pids[i], -1);
		if (pids[i] == 0)
			_exit(add_many() == 0 ? 0 : 1);
	}
	for (i = 0; i < 2; i++) {
		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_int_equal(status, 0);
	}
	assert_int_equal(shared_read("a", COUNT), 20000);
	assert_int_equal(shared_read("b", COUNT), 20000);
}

#define table_test(f)                                                          \
	cmocka_unit_test_setup_teardown(f, shared_start, shared_stop)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		table_test(test_a_table_is_kept),
		table_test(test_f6_a_full_segment_evicts),
		table_test(test_a_table_without_room),
		table_test(test_f7_a_table_of_other_columns_is_fresh),
		table_test(test_rows_too_big),
		table_test(test_f2_what_the_dead_left_is_put_in_order),
		table_test(test_f1_who_hangs_is_not_waited_for),
		table_test(test_two_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
