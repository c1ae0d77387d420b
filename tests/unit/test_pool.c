/* test_pool.c - blocks of one size: zeros, alignment, reuse, giving back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/poison.h"
#include "base/pool.h"
#include "lib/alloc.h"

#define MANY  1000
#define SLABS 300 /* blocks of 4096 bytes: more than two slabs take */

static struct pool pool;
static uint8_t *blocks[MANY];

static void
get_all(unsigned n, size_t size)
{
	unsigned i;
	size_t k;

	for (i = 0; i < n; i++) {
		blocks[i] = pool_get(&pool);
		assert_non_null(blocks[i]);
		assert_int_equal((uintptr_t)blocks[i] % 16, 0);
		for (k = 0; k < size; k++)
			assert_int_equal(blocks[i][k], 0);
		memset(blocks[i], (int)(i % 255) + 1, size);
	}
}

/* Nobody else has written into them: they do not overlap. */
static void
put_all(unsigned n, size_t size)
{
	unsigned i;
	size_t k;

	for (i = 0; i < n; i++)
		for (k = 0; k < size; k++)
			assert_int_equal(blocks[i][k], i % 255 + 1);
	for (i = 0; i < n; i++)
		pool_put(&pool, blocks[i]);
}

static int
stop(void **state)
{
	(void)state;
	pool_trim(&pool);
	assert_true(LIST_EMPTY(&pool.open));
	assert_true(LIST_EMPTY(&pool.full));
	assert_null(pool.empty);
	return 0;
}

static void
test_blocks_of_any_size(void **state)
{
	static const size_t sizes[] = { 1, 16, 17, 700, 4096, 60000, 70000,
		200000 };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		unsigned n = sizes[i] < 5000 ? MANY : 5;

		pool_init(&pool, sizes[i]);
		get_all(n, sizes[i]);
		put_all(n, sizes[i]);
		/* What was dirty is zeros again. */
		get_all(n, sizes[i]);
		put_all(n, sizes[i]);
		stop(state);
	}
}

static void
test_last_one_given_back_comes_first(void **state)
{
	void *second;

	(void)state;
	pool_init(&pool, 500);
	get_all(3, 500);
	second = blocks[1];
	pool_put(&pool, second);
	assert_ptr_equal(pool_get(&pool), second);
	memset(second, 2, 500);
	put_all(3, 500);
}

/* What is full is left alone until a block of it comes back. */
static void
test_full_slabs(void **state)
{
	unsigned i;

	(void)state;
	pool_init(&pool, 4096);
	get_all(SLABS, 4096);
	assert_false(LIST_EMPTY(&pool.full));
	for (i = 0; i < SLABS; i += 2)
		pool_put(&pool, blocks[i]);
	assert_true(LIST_EMPTY(&pool.full));
	for (i = 0; i < SLABS; i += 2) {
		blocks[i] = pool_get(&pool);
		memset(blocks[i], (int)(i % 255) + 1, 4096);
	}
	put_all(SLABS, 4096);
}

static void
test_one_empty_slab_is_kept_until_a_trim(void **state)
{
	(void)state;
	pool_init(&pool, 4096);
	get_all(SLABS, 4096);
	put_all(SLABS, 4096);
	assert_true(LIST_EMPTY(&pool.open));
	assert_true(LIST_EMPTY(&pool.full));
	assert_non_null(pool.empty);
	/* It is what the next block is from. */
	get_all(1, 4096);
	assert_null(pool.empty);
	pool_trim(&pool); /* takes nothing that is used */
	put_all(1, 4096);
	assert_non_null(pool.empty);
	pool_trim(&pool);
	assert_null(pool.empty);
	get_all(1, 4096);
	put_all(1, 4096);
}

/* Nobody may use what was given back: AddressSanitizer would say so. */
static void
test_free_blocks_are_poisoned(void **state)
{
	(void)state;
	pool_init(&pool, 320);
	get_all(2, 320);
	pool_put(&pool, blocks[0]);
#ifdef POISONS
	assert_int_equal(__asan_address_is_poisoned(blocks[0] + 16), 1);
	assert_int_equal(__asan_address_is_poisoned(blocks[0] + 319), 1);
	assert_int_equal(__asan_address_is_poisoned(blocks[1]), 0);
#endif
	assert_ptr_equal(pool_get(&pool), blocks[0]);
	memset(blocks[0], 1, 320);
	put_all(2, 320);
}

static void
test_memory_runs_out(void **state)
{
	(void)state;
	pool_init(&pool, 100);
	alloc_fail_at(1);
	assert_null(pool_get(&pool));
	assert_true(alloc_failed());
	get_all(1, 100);
	put_all(1, 100);
}

int
main(void)
{
#define pool_test(f) cmocka_unit_test_teardown(f, stop)
	const struct CMUnitTest tests[] = {
		pool_test(test_blocks_of_any_size),
		pool_test(test_last_one_given_back_comes_first),
		pool_test(test_full_slabs),
		pool_test(test_one_empty_slab_is_kept_until_a_trim),
		pool_test(test_free_blocks_are_poisoned),
		pool_test(test_memory_runs_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
