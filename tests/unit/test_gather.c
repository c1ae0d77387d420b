/* test_gather.c - the first rows of many, and rows as they are sent. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/gather.h"
#include "base/link.h"
#include "lib/chance.h"

#define ROWS 5000

static const char *const texts[LINK_TEXT_COUNT] = { "server", "listen",
	"client", "local", "backend", "state", "up", "down", "", "" };

static int
number_compare(const void *left, const void *right)
{
	uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;

	return (a > b) - (a < b);
}

/* Gathers the first most of rows with random keys, which are fewer than rows.
 */
static void
gather(size_t most, bool reverse)
{
	static uint64_t keys[ROWS];
	_Alignas(8) uint8_t room[512];
	struct link_row *to = (void *)room, row = { 0 };
	size_t size = link_row_size(texts), i;
	struct gather g;

	assert_true(size <= sizeof(room));
	gather_init(&g, most, reverse);
	for (i = 0; i < ROWS; i++) {
		row.id = i + 1;
		row.key = keys[i] = chance(700);
		link_row_write(to, size, &row, texts);
		assert_int_equal(gather_add(&g, to), 0);
		assert_true(g.n <= 4 * most + 64);
	}
	gather_sort(&g);
	qsort(keys, ROWS, sizeof(*keys), number_compare);
	assert_int_equal(g.n, most < ROWS ? most : ROWS);
	for (i = 0; i < g.n; i++) {
		assert_int_equal(
			g.v[i]->key, reverse ? keys[ROWS - 1 - i] : keys[i]);
		assert_true(i == 0 ||
			    link_row_compare(g.v[i - 1], g.v[i], reverse) < 0);
	}
	gather_done(&g);
}

static void
test_the_first_of_many(void **state)
{
	static const size_t most[] = { 0, 1, 2, 63, 64, 65, 1000, ROWS, 9000 };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(most) / sizeof(*most); i++) {
		gather(most[i], false);
		gather(most[i], true);
	}
}

static void
test_a_row_that_is_cut_is_none(void **state)
{
	const char *got[LINK_TEXT_COUNT];
	size_t size = link_row_size(texts), i;
	struct link_row row = { .id = 7 }, *to = malloc(size);

	(void)state;
	assert_non_null(to);
	link_row_write(to, size, &row, texts);
	assert_true(link_row_texts(to, size, got));
	for (i = 0; i < LINK_TEXT_COUNT; i++)
		assert_string_equal(got[i], texts[i]);
	for (i = 0; i < size; i++)
		assert_false(link_row_texts(to, i, got));
	/* Texts without an end. */
	memset(to->texts, 'a', size - sizeof(*to));
	assert_false(link_row_texts(to, size, got));
	to->size = 3;
	assert_false(link_row_texts(to, size, got));
	free(to);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_first_of_many),
		cmocka_unit_test(test_a_row_that_is_cut_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
