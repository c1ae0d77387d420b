/* test_count.c - every line end counts once, wherever it stands. */
#include <sys/socket.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lib/cut.h"
#include "lib/pair.h"
#include "lib/spy.h"

#define MOST 20000

extern const struct weir_middleware mw_count;

static const struct {
	bool report;
} loud = { true }, quiet = { false };

static void
test_lines_are_counted_and_pass(void **state)
{
	static const struct {
		const char *text;
		const char *lines;
	} t[] = { { "", "0" }, { "a", "0" }, { "\n", "1" }, { "a\n", "1" },
		{ "\na\r\n\nb", "3" }, { "\n\n\n\n\n\n\n\n", "8" } };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		each_cut(spy_on(&mw_count), &quiet, t[i].text,
			&(struct cut_seen){ .up = t[i].text, .why = "done" });
		assert_string_equal(spy_text("up_lines"), t[i].lines);
		assert_string_equal(spy_text("down_lines"), "0");
	}
}

static void
end_want(const char *text, size_t len, struct cut_seen *seen)
{
	(void)len;
	seen->up = text;
	seen->why = "done";
}

static void
test_the_end_may_come_anywhere(void **state)
{
	(void)state;
	each_end_of(&(struct cut_talk){ .mw = spy_on(&mw_count),
			    .conf = &quiet,
			    .text = "one\ntwo\n\nthree" },
		end_want);
	assert_string_equal(spy_text("up_lines"), "3");
}

/* Both directions have a count of their own. */
static void
test_the_log_tells(void **state)
{
	pair_start(state);
	rig_add(&rig, spy_on(&mw_count), &loud);
	pair_join();
	rig_say(client, "one\ntwo\n");
	rig_hear(&rig, server, "one\ntwo\n");
	rig_say(server, "three\n");
	rig_hear(&rig, client, "three\n");
	rig_close(&client);
	rig_close(&server);
	rig_until(&rig, rig_ends.n == 1);
	assert_true(rig_logged(&rig, "up_lines=2 down_lines=1"));
	pair_stop(state);
}

static void
test_the_log_is_silent_when_told(void **state)
{
	pair_start(state);
	rig_add(&rig, spy_on(&mw_count), &quiet);
	pair_join();
	rig_close(&client);
	rig_close(&server);
	rig_until(&rig, rig_ends.n == 1);
	assert_false(rig_logged(&rig, "lines="));
	pair_stop(state);
}

/* Relays n bytes downwards; they arrive as they were. */
static void
relay(const uint8_t *p, size_t n)
{
	static uint8_t got[MOST];
	size_t have = 0;
	long some;
	int turn;

	rig_send(server, p, n);
	for (turn = 0; turn < RIG_TURNS && have < n; turn++) {
		some = rig_read(client, got + have, n - have);
		if (some > 0)
			have += (size_t)some;
		else
			rig_turn_wait(&rig);
	}
	assert_int_equal(have, n);
	assert_memory_equal(got, p, n);
}

/* Any length at any place, against counting one by one. */
static void
test_long_reads_count_alike(void **state)
{
	static uint8_t bytes[MOST];
	size_t want = 0, n, i;
	char count[24];
	int round;

	pair_start(state);
	rig_add(&rig, spy_on(&mw_count), &quiet);
	pair_join();
	srandom(1);
	for (round = 0; round < 400; round++) {
		n = 1 + (size_t)random() % (round % 8 == 0 ? MOST : 100);
		for (i = 0; i < n; i++)
			bytes[i] = random() % 3 == 0 || round % 16 == 0 ? '\n'
									: 138;
		for (i = 0; i < n; i++)
			want += bytes[i] == '\n';
		relay(bytes, n);
	}
	rig_close(&client);
	rig_close(&server);
	rig_until(&rig, rig_ends.n == 1);
	snprintf(count, sizeof(count), "%zu", want);
	assert_string_equal(spy_text("down_lines"), count);
	assert_string_equal(spy_text("up_lines"), "0");
	pair_stop(state);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines_are_counted_and_pass),
		cmocka_unit_test(test_the_end_may_come_anywhere),
		cmocka_unit_test(test_the_log_tells),
		cmocka_unit_test(test_the_log_is_silent_when_told),
		cmocka_unit_test(test_long_reads_count_alike),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
