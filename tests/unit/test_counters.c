/* test_counters.c - figures that processes count in shared memory, whichever of
 * them is killed when. */
#include <sys/mman.h>
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
#include <unistd.h>
#include <cmocka.h>

#include "shm/counters.h"
#include "shm/owner.h"

#define SIZE ((size_t)1024 * SHM_EXTENT)

static struct shm shm;
static struct weir_counters counters;

static int
start(void **state)
{
	(void)state;
	return shm_init(&shm, SIZE) == -1 ||
			       counters_init(&counters, &shm) == -1
		       ? -1
		       : 0;
}

static int
stop(void **state)
{
	(void)state;
	counters_done(&counters);
	shm_done(&shm);
	return 0;
}

static int
add(const char *family, const char *label, enum weir_counter_kind kind,
	unsigned n)
{
	return weir_series_add(
		&counters, &(struct weir_series){ .family = family,
				   .labels = { label },
				   .kind = kind,
				   .n = n });
}

static uint64_t
read_one(int series)
{
	uint64_t figures[WEIR_SERIES_MOST];

	weir_counters_look(&counters);
	weir_series_read(&counters, series, figures);
	return figures[0];
}

/* ---- one process --------------------------------------------------------- */

static void
test_a_series_is_found_by_family_and_labels(void **state)
{
	int a = add("bytes", "a", WEIR_COUNTER_SUM, 3);
	int b = add("bytes", "b", WEIR_COUNTER_SUM, 3);
	int ab = add("bytesa", NULL, WEIR_COUNTER_SUM, 1);
	struct weir_series two = {
		.family = "bytes", .labels = { "a", "b" }, .n = 1
	};
	struct weir_series s;
	int both = weir_series_add(&counters, &two);

	(void)state;
	assert_int_not_equal(a, -1);
	assert_int_not_equal(a, b);
	assert_int_not_equal(ab, a);
	assert_int_not_equal(both, a);
	assert_int_equal(add("bytes", "a", WEIR_COUNTER_SUM, 3), a);
	assert_int_equal(weir_series_find(&counters, &two), both);
	assert_true(weir_series_get(&counters, (unsigned)both, &s));
	assert_string_equal(s.family, "bytes");
	assert_string_equal(s.labels[0], "a");
	assert_string_equal(s.labels[1], "b");
	assert_null(s.labels[2]);
	assert_false(weir_series_get(&counters, 4, &s));
	two.labels[1] = "c";
	assert_int_equal(weir_series_find(&counters, &two), -1);
	assert_int_equal(errno, ENOENT);
}

