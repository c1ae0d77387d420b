/* test_timer.c - timers of middlewares. */
#include <sys/socket.h>

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/clock.h"
#include "lib/pair.h"

/* A digit sets the timer to so many times 10 s; it says "t" when it comes. */
static struct weir_verdict
timed_up(struct weir_call *c, struct weir_bytes in)
{
	if (in.len == 0)
		return weir_pass(0);
	weir_timer(c, (uint32_t)(in.p[in.len - 1] - '0') * 10000);
	return weir_drop(in.len);
}

static struct weir_verdict
timed_timer(struct weir_call *c)
{
	weir_emit(c, WEIR_UP, "t", 1);
	return weir_pass(0);
}

static const struct weir_middleware mw_timed = {
	.name = "timed", .up = timed_up, .timer = timed_timer
};

static void
test_a_timer_comes_once(void **state)
{
	(void)state;
	rig_add(&rig, &mw_timed, NULL);
	pair_join();
	rig_say(client, "3");
	rig_quiet(&rig);
	rig_advance(&rig, 25000);
	rig_hear_nothing(&rig, server);
	rig_advance(&rig, 5000);
	rig_hear(&rig, server, "t");
	rig_advance(&rig, 1000000);
	rig_hear_nothing(&rig, server);
}

/* Limits of the server need not be so exact. */
static void
test_a_timer_comes_on_the_ms(void **state)
{
	(void)state;
	rig_add(&rig, &mw_timed, NULL);
	pair_join();
	assert_int_equal(rig.loop.timeouts.exact, 0);
	rig_say(client, "1");
	rig_quiet(&rig);
	assert_int_equal(rig.loop.timeouts.exact, 1);
	rig_advance(&rig, 9998);
	assert_true(rig.loop.tick_ms <= clock_ms() + 2);
	rig_advance(&rig, 2);
	assert_int_equal(rig.loop.timeouts.exact, 0);
}

static void
test_a_timer_is_moved_and_stopped(void **state)
{
	(void)state;
	rig_add(&rig, &mw_timed, NULL);
	pair_join();
	rig_say(client, "3");
	rig_quiet(&rig);
	rig_say(client, "9");
	rig_quiet(&rig);
	rig_advance(&rig, 60000);
	rig_hear_nothing(&rig, server);
	rig_advance(&rig, 30000);
	rig_hear(&rig, server, "t");
	rig_say(client, "1");
	rig_quiet(&rig);
	rig_say(client, "0");
	rig_quiet(&rig);
	rig_advance(&rig, 1000000);
	rig_hear_nothing(&rig, server);
}

static void
test_a_timer_dies_with_its_channel(void **state)
{
	(void)state;
	rig_add(&rig, &mw_timed, NULL);
	pair_join();
	rig_say(client, "3");
	rig_quiet(&rig);
	rig_reset(&client);
	rig_until(&rig, rig_ends.n == 1);
	rig_advance(&rig, 30000);
}

static struct weir_verdict
closing_timer(struct weir_call *c)
{
	weir_why(c, "time is up");
	return weir_close(WEIR_R_LIMIT);
}

static void
test_a_timer_may_close(void **state)
{
	static const struct weir_middleware mw = {
		.name = "timed", .up = timed_up, .timer = closing_timer
	};

	(void)state;
	rig_add(&rig, &mw, NULL);
	pair_join();
	rig_say(client, "1");
	rig_quiet(&rig);
	rig_advance(&rig, 10000);
	rig_hear_end(&rig, client);
	rig_close(&client);
	rig_until(&rig, rig_ends.n == 1);
	assert_int_equal(rig_ends.reason, WEIR_R_LIMIT);
	assert_string_equal(rig_ends.facts.detail, "time is up");
	assert_string_equal(rig_ends.facts.module, "timed");
	assert_true(rig_ends.facts.ended_ms >= 100);
}

static void
test_no_timer_without_a_callback(void **state)
{
	static const struct weir_middleware mw = { .name = "bad",
		.up = timed_up };

	(void)state;
	rig.alerts_wanted = true;
	rig_add(&rig, &mw, NULL);
	pair_join();
	rig_say(client, "1");
	rig_until(&rig, rig_ends.n == 1);
	assert_int_equal(rig_ends.reason, WEIR_R_BUG);
}

static struct weir_verdict
flood_open(struct weir_call *c)
{
	weir_timer(c, 1);
	return weir_pass(0);
}

static struct weir_verdict
flood_timer(struct weir_call *c)
{
	static const char much[65536];

	weir_emit(c, WEIR_UP, much, sizeof(much));
	weir_timer(c, 1);
	return weir_pass(0);
}

/* Who emits by time has backpressure, too: its time comes later. */
static void
test_timers_wait_for_their_output(void **state)
{
	static const struct weir_middleware mw = {
		.name = "flood", .open = flood_open, .timer = flood_timer
	};
	static char drain[1 << 20];
	const struct flow *up;
	int i;

	(void)state;
	rig.server.hold_max = 65536;
	rig_add(&rig, &mw, NULL);
	pair_join();
	up = &rig_channel(&rig)->flows[WEIR_UP];
	for (i = 0; i < 2000; i++)
		rig_advance(&rig, 20);
	assert_true(up->out.len > 65536);
	assert_true(up->out.len <= 3 * 65536);
	while (rig_read(server, drain, sizeof(drain)) > 0 || up->out.len > 0)
		rig_turn(&rig);
	rig_advance(&rig, 20);
	assert_true(rig_read(server, drain, sizeof(drain)) > 0);
}

#define timer_test(name)                                                       \
	cmocka_unit_test_setup_teardown(name, pair_start, pair_stop)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		timer_test(test_a_timer_comes_once),
		timer_test(test_a_timer_comes_on_the_ms),
		timer_test(test_a_timer_is_moved_and_stopped),
		timer_test(test_a_timer_dies_with_its_channel),
		timer_test(test_a_timer_may_close),
		timer_test(test_no_timer_without_a_callback),
		timer_test(test_timers_wait_for_their_output),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
