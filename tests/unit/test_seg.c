/* test_seg.c - pieces of memory from a pool: sizes, reuse, giving back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/poison.h"
#include "base/seg.h"

#define KEPT_MOST 32 /* of a size */

/* Nothing is kept when a test starts. */
static int
start(void **state)
{
	(void)state;
	while (segs_trim())
		;
	return 0;
}

static void
test_room_is_enough_and_at_most_twice_as_much(void **state)
{
	size_t n;

	(void)state;
	for (n = 1; n <= SEG_MOST; n += 1 + n / 16) {
		struct seg *s = seg_new(n);

		assert_non_null(s);
		assert_true(s->cap >= n);
		assert_true(s->cap < 4096 || s->cap < 2 * n + 64);
		assert_int_equal(s->start, 0);
		assert_int_equal(s->end, 0);
		assert_null(s->next);
		memset(s->data, 1, s->cap);
		seg_free(s);
	}
}

static void
test_who_wants_more_gets_the_biggest(void **state)
{
	struct seg *s = seg_new(10 * SEG_MOST);

	(void)state;
	assert_non_null(s);
	assert_int_equal(s->cap, SEG_MOST);
	seg_free(s);
}

static void
test_last_one_given_back_comes_first(void **state)
{
	struct seg *a = seg_new(100), *b = seg_new(100), *c;

	(void)state;
	assert_ptr_not_equal(a, b);
	a->start = 3;
	a->end = 7;
	a->next = b;
	seg_free(a);
	c = seg_new(4000);
	assert_ptr_equal(c, a);
	assert_int_equal(c->start, 0);
	assert_int_equal(c->end, 0);
	assert_null(c->next);
	/* Another size is another shelf. */
	seg_free(c);
	a = seg_new(5000);
	assert_ptr_not_equal(a, c);
	seg_free(a);
	seg_free(b);
}

/* Nobody may use what was given back: AddressSanitizer would say so. */
static void
test_memory_of_the_pool_is_poisoned(void **state)
{
	struct seg *s = seg_new(100);

	(void)state;
	memset(s->data, 1, s->cap);
	seg_free(s);
#ifdef POISONS
	assert_int_equal(__asan_address_is_poisoned(s->data), 1);
	assert_int_equal(__asan_address_is_poisoned(s->data + s->cap - 8), 1);
#endif
	s = seg_new(100);
	memset(s->data, 2, s->cap); /* and now it may be used */
	seg_free(s);
}

static void
test_big_ones_are_of_no_pool(void **state)
{
	struct seg *s = seg_new_big(1000000);

	(void)state;
	assert_non_null(s);
	assert_int_equal(s->cap, 1000000);
	memset(s->data, 1, s->cap);
	seg_free(s);
	assert_false(segs_are_kept());
	seg_free(NULL);
	assert_false(segs_are_kept());
}

static void
test_so_many_are_kept(void **state)
{
	struct seg *all[KEPT_MOST + 5], *again[KEPT_MOST];
	unsigned i;

	(void)state;
	for (i = 0; i < KEPT_MOST + 5; i++)
		all[i] = seg_new(10000);
	assert_false(segs_are_kept());
	for (i = 0; i < KEPT_MOST + 5; i++)
		seg_free(all[i]);
	assert_true(segs_are_kept());
	/* The last of those that are kept comes first. */
	for (i = 0; i < KEPT_MOST; i++) {
		again[i] = seg_new(10000);
		assert_ptr_equal(again[i], all[KEPT_MOST - 1 - i]);
	}
	assert_false(segs_are_kept());
	for (i = 0; i < KEPT_MOST; i++)
		seg_free(again[i]);
}

static void
test_trim_gives_back_what_was_not_needed(void **state)
{
	struct seg *a = seg_new(100), *b = seg_new(60000);

	(void)state;
	seg_free(a);
	seg_free(b);
	assert_true(segs_trim()); /* both have been needed until now */
	assert_ptr_equal(seg_new(100), a);
	seg_free(a);
	assert_true(segs_trim()); /* b is gone */
	assert_true(segs_are_kept());
	assert_false(segs_trim());
	assert_false(segs_are_kept());
}

int
main(void)
{
#define seg_test(f) cmocka_unit_test_setup(f, start)
	const struct CMUnitTest tests[] = {
		seg_test(test_room_is_enough_and_at_most_twice_as_much),
		seg_test(test_who_wants_more_gets_the_biggest),
		seg_test(test_last_one_given_back_comes_first),
		seg_test(test_memory_of_the_pool_is_poisoned),
		seg_test(test_big_ones_are_of_no_pool),
		seg_test(test_so_many_are_kept),
		seg_test(test_trim_gives_back_what_was_not_needed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
