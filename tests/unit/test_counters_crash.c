/* test_counters_crash.c - processes that are killed at any point of what they
 * do before they count. */
#define SHM_CRASHES

#include <sys/wait.h>

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

/* With the points at which they die. */
#include "shm/counters.c"
#include "shm/shm.c"

#define SIZE ((size_t)256 * SHM_EXTENT)

static struct shm shm;
static struct weir_counters counters;
static uint32_t points; /* until it dies; 0: it does not */

void
shm_crash(void)
{
	if (points > 0 && --points == 0)
		raise(SIGKILL);
}

static int
start(void **state)
{
	(void)state;
	points = 0;
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

/* A process counts n in the series, and dies as it is told to. */
static void
live(uint64_t me, int series, uint64_t n, uint32_t dies)
{
	_Atomic uint64_t *cell;
	int status;
	pid_t pid = fork();

	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		points = dies;
		counters_own(&counters, me);
		cell = weir_series_cells(&counters, series);
		if (cell == NULL)
			_exit(1);
		weir_cell_add(cell, n);
		points = 0;
		raise(SIGKILL);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
}

/* A life at that place, killed at each point that it goes past. */
static void
test_whoever_is_killed_where_does_no_harm(void **state)
{
	struct owners *owners = shm_owners(&shm);
	uint64_t other = owner_begin(owners), sum = 0;
	int counts = add("sum", NULL, WEIR_COUNTER_SUM, 1);
	int gauges = add("gauge", NULL, WEIR_COUNTER_GAUGE, 1), i;
	uint32_t extents;
	uint32_t dies;

	(void)state;
	live(other, gauges, 3, 0);
	extents = shm_taken(&shm);
	for (dies = 1; dies < 8; dies++) {
		for (i = 0; i < 2; i++) {
			uint64_t me = owner_begin(owners), before = sum;

			live(me, i == 0 ? counts : gauges, 10, dies);
			assert_in_range(read_one(gauges), 3, 13);
			owner_end(owners, me);
			sum = read_one(counts);
			assert_true(sum == before || sum == before + 10);
			assert_int_equal(read_one(gauges), 3);
		}
	}
	/* The last ones went past all points. */
	assert_true(sum >= 10);
	assert_int_equal(shm_taken(&shm), extents + 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_whoever_is_killed_where_does_no_harm, start, stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
