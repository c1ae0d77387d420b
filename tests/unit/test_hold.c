/* test_hold.c - what stages hold comes back in order, one by one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "engine/channel.h"
#include "engine/hold.h"
#include "lib/alloc.h"

static struct weir_channel *
channel(void)
{
	struct weir_channel *ch = calloc(1, sizeof(*ch));

	assert_non_null(ch);
	return ch;
}

static void
hold(struct weir_channel *ch, enum weir_dir dir, unsigned stage,
	const char *text, bool eof, bool front)
{
	assert_int_equal(hold_add(ch, dir, stage, (const uint8_t *)text,
				 strlen(text), eof, front),
		0);
	assert_true(ch->flows[dir].held & (uint64_t)1 << stage);
}

static void
shown(struct weir_channel *ch, enum weir_dir dir, unsigned stage,
	const char *text, bool eof)
{
	size_t have = 0;
	char got[64] = "";
	bool end = false;
	struct seg *s;

	while (hold_shift(ch, dir, stage, &s, &end))
		if (s != NULL) {
			memcpy(got + have, s->data + s->start,
				s->end - s->start);
			have += s->end - s->start;
			seg_free(s);
		}
	assert_string_equal(got, text);
	assert_int_equal(end, eof);
	assert_false(ch->flows[dir].held & (uint64_t)1 << stage);
}

static void
test_in_order_by_stage_and_direction(void **state)
{
	struct weir_channel *ch = channel();

	(void)state;
	hold(ch, WEIR_UP, 0, "one", false, false);
	hold(ch, WEIR_DOWN, 0, "down", false, false);
	hold(ch, WEIR_UP, 63, "last", true, false);
	hold(ch, WEIR_UP, 0, " two", false, false);
	hold(ch, WEIR_UP, 0, "zero ", false, true);
	hold(ch, WEIR_UP, 0, "", true, false);
	shown(ch, WEIR_UP, 0, "zero one two", true);
	shown(ch, WEIR_UP, 0, "", false);
	shown(ch, WEIR_DOWN, 0, "down", false);
	shown(ch, WEIR_UP, 63, "last", true);
	assert_null(ch->holds);
	free(ch);
}

static void
test_an_end_alone(void **state)
{
	struct weir_channel *ch = channel();
	struct seg *s;
	bool eof = false;

	(void)state;
	hold(ch, WEIR_UP, 5, "", true, true);
	assert_true(hold_shift(ch, WEIR_UP, 5, &s, &eof));
	assert_null(s);
	assert_true(eof);
	assert_false(hold_shift(ch, WEIR_UP, 5, &s, &eof));
	free(ch);
}

static void
test_little_by_little_needs_little_memory(void **state)
{
	struct weir_channel *ch = channel();
	const struct seg *s;
	unsigned n = 0, i;

	(void)state;
	for (i = 0; i < 10000; i++)
		hold(ch, WEIR_UP, 1, "x", false, false);
	for (s = ch->holds->bytes.head; s != NULL; s = s->next)
		n++;
	assert_true(n <= 3);
	hold_drop(ch);
	assert_null(ch->holds);
	assert_int_equal(ch->flows[WEIR_UP].held, 0);
	free(ch);
}

static void
test_without_memory_nothing_changes(void **state)
{
	struct weir_channel *ch = channel();
	static const uint8_t much[100000];
	unsigned nth;

	(void)state;
	for (nth = 1; nth <= 2; nth++) {
		alloc_fail_at(nth);
		assert_int_equal(
			hold_add(ch, WEIR_UP, 1, much, 10, true, false), -1);
		assert_true(alloc_failed());
		assert_null(ch->holds);
		assert_int_equal(ch->flows[WEIR_UP].held, 0);
	}
	hold(ch, WEIR_UP, 1, "kept", false, false);
	alloc_fail_at(2);
	assert_int_equal(
		hold_add(ch, WEIR_UP, 1, much, sizeof(much), true, false), -1);
	assert_true(alloc_failed());
	alloc_fail_at(1);
	assert_int_equal(
		hold_add(ch, WEIR_UP, 1, much, sizeof(much), true, true), -1);
	assert_true(alloc_failed());
	shown(ch, WEIR_UP, 1, "kept", false);
	free(ch);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_in_order_by_stage_and_direction),
		cmocka_unit_test(test_an_end_alone),
		cmocka_unit_test(test_little_by_little_needs_little_memory),
		cmocka_unit_test(test_without_memory_nothing_changes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
