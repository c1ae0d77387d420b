/* test_table_stops.c - a process that hangs (SIGSTOP) at any point of a change
 * of a table: others wait for it once a second, and all is right afterwards. */
#define SHM_CRASHES

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

/* With the points at which they stop. */
#include "shm/cells.c"
#include "shm/period.c"
#include "shm/place.c"
#include "shm/row.c"
#include "shm/shm.c"
#include "shm/stripe.c"
#include "shm/table.c"
#include "shm/tokens.c"

#include "base/clock.h"
#include "base/log.h"
#include "lib/chance.h"

#define ROUNDS	  25
#define POINTS	  250 /* fewer than there are in the life of one that hangs */
#define CHANGES	  20
#define ATTEMPTS  200 /* of another one meanwhile */
#define WAIT_US	  19000
#define WAIT_MOST 99000

#define NAME 16

enum { COUNT_COLUMN, HELD_COLUMN, VALUE_COLUMN, COLUMNS };

static const struct weir_column columns[COLUMNS] = {
	[COUNT_COLUMN] = { .name = "count", .type = WEIR_COLUMN_COUNT },
	[HELD_COLUMN] = { .name = "held", .type = WEIR_COLUMN_HELD },
	[VALUE_COLUMN] = { .name = "value",
		.type = WEIR_COLUMN_VALUE,
		.size = 100 },
};

static struct shm shm;
static struct weir_table table;
static uint32_t points; /* until it stops; 0: it does not */

void
shm_crash(void)
{
	if (points > 0 && --points == 0)
		raise(SIGSTOP);
}

static struct weir_bytes
key(const char *text)
{
	return (struct weir_bytes){ .p = (const uint8_t *)text,
		.len = strlen(text) };
}

static uint32_t
part_of(const char *text)
{
	return (uint32_t)(siphash(shm_secret(&shm), text, strlen(text)) >> 32) &
	       (table.n - 1);
}

/* A name of its own for each number, in the part that "both" is in. */
static struct weir_bytes
near(char name[static NAME], const char *what, int number)
{
	int i = 0;

	do
		snprintf(name, NAME, "%s.%d.%d", what, number, i++);
	while (part_of(name) != part_of("both"));
	return key(name);
}

static int64_t
now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

static int
add(struct weir_bytes to)
{
	return weir_table_add(&table, to, COUNT_COLUMN, 1, NULL);
}

static uint64_t
read_cell(struct weir_bytes of, unsigned column)
{
	uint64_t n = UINT64_MAX;

	assert_int_equal(weir_table_read(&table, of, column, &n), 0);
	return n;
}

/* One that hangs at a point, and goes on. */
static int
change_all(void)
{
	struct weir_bytes own, held;
	char name[NAME], other[NAME];
	int i, rc = 0;

	for (i = 0; i < CHANGES; i++) {
		own = near(name, "own", i);
		held = near(other, "held", 0);
		rc |= add(key("both"));
		rc |= add(own);
		rc |= weir_table_set(&table, own, VALUE_COLUMN, key("a value"));
		rc |= weir_table_hold(
			&table, held, HELD_COLUMN, 2, 1000000, NULL);
		rc |= weir_table_release(&table, held, HELD_COLUMN, 1);
		rc |= weir_table_delete(&table, own);
	}
	return rc;
}

/* All that others want fails, after one wait. */
static int64_t
expect_one_wait(struct weir_bytes mine)
{
	int64_t begun_us = now_us();
	uint64_t n;
	int i;

	for (i = 0; i < ATTEMPTS; i++) {
		assert_int_equal(add(key("both")), -1);
		assert_int_equal(errno, ETIMEDOUT);
		assert_int_equal(
			weir_table_hold(&table, mine, HELD_COLUMN, 1, 10, &n),
			-1);
		assert_int_equal(errno, ETIMEDOUT);
	}
	begun_us = now_us() - begun_us;
	assert_in_range(begun_us, WAIT_US, WAIT_MOST);
	return begun_us;
}

/* Starts one, which hangs at that point. */
static pid_t
start_one(uint64_t owner, uint32_t point)
{
	pid_t pid = fork();
	int status;

	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		table_own(&table, owner);
		points = point;
		_exit(change_all() == 0 ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, WUNTRACED), pid);
	assert_true(WIFSTOPPED(status));
	return pid;
}

static void
test_f1_who_hangs_at_any_point(void **state)
{
	char names[2][NAME];
	struct weir_bytes mine = near(names[0], "mine", 0),
			  held = near(names[1], "held", 0);
	uint64_t owner, all = 0;
	int64_t us, longest_us = 0;
	int round, status, i;
	pid_t pid;

	(void)state;
	for (round = 0; round < ROUNDS; round++) {
		owner = owner_begin(shm_owners(&shm));
		assert_int_equal(
			weir_table_hold(&table, mine, HELD_COLUMN, 1, 1, NULL),
			0);
		pid = start_one(owner, 1 + chance(POINTS));
		for (i = 0; i < 2; i++) {
			us = expect_one_wait(mine);
			longest_us = us > longest_us ? us : longest_us;
			/* A second later. */
			clock_advance(1000);
		}
		/* It is not forgotten. */
		assert_int_equal(
			weir_table_release(&table, mine, HELD_COLUMN, 1), 0);
		assert_false(table_settle(&table));
		kill(pid, SIGCONT);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_int_equal(status, 0);
		clock_advance(1000);
		assert_true(table_settle(&table));
		assert_null(table_check(&table));
		assert_int_equal(read_cell(mine, HELD_COLUMN), 0);
		assert_int_equal(read_cell(held, HELD_COLUMN), CHANGES);
		owner_end(shm_owners(&shm), owner);
		assert_int_equal(read_cell(held, HELD_COLUMN), 0);
		assert_int_equal(add(key("both")), 0);
		all += CHANGES + 1;
		assert_int_equal(read_cell(key("both"), COUNT_COLUMN), all);
	}
	assert_int_equal(table_repaired(&table), 0);
	print_message("# hung %d times, %d tries of others took %lld us at "
		      "most\n",
		ROUNDS, 2 * ATTEMPTS, (long long)longest_us);
}

static int
setup(void **state)
{
	static const struct table_options options = { .name = "t",
		.columns = columns,
		.ncolumns = COLUMNS,
		.key_most = 16,
		.holders = 4,
		.size = 1 };
	bool fresh;

	(void)state;
	chance_start("SEED");
	clock_update();
	if (shm_init(&shm, (size_t)64 * SHM_EXTENT) == -1 ||
		table_init(&table, &shm, &options, &fresh) == -1)
		return -1;
	table_own(&table, owner_begin(shm_owners(&shm)));
	return log_open("/dev/null", LOG_LEVEL_ALERT);
}

static int
teardown(void **state)
{
	(void)state;
	table_done(&table);
	shm_done(&shm);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_f1_who_hangs_at_any_point),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
