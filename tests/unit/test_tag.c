/* test_tag.c - bytes that name their connection. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "lib/tag.h"

#define KEY 0x12345678000000

static void
test_same_however_cut(void **state)
{
	uint8_t whole[10000], part[10000];
	size_t n, at;

	(void)state;
	tag_make(KEY, 3, 0, whole, sizeof(whole));
	for (n = 1; n < 30; n++) {
		for (at = 0; at + n <= sizeof(part); at += n)
			tag_make(KEY, 3, at, part + at, n);
		assert_memory_equal(part, whole, at);
	}
	assert_int_equal(
		tag_same(KEY, 3, 0, whole, sizeof(whole)), sizeof(whole));
	assert_int_equal(tag_same(KEY, 3, 77, whole + 77, 9000), 9000);
	assert_in_range(tag_same(KEY, 4, 0, whole, sizeof(whole)), 0, 3);
	assert_in_range(tag_same(KEY + 1, 3, 0, whole, sizeof(whole)), 0, 3);
}

static void
test_first_difference(void **state)
{
	uint8_t bytes[9000];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bytes); i += 131) {
		tag_make(KEY, 5, 40, bytes, sizeof(bytes));
		bytes[i] ^= 1;
		assert_int_equal(tag_same(KEY, 5, 40, bytes, sizeof(bytes)), i);
	}
}

/* From any place on, with eight bytes or more. */
static void
test_whose_they_are(void **state)
{
	uint8_t bytes[64];
	uint32_t id;
	uint64_t at, from;

	(void)state;
	for (from = 0; from < 5000; from += 7) {
		tag_make(KEY, 17, from, bytes, sizeof(bytes));
		assert_true(tag_find(KEY, bytes, 15, 18, &id, &at));
		assert_int_equal(id, 17);
		assert_int_equal(at, from);
		assert_false(tag_find(KEY, bytes, 7, 18, &id, &at));
		assert_false(tag_find(KEY, bytes, sizeof(bytes), 17, &id, &at));
		assert_false(tag_find(KEY + ((uint64_t)1 << 50), bytes,
			sizeof(bytes), 18, &id, &at));
		/* Bytes of nobody are not taken for those behind them. */
		bytes[0] ^= 1;
		assert_false(tag_find(KEY, bytes, sizeof(bytes), 18, &id, &at));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same_however_cut),
		cmocka_unit_test(test_first_difference),
		cmocka_unit_test(test_whose_they_are),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
