/* table.c - what it costs to count in a table of shared memory: one process on
 * one key, then several, each on keys of its own. */
#include <sys/mman.h>
#include <sys/wait.h>

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "shm/owner.h"
#include "shm/table.h"

#define PROCESSES 2
#define ROUNDS	  9
#define ADDS	  2000000u
#define KEYS	  64 /* of each process */

static const struct weir_column columns[] = {
	{ .name = "n", .type = WEIR_COLUMN_COUNT },
};

static struct shm shm;
static struct weir_table table;

static double
now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e9 + (double)ts.tv_nsec;
}

/* Nanoseconds an addition, on keys from first on. */
static double
adds_take(uint32_t first)
{
	double since = now_ns();
	uint32_t i, key;

	for (i = 0; i < ADDS; i++) {
		key = first + i % KEYS;
		if (weir_table_add(&table,
			    (struct weir_bytes){
				    .p = (uint8_t *)&key, .len = sizeof(key) },
			    0, 1, NULL) == -1)
			abort();
	}
	return (now_ns() - since) / ADDS;
}

/* The mean of n processes at a time. */
static double
processes_take(unsigned n)
{
	struct {
		_Atomic unsigned ready;
		double ns[PROCESSES];
	} *all = mmap(NULL, sizeof(*all), PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	double ns = 0;
	unsigned i;

	if (all == MAP_FAILED)
		abort();
	for (i = 0; i < n; i++)
		if (fork() == 0) {
			table_own(&table, owner_begin(shm_owners(&shm)));
			all->ready++;
			while (all->ready < n)
				;
			all->ns[i] = adds_take(i * KEYS);
			_exit(0);
		}
	while (wait(NULL) != -1)
		;
	for (i = 0; i < n; i++)
		ns += all->ns[i] / n;
	munmap(all, sizeof(*all));
	return ns;
}

static int
smaller(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

int
main(void)
{
	struct table_options options = { .name = "t",
		.columns = columns,
		.ncolumns = 1,
		.key_most = sizeof(uint32_t),
		.holders = 16,
		.size = 16 << 20 };
	double one[ROUNDS], ratio[ROUNDS];
	unsigned i;
	bool fresh;

	clock_update();
	if (shm_init(&shm, (size_t)64 << 20) == -1 ||
		table_init(&table, &shm, &options, &fresh) == -1) {
		perror("table");
		return 1;
	}
	for (i = 0; i < ROUNDS; i++) {
		one[i] = processes_take(1);
		ratio[i] = processes_take(PROCESSES) / one[i];
	}
	qsort(one, ROUNDS, sizeof(*one), smaller);
	qsort(ratio, ROUNDS, sizeof(*ratio), smaller);
	printf("an addition takes %.0f ns in the median (%.0f-%.0f); with %d "
	       "processes on keys of their own %.2f times that (%.2f-%.2f)\n",
		one[ROUNDS / 2], one[0], one[ROUNDS - 1], PROCESSES,
		ratio[ROUNDS / 2], ratio[0], ratio[ROUNDS - 1]);
	table_done(&table);
	shm_done(&shm);
	return 0;
}
