/* test_table_crash.c - processes that are killed at any point of a change of a
 * table: whatever was done before is there, nothing else is. */
#define SHM_CRASHES

#include <sys/mman.h>
#include <sys/wait.h>

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

/* With the points at which they die. */
#include "shm/cells.c"
#include "shm/period.c"
#include "shm/place.c"
#include "shm/rate.c"
#include "shm/row.c"
#include "shm/share.c"
#include "shm/shares.c"
#include "shm/shm.c"
#include "shm/stripe.c"
#include "shm/table.c"
#include "shm/tokens.c"

#include "base/clock.h"
#include "base/log.h"
#include "lib/chance.h"

#define KEYS 100
#ifndef ROUNDS
#define ROUNDS 1500 /* tests/long has more */
#endif
#define POINTS 400 /* that the longest life goes past */

enum {
	COUNT_COLUMN,
	HELD_COLUMN,
	VALUE_COLUMN,
	RATE_COLUMN,
	TOKENS_COLUMN,
	PERIOD_COLUMN,
	COLUMNS
};

static const struct weir_column columns[COLUMNS] = {
	[COUNT_COLUMN] = { .name = "count", .type = WEIR_COLUMN_COUNT },
	[HELD_COLUMN] = { .name = "held", .type = WEIR_COLUMN_HELD },
	[VALUE_COLUMN] = { .name = "value",
		.type = WEIR_COLUMN_VALUE,
		.size = 100 },
	[RATE_COLUMN] = { .name = "rate",
		.type = WEIR_COLUMN_RATE,
		.window_ms = 10 },
	[TOKENS_COLUMN] = { .name = "tokens",
		.type = WEIR_COLUMN_TOKENS,
		.rate = 1000,
		.burst = 1000 },
	[PERIOD_COLUMN] = { .name = "period", .type = WEIR_COLUMN_PERIOD },
};

/* What there should be of a key. */
struct model {
	bool there;
	uint64_t count;
	size_t len; /* of the value, whose bytes are its length */
};

/* One change. */
struct change {
	uint32_t key;
	enum { CHANGE_ADD, CHANGE_SET, CHANGE_DELETE, CHANGE_HOLD } what;
	uint32_t n;
};

static struct shm shm;
static struct weir_table table,
	small; /* the latter is full, and its keys end */
static struct model models[KEYS];
static _Atomic uint32_t *done; /* changes that the child has made */
static uint32_t points;	       /* until it dies; 0: it does not */

void
shm_crash(void)
{
	if (points > 0 && --points == 0)
		raise(SIGKILL);
}

static struct change
change_any(void)
{
	uint32_t what = chance(16);

	return (struct change){ .key = chance(KEYS),
		.what = what < 7    ? CHANGE_ADD
			: what < 11 ? CHANGE_SET
			: what < 14 ? CHANGE_HOLD
				    : CHANGE_DELETE,
		.n = 1 + chance(100) };
}

static struct weir_bytes
key_of(const uint32_t *key)
{
	return (struct weir_bytes){ .p = (const uint8_t *)key,
		.len = sizeof(*key) };
}

/* What else there is to do, of which nobody keeps books. */
static void
stir(const struct change *c)
{
	uint32_t key = c->key * 100 + c->n, from = c->key;
	uint64_t n = c->n, ms;
	struct weir_share shares[COLUMNS];
	struct weir_others others = { .as_of = c->n, .columns = shares };

	for (n = 0; n < COLUMNS; n++)
		shares[n] = (struct weir_share){ c->n, c->n, c->n, 0 };
	n = c->n;
	clock_update();
	(void)weir_table_add(&small, key_of(&key), RATE_COLUMN, c->n, NULL);
	(void)weir_table_draw(
		&small, key_of(&key), TOKENS_COLUMN, NULL, c->n, NULL);
	(void)weir_table_book(
		&small, key_of(&key), TOKENS_COLUMN, NULL, &n, &ms);
	(void)weir_table_spend(
		&small, key_of(&key), PERIOD_COLUMN, 10, 1, 5, &n, &ms);
	(void)weir_table_refund(&small, key_of(&key), PERIOD_COLUMN, 1);
	if (c->n % 8 == 1)
		(void)weir_table_others(&small, key_of(&c->key), &others);
	(void)weir_table_add(&small, key_of(&c->key), COUNT_COLUMN, 1, NULL);
	if (c->n % 8 == 0)
		(void)table_sweep(&small, &from, 4);
	if (c->n % 32 == 0)
		table_clear(&small);
}

static void
change_make(const struct change *c)
{
	struct weir_bytes key = key_of(&c->key);
	uint8_t value[100];

	memset(value, (int)c->n, sizeof(value));
	if (c->what == CHANGE_ADD) {
		(void)weir_table_add(&table, key, COUNT_COLUMN, c->n, NULL);
	} else if (c->what == CHANGE_SET) {
		(void)weir_table_set(&table, key, VALUE_COLUMN,
			(struct weir_bytes){ .p = value, .len = c->n });
	} else if (c->what == CHANGE_HOLD) {
		if (weir_table_hold(&table, key, HELD_COLUMN, c->n, 1000000,
			    NULL) == 0 &&
			c->n % 2 == 0)
			(void)weir_table_release(
				&table, key, HELD_COLUMN, c->n);
	} else {
		/* What is held would keep the key. */
		(void)weir_table_release(&table, key, HELD_COLUMN, UINT32_MAX);
		(void)weir_table_delete(&table, key);
	}
}

