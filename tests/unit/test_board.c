/* test_board.c - the figures of workers that share memory. */
#include <sys/wait.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/board.h"

static struct board board;

static int
setup(void **state)
{
	(void)state;
	return board_init(&board, 4);
}

static int
teardown(void **state)
{
	(void)state;
	board_done(&board);
	return board.lines == NULL ? 0 : -1;
}

static void
serve(unsigned slot, uint32_t channels)
{
	board.lines[slot].serves = true;
	board.lines[slot].channels = channels;
}

/* Is slot 0 with so many channels? */
static bool
is_ahead(struct board_watch *w, uint32_t channels)
{
	board.lines[0].channels = channels;
	return board_is_ahead(&board, 0, w, 1000);
}

static void
test_what_a_child_writes_is_seen(void **state)
{
	pid_t pid = fork();
	int status;

	(void)state;
	if (pid == 0) {
		serve(2, 7);
		board.lines[2].oldest_ms = 5;
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(board_total(&board), 7);
	assert_int_equal(board_oldest(&board), 5);
	board.lines[1].oldest_ms = 9;
	assert_int_equal(board_oldest(&board), 5);
	board_clear(&board, 2);
	assert_int_equal(board_total(&board), 0);
	assert_int_equal(board_oldest(&board), 9);
	assert_false(board.lines[2].serves);
}

static void
test_only_who_serves_counts(void **state)
{
	struct board_spread s;

	(void)state;
	serve(0, 3);
	serve(2, 8);
	board.lines[1].channels = 100; /* drains */
	board_look(&board, &s);
	assert_int_equal(s.n, 2);
	assert_int_equal(s.total, 11);
	assert_int_equal(s.least, 3);
	assert_int_equal(s.least_slot, 0);
	assert_int_equal(s.most, 8);
	assert_int_equal(s.most_slot, 2);
	assert_int_equal(board_total(&board), 111);
}

static void
test_who_is_ahead(void **state)
{
	struct board_watch w[4] = { 0 };

	(void)state;
	/* Alone one has its share, whatever it is. */
	serve(0, 100);
	assert_false(is_ahead(w, 100));
	serve(1, 0);
	assert_true(is_ahead(w, 100));
	assert_false(is_ahead(w, 0));
	/* A sixteenth more than the mean is fine. */
	serve(0, 34);
	serve(1, 30);
	assert_false(is_ahead(w, 34));
	assert_true(is_ahead(w, 35));
	serve(0, 1);
	serve(1, 1);
	assert_false(is_ahead(w, 1));
}

/* Nothing is left to who hangs, until it moves again. */
static void
test_who_hangs(void **state)
{
	struct board_watch w[4] = { 0 };

	(void)state;
	serve(0, 10);
	serve(1, 0);
	serve(2, 10);
	assert_true(is_ahead(w, 10));
	board_watch(&board, w);
	board.lines[0].turns++;
	board.lines[2].turns++;
	assert_true(is_ahead(w, 10));
	board_blame(&board, w);
	assert_false(is_ahead(w, 10));
	/* It is not forgiven by looking once more. */
	board_watch(&board, w);
	assert_false(is_ahead(w, 10));
	board.lines[1].turns++;
	assert_true(is_ahead(w, 10));
	board_watch(&board, w);
	assert_true(is_ahead(w, 10));
}

/* Who has many that say nothing has its share of the others all the same. */
static void
test_who_has_little_to_do(void **state)
{
	struct board_watch w[4] = { 0 };
	unsigned i;

	(void)state;
	serve(0, 100);
	serve(1, 0);
	for (i = 0; i < 8; i++)
		board_accepted(&board.lines[1], 1000);
	assert_int_equal(board.lines[1].accepts, 8 * BOARD_ACCEPT);
	assert_false(is_ahead(w, 100));
	for (i = 0; i < 7; i++)
		board_accepted(&board.lines[0], 1000);
	assert_false(is_ahead(w, 100));
	board_accepted(&board.lines[0], 1000);
	assert_true(is_ahead(w, 100));
	/* Half as much a second later, then less and less. */
	assert_true(board_is_ahead(&board, 0, w, 1999));
	board_accepted(&board.lines[1], 2100);
	assert_int_equal(board.lines[1].accepts, 5 * BOARD_ACCEPT);
	assert_int_equal(board.lines[1].accepts_ms, 2000);
	board_accepted(&board.lines[1], 200000);
	assert_int_equal(board.lines[1].accepts, BOARD_ACCEPT);
	assert_false(board_is_ahead(&board, 0, w, 200000));
	assert_true(board_is_ahead(&board, 0, w, 400000));
}

static void
test_what_is_uneven(void **state)
{
	struct board_spread s = { .n = 2, .least = 0, .most = 10 };

	(void)state;
	assert_false(board_is_uneven(&s));
	s.most = 11;
	assert_true(board_is_uneven(&s));
	s = (struct board_spread){ .n = 2, .least = 100, .most = 150 };
	assert_false(board_is_uneven(&s));
	s.most = 151;
	assert_true(board_is_uneven(&s));
	s = (struct board_spread){ .n = 1, .least = 151, .most = 151 };
	assert_false(board_is_uneven(&s));
	board_look(&board, &s);
	assert_int_equal(s.n, 0);
	assert_false(board_is_uneven(&s));
}

int
main(void)
{
#define BOARD_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		BOARD_TEST(test_what_a_child_writes_is_seen),
		BOARD_TEST(test_only_who_serves_counts),
		BOARD_TEST(test_who_is_ahead),
		BOARD_TEST(test_who_hangs),
		BOARD_TEST(test_who_has_little_to_do),
		BOARD_TEST(test_what_is_uneven),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
