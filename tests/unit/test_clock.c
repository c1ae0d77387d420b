/* test_clock.c - the clock moves forward only, and when it is told to. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/clock.h"
#include "lib/hand.h"

static void
test_stands_still_between_updates(void **state)
{
	uint64_t before, real;

	(void)state;
	clock_update();
	before = clock_ms();
	real = before;
	while (real <= before) {
		assert_int_equal(clock_ms(), before);
		clock_update();
		real = clock_ms();
		assert_true(real >= before);
	}
}

static void
test_advances_at_once(void **state)
{
	uint64_t before;

	(void)state;
	clock_update();
	before = clock_ms();
	clock_advance(3600000);
	assert_true(clock_ms() >= before + 3600000);
	assert_true(clock_ms() < before + 3600000 + 60000);
	before = clock_ms();
	clock_update();
	assert_true(clock_ms() >= before);
}

/* Attaching lasts for the process, so this one comes last. */
static void
test_follows_the_hand(void **state)
{
	char path[] = "/tmp/weir-clock-XXXXXX";
	uint64_t before;
	int64_t *hand;
	int fd = mkstemp(path);

	(void)state;
	assert_int_not_equal(fd, -1);
	close(fd);
	assert_false(clock_is_movable());
	errno = 0;
	assert_int_equal(clock_attach("/nonexistent/clock"), -1);
	assert_int_equal(errno, ENOENT);
	assert_false(clock_is_movable());
	hand = hand_open(path);
	assert_non_null(hand);
	assert_int_equal(clock_attach(path), 0);
	assert_true(clock_is_movable());
	clock_update();
	before = clock_ms();
	hand_move(hand, 600000);
	assert_int_equal(clock_ms(), before);
	clock_update();
	assert_true(clock_ms() >= before + 600000);
	assert_true(clock_ms() < before + 600000 + 60000);
	hand_move(hand, -600000);
	hand_close(hand);
	unlink(path);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stands_still_between_updates),
		cmocka_unit_test(test_advances_at_once),
		cmocka_unit_test(test_follows_the_hand),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