static void
model_change(struct model *m, const struct change *c)
{
	if (c->what == CHANGE_DELETE) {
		*m = (struct model){ .there = false };
		return;
	}
	m->there = true;
	m->count += c->what == CHANGE_ADD ? c->n : 0;
	m->len = c->what == CHANGE_SET ? c->n : m->len;
}

/* ---- one life ------------------------------------------------------------ */

static void
child(void)
{
	struct change c;

	for (;;) {
		c = change_any();
		change_make(&c);
		++*done;
		stir(&c);
	}
}

/* Runs a process that dies at a point; how many changes it has made. */
static uint32_t
life(unsigned seed)
{
	uint64_t id = owner_begin(shm_owners(&shm));
	uint32_t until;
	int status;
	pid_t pid;

	chance_seed(seed);
	until = 1 + chance(POINTS);
	*done = 0;
	pid = fork();
	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		table_own(&table, id);
		table_own(&small, id);
		points = until;
		child();
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	owner_end(shm_owners(&shm), id);
	return *done;
}

/* The next one dies while it puts in order what the last one has left. */
static void
heir(void)
{
	uint32_t until = 1 + chance(POINTS);
	pid_t pid = fork();
	int status;

	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		points = until;
		_exit(table_check(&table) == NULL && table_check(&small) == NULL
				? 0
				: 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(status == 0 || WIFSIGNALED(status));
}

/* ---- what is left -------------------------------------------------------- */

static bool
is_like(uint32_t number, const struct model *m)
{
	struct weir_bytes key = key_of(&number);
	uint8_t value[100];
	uint64_t count, held;
	size_t len, i;

	if (weir_table_read(&table, key, COUNT_COLUMN, &count) == -1)
		return !m->there;
	assert_int_equal(weir_table_read(&table, key, HELD_COLUMN, &held), 0);
	assert_int_equal(held, 0); /* all who held are dead */
	assert_int_equal(weir_table_get(&table, key, VALUE_COLUMN, value,
				 sizeof(value), &len),
		0);
	for (i = 0; i < len; i++)
		assert_int_equal(value[i], len);
	return m->there && count == m->count && len == m->len;
}

/* A change under way: before it, after it, or, of a value, without any; of a
 * key that is new, without the change but there. */
static void
expect_interrupted(uint32_t number, struct model *m, const struct change *c)
{
	struct model after = *m, none = *m, empty = *m;

	model_change(&after, c);
	none.len = 0;
	empty.there = true;
	if (is_like(number, &after)) {
		*m = after;
	} else if (c->what == CHANGE_SET && is_like(number, &none)) {
		*m = none;
	} else if (c->what == CHANGE_SET && !m->there) {
		none.there = true;
		assert_true(is_like(number, &none) || is_like(number, m));
		m->there = is_like(number, &none);
	} else if (!m->there && is_like(number, &empty)) {
		*m = empty;
	} else {
		assert_true(is_like(number, m));
	}
}

static int64_t
now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

static void
test_f1_killed_at_any_point(void **state)
{
	struct table_options options = { .name = "t",
		.columns = columns,
		.ncolumns = COLUMNS,
		.key_most = sizeof(uint32_t),
		.holders = 2,
		.size = 64 * SHM_EXTENT };
	int64_t begun_us, longest_us = 0;
	uint32_t n, i, key;
	unsigned seed;
	int round;
	bool fresh;

	(void)state;
	clock_update();
	assert_int_equal(shm_init(&shm, (size_t)256 * SHM_EXTENT), 0);
	assert_int_equal(table_init(&table, &shm, &options, &fresh), 0);
	options.name = "small";
	options.size = 1;
	options.ttl_ms = 20;
	options.shared = true;
	assert_int_equal(table_init(&small, &shm, &options, &fresh), 0);
	assert_int_equal(log_open("/dev/null", LOG_LEVEL_ALERT), 0);
	for (round = 0; round < ROUNDS; round++) {
		struct change c = { .key = 0 };

		/* The same walk, here and there. */
		seed = chance(UINT32_MAX);
		n = life(seed);
		chance_seed(seed);
		(void)chance(POINTS);
		for (i = 0; i < n; i++) {
			c = change_any();
			model_change(&models[c.key], &c);
		}
		c = change_any();
		if (round % 4 == 0)
			heir();
		begun_us = now_us();
		expect_interrupted(c.key, &models[c.key], &c);
		if (now_us() - begun_us > longest_us)
			longest_us = now_us() - begun_us;
		assert_null(table_check(&table));
		assert_null(table_check(&small));
		for (key = 0; key < KEYS && round % 16 == 0; key++)
			assert_true(is_like(key, &models[key]));
	}
	print_message("# %d deaths, %llu of them with a lock, longest wait "
		      "%lld us\n",
		ROUNDS,
		(unsigned long long)(table_repaired(&table) +
				     table_repaired(&small)),
		(long long)longest_us);
	assert_true(table_repaired(&table) > ROUNDS / 10);
	assert_true(table_repaired(&small) > ROUNDS / 8);
	assert_true(longest_us < 100000);
	table_done(&table);
	table_done(&small);
	shm_done(&shm);
}

static int
setup(void **state)
{
	(void)state;
	chance_start("SEED");
	done = mmap(NULL, sizeof(*done), PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return done == MAP_FAILED ? -1 : 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_f1_killed_at_any_point),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
