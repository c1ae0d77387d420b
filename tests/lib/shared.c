/* shared.c - a table in shared memory, for tests. */
#include <sys/wait.h>

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/clock.h"
#include "lib/shared.h"
#include "shm/owner.h"

#define SIZE ((size_t)64 << 20)

const struct weir_column shared_columns[COLUMNS] = {
	[COUNT] = { .name = "count", .type = WEIR_COLUMN_COUNT },
	[RATE] = { .name = "rate",
		.type = WEIR_COLUMN_RATE,
		.window_ms = 1000 },
	[HELD] = { .name = "held", .type = WEIR_COLUMN_HELD },
	[TOKENS] = { .name = "tokens",
		.type = WEIR_COLUMN_TOKENS,
		.rate = 10,
		.burst = 5 },
	[VALUE] = { .name = "value", .type = WEIR_COLUMN_VALUE, .size = 11 },
	[PERIOD] = { .name = "period", .type = WEIR_COLUMN_PERIOD },
};

struct shm shm;
struct weir_table table;
struct table_options options;

void
shared_open(bool fresh_wanted)
{
	bool fresh;

	assert_int_equal(table_init(&table, &shm, &options, &fresh), 0);
	assert_int_equal(fresh, fresh_wanted);
	table_own(&table, owner_begin(shm_owners(&shm)));
}

int
shared_start(void **state)
{
	(void)state;
	clock_update();
	options = (struct table_options){ .name = "t",
		.columns = shared_columns,
		.ncolumns = COLUMNS,
		.key_most = 16,
		.holders = 3,
		.size = 1 << 20 };
	if (shm_init(&shm, SIZE) == -1)
		return -1;
	shared_open(true);
	return 0;
}

int
shared_stop(void **state)
{
	(void)state;
	assert_null(table_check(&table));
	table_done(&table);
	shm_done(&shm);
	return 0;
}

void
shared_anew(void)
{
	(void)shared_stop(NULL);
	assert_int_equal(shm_init(&shm, SIZE), 0);
	shared_open(true);
}

struct weir_bytes
shared_key(const char *text)
{
	return (struct weir_bytes){ .p = (const uint8_t *)text,
		.len = strlen(text) };
}

uint64_t
shared_read(const char *key, unsigned column)
{
	uint64_t n = UINT64_MAX;

	if (weir_table_read(&table, shared_key(key), column, &n) == -1)
		assert_int_equal(errno, ENOENT);
	return n;
}

struct weir_bytes
shared_number(const uint32_t *n)
{
	return (struct weir_bytes){ .p = (const uint8_t *)n,
		.len = sizeof(*n) };
}

uint64_t
shared_add(const char *key, unsigned column, uint64_t n)
{
	uint64_t now = 0;

	assert_int_equal(
		weir_table_add(&table, shared_key(key), column, n, &now), 0);
	return now;
}

int
shared_hold(const char *key, uint32_t n, uint64_t most)
{
	return weir_table_hold(&table, shared_key(key), HELD, n, most, NULL);
}

uint64_t
shared_in_another(int (*what)(void))
{
	uint64_t id = owner_begin(shm_owners(&shm));
	pid_t pid = fork();
	int status;

	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		table_own(&table, id);
		if (what() == 0)
			raise(SIGKILL);
		_exit(1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	return id;
}

uint32_t
shared_fill(uint32_t most)
{
	uint32_t n;

	for (n = 0; n < most; n++)
		if (weir_table_add(&table, shared_number(&n), COUNT, n, NULL) ==
			-1) {
			assert_int_equal(errno, ENOSPC);
			break;
		}
	return n;
}

static int
stop_with_the_locks(void)
{
	struct stripe *s;

	for (s = table.stripes; s < table.stripes + table.n; s++)
		if (pthread_mutex_lock(&s->lock) != 0)
			return -1;
	raise(SIGSTOP);
	for (s = table.stripes; s < table.stripes + table.n; s++)
		stripe_unlock(s);
	return 0;
}

pid_t
shared_hang(void)
{
	pid_t pid = fork();
	int status;

	assert_int_not_equal(pid, -1);
	if (pid == 0)
		_exit(stop_with_the_locks() == 0 ? 0 : 1);
	assert_int_equal(waitpid(pid, &status, WUNTRACED), pid);
	assert_true(WIFSTOPPED(status));
	return pid;
}

void
shared_hang_end(pid_t pid)
{
	int status;

	kill(pid, SIGCONT);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}