static void
test_one_that_changes_its_kind_is_refused(void **state)
{
	(void)state;
	assert_int_equal(add("a", NULL, WEIR_COUNTER_SUM, 3), 0);
	assert_int_equal(add("a", NULL, WEIR_COUNTER_GAUGE, 3), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(add("a", NULL, WEIR_COUNTER_SUM, 4), -1);
	assert_int_equal(add("b", NULL, WEIR_COUNTER_SUM, 0), -1);
	assert_int_equal(
		add("b", NULL, WEIR_COUNTER_SUM, WEIR_SERIES_MOST + 1), -1);
}

static void
test_cells_are_side_by_side_and_nobody_elses(void **state)
{
	struct owners *owners = shm_owners(&shm);
	_Atomic uint64_t *cells[200];
	char name[16];
	unsigned i, j;

	(void)state;
	counters_own(&counters, owner_begin(owners));
	for (i = 0; i < 200; i++) {
		snprintf(name, sizeof(name), "%u", i);
		cells[i] = weir_series_cells(
			&counters, add("f", name, WEIR_COUNTER_SUM, 1 + i * 5));
		assert_non_null(cells[i]);
		for (j = 0; j < 1 + i * 5; j++)
			weir_cell_add(&cells[i][j], i * 10000 + j);
	}
	weir_counters_look(&counters);
	for (i = 0; i < 200; i++) {
		uint64_t figures[WEIR_SERIES_MOST];

		weir_series_read(&counters, (int)i, figures);
		for (j = 0; j < 1 + i * 5; j++)
			assert_int_equal(figures[j], i * 10000 + j);
	}
}

static void
test_the_directory_takes_a_thousand_servers_and_says_when_it_is_full(
	void **state)
{
	char name[64];
	int i = 0, last;

	(void)state;
	while (snprintf(name, sizeof(name), "server %d of a great many", i),
		(last = add("f", name, WEIR_COUNTER_SUM, 40)) == i)
		i++;
	assert_int_equal(last, -1);
	assert_int_equal(errno, ENOSPC);
	assert_true(i > 10000);
	/* What is there goes on. */
	assert_int_equal(
		add("f", "server 7 of a great many", WEIR_COUNTER_SUM, 40), 7);
}

static void
test_no_memory_is_said_and_takes_nothing(void **state)
{
	int a = add("a", NULL, WEIR_COUNTER_SUM, 1);

	(void)state;
	assert_null(weir_series_cells(&counters, a)); /* nobody's */
	counters_own(&counters, owner_begin(shm_owners(&shm)));
	while (shm_take(&shm, 1) != 0)
		;
	assert_null(weir_series_cells(&counters, a));
	assert_int_equal(errno, ENOSPC);
	assert_int_equal(read_one(a), 0);
}

/* One whose owner was killed before it had a number. */
static void
test_an_extent_that_was_taken_is_used(void **state)
{
	uint64_t me = owner_begin(shm_owners(&shm));
	int a = add("a", NULL, WEIR_COUNTER_SUM, 1);
	uint32_t taken;

	(void)state;
	assert_int_not_equal(
		shm_take(&shm, SHM_OWNER(shm_zone_index(&shm, counters.zone),
				       owner_place(me))),
		0);
	taken = shm_taken(&shm);
	counters_own(&counters, me);
	assert_int_equal(read_one(a), 0);
	assert_non_null(weir_series_cells(&counters, a));
	assert_int_equal(shm_taken(&shm), taken);
}

/* ---- several processes --------------------------------------------------- */

/* A process counts n in the series, and is killed. */
static void
live(uint64_t me, int series, uint64_t n)
{
	_Atomic uint64_t *cell;
	int status;
	pid_t pid = fork();

	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		counters_own(&counters, me);
		cell = weir_series_cells(&counters, series);
		if (cell == NULL)
			_exit(1);
		weir_cell_add(cell, n);
		raise(SIGKILL);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
}

static void
test_what_a_dead_process_counted_stays(void **state)
{
	struct owners *owners = shm_owners(&shm);
	uint64_t a = owner_begin(owners), b = owner_begin(owners), again;
	int sum = add("sum", NULL, WEIR_COUNTER_SUM, 1);
	uint32_t extents;
	int peak = add("peak", NULL, WEIR_COUNTER_PEAK, 1);

	(void)state;
	live(a, sum, 5);
	live(b, sum, 7);
	live(a, peak, 30);
	live(b, peak, 20);
	assert_int_equal(read_one(sum), 12);
	assert_int_equal(read_one(peak), 30);
	owner_end(owners, a);
	assert_int_equal(read_one(sum), 12);
	extents = shm_taken(&shm);
	again = owner_begin(owners);
	assert_int_equal(owner_place(again), owner_place(a));
	live(again, sum, 1);
	assert_int_equal(shm_taken(&shm), extents);
	assert_int_equal(read_one(sum), 13);
	assert_int_equal(read_one(peak), 30);
}

static void
test_gauges_of_a_dead_process_are_void_at_once(void **state)
{
	struct owners *owners = shm_owners(&shm);
	uint64_t a = owner_begin(owners), b = owner_begin(owners), again;
	int gauge = add("gauge", NULL, WEIR_COUNTER_GAUGE, 1);
	int other = add("sum", NULL, WEIR_COUNTER_SUM, 1);

	(void)state;
	live(a, gauge, 5);
	live(b, gauge, 7);
	assert_int_equal(read_one(gauge), 12);
	owner_end(owners, a);
	assert_int_equal(read_one(gauge), 7);
	/* The next one at its place has not begun to count yet. */
	again = owner_begin(owners);
	assert_int_equal(read_one(gauge), 7);
	live(again, other, 1);
	assert_int_equal(read_one(gauge), 7);
	live(again, gauge, 2);
	assert_int_equal(read_one(gauge), 9);
}

static void
test_a_reload_keeps_what_there_was_and_adds_to_it(void **state)
{
	struct owners *owners = shm_owners(&shm);
	uint64_t a = owner_begin(owners), b;
	int first = add("f", "first", WEIR_COUNTER_SUM, 1);
	int second = add("f", "second", WEIR_COUNTER_SUM, 1), third;
	struct weir_counters keeper;

	(void)state;
	assert_int_equal(counters_init(&keeper, &shm), 0);
	live(a, first, 1);
	live(a, second, 2);
	/* The next generation has others; an old process counts still. */
	third = add("f", "third", WEIR_COUNTER_SUM, 1);
	assert_int_equal(add("f", "second", WEIR_COUNTER_SUM, 1), second);
	b = owner_begin(owners);
	live(b, third, 30);
	live(b, second, 20);
	live(a, first, 100);
	assert_int_equal(read_one(first), 101);
	assert_int_equal(read_one(second), 22);
	assert_int_equal(read_one(third), 30);
	/* A keeper that was there before sees it. */
	weir_counters_look(&keeper);
	assert_int_equal(
		weir_series_find(&keeper, &(struct weir_series){ .family = "f",
						  .labels = { "third" } }),
		third);
	counters_done(&keeper);
}

/* Readers see a figure that never goes back, while others write it. */
static void
test_a_reader_beside_writers(void **state)
{
	struct owners *owners = shm_owners(&shm);
	int series = add("f", NULL, WEIR_COUNTER_SUM, 1), i, status;
	uint64_t last = 0, now;
	pid_t pids[3];

	(void)state;
	for (i = 0; i < 3; i++) {
		uint64_t me = owner_begin(owners);

		pids[i] = fork();
		assert_int_not_equal(pids[i], -1);
		if (pids[i] == 0) {
			_Atomic uint64_t *cell;
			int n;

			counters_own(&counters, me);
			cell = weir_series_cells(&counters, series);
			for (n = 0; cell != NULL && n < 300000; n++)
				weir_cell_add(cell, 1);
			_exit(cell == NULL);
		}
	}
	do {
		now = read_one(series);
		assert_true(now >= last);
		last = now;
	} while (now < 900000);
	for (i = 0; i < 3; i++) {
		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_int_equal(status, 0);
	}
	assert_int_equal(read_one(series), 900000);
}

int
main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, start, stop)
	const struct CMUnitTest tests[] = {
		CASE(test_a_series_is_found_by_family_and_labels),
		CASE(test_one_that_changes_its_kind_is_refused),
		CASE(test_cells_are_side_by_side_and_nobody_elses),
		CASE(test_the_directory_takes_a_thousand_servers_and_says_when_it_is_full),
		CASE(test_no_memory_is_said_and_takes_nothing),
		CASE(test_an_extent_that_was_taken_is_used),
		CASE(test_what_a_dead_process_counted_stays),
		CASE(test_gauges_of_a_dead_process_are_void_at_once),
		CASE(test_a_reload_keeps_what_there_was_and_adds_to_it),
		CASE(test_a_reader_beside_writers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
