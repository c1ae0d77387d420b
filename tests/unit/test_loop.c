/* test_loop.c - a turn is events, then who was queued before, then the reap. */
#include <sys/socket.h>

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

#include <event2/event.h>

#include "base/clock.h"
#include "lib/alloc.h"
#include "lib/rig.h"

extern const struct weir_middleware mw_discard;

static struct rig rig;
static int clients[3];

static int
start(void **state)
{
	int i;

	(void)state;
	rig_init(&rig);
	for (i = 0; i < 3; i++)
		clients[i] = -1;
	return 0;
}

static int
stop(void **state)
{
	int i;

	(void)state;
	for (i = 0; i < 3; i++)
		rig_close(&clients[i]);
	rig_stop(&rig);
	return 0;
}

static void
open_three(void)
{
	int i;

	for (i = 0; i < 3; i++)
		clients[i] = rig_client(&rig);
	rig_quiet(&rig);
	assert_int_equal(rig.loop.channels, 3);
}

static void
test_ids_are_counted(void **state)
{
	struct weir_channel *ch;
	uint64_t id = 0;

	(void)state;
	rig_start(&rig);
	open_three();
	TAILQ_FOREACH(ch, &rig.engine.channels, all_link)
	assert_int_equal(ch->id, ++id);
}

static unsigned shown;

static struct weir_verdict
one_byte(struct weir_call *c, struct weir_bytes in)
{
	(void)c;
	(void)in;
	shown++;
	return weir_pass(in.len);
}
static const struct weir_middleware mw_one = { .name = "one", .up = one_byte };

static void
test_who_queues_again_waits_for_the_next_turn(void **state)
{
	int turns;

	(void)state;
	rig.server.read_max = 1;
	rig_add(&rig, &mw_one, NULL);
	rig_start(&rig);
	open_three();
	shown = 0;
	rig_say(clients[0], "abcdefghij");
	for (turns = 0; shown < 10; turns++) {
		unsigned before = shown;

		rig_turn(&rig);
		assert_true(shown - before <= 2);
	}
	assert_true(turns >= 5);
}

static void
test_queued_twice_is_queued_once(void **state)
{
	struct weir_channel *ch;

	(void)state;
	rig_start(&rig);
	open_three();
	ch = TAILQ_FIRST(&rig.engine.channels);
	channel_queue(ch);
	channel_queue(ch);
	assert_ptr_equal(TAILQ_FIRST(&rig.loop.run), ch);
	assert_null(TAILQ_NEXT(ch, turn_link));
	rig_turn(&rig);
	assert_true(TAILQ_EMPTY(&rig.loop.run));
	assert_false(ch->queued);
}

static void
test_a_queue_that_dies_is_left_in_order(void **state)
{
	struct weir_channel *ch;

	(void)state;
	rig_start(&rig);
	open_three();
	TAILQ_FOREACH(ch, &rig.engine.channels, all_link)
	{
		channel_close(ch, WEIR_R_KILLED, WEIR_SELF, 0, ENDING_RESET);
		assert_true(ch->queued);
	}
	/* The one in the middle dies before the list is run. */
	ch = TAILQ_NEXT(TAILQ_FIRST(&rig.engine.channels), all_link);
	channel_die(ch, true);
	assert_true(ch->queued); /* to be buried */
	channel_queue(ch);
	rig_turn(&rig);
	assert_int_equal(rig_ends.n, 3);
	assert_int_equal(rig.loop.channels, 0);
}

static void
test_limits_wake_a_waiting_loop(void **state)
{
	uint64_t since_ms;

	(void)state;
	rig.server.idle_timeout_ms = 40;
	rig_start(&rig);
	clients[0] = rig_client(&rig);
	since_ms = clock_ms();
	/* Nothing but the timer can end these waits. */
	while (rig_ends.n == 0)
		loop_turn(&rig.loop);
	assert_true(clock_ms() - since_ms >= 40);
	assert_int_equal(rig_ends.reason, WEIR_R_TIMEOUT);
}

static void
leave(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	engine_close_all(arg, WEIR_R_STOPPED);
	rig.loop.leaving = true;
}

static void
test_run_until_told_to_leave(void **state)
{
	struct event *soon;

	(void)state;
	rig_start(&rig);
	open_three();
	soon = evtimer_new(rig.loop.base, leave, &rig.engine);
	assert_non_null(soon);
	assert_int_equal(poller_timer(&rig.loop.poller, soon, 1), 0);
	loop_run(&rig.loop);
	event_free(soon);
	assert_int_equal(rig_ends.n, 3);
	assert_int_equal(rig.loop.channels, 0);
}

static void
test_without_memory_it_does_not_start(void **state)
{
	struct loop loop;

	(void)state;
	alloc_fail_at(1);
	assert_int_equal(loop_init(&loop, 4096), -1);
	assert_int_equal(errno, ENOMEM);
	assert_true(alloc_failed());
	assert_int_equal(loop_init(&loop, 4096), 0);
	loop_done(&loop);
}

#define loop_test(name) cmocka_unit_test_setup_teardown(name, start, stop)

/* Limits that are due within milliseconds of each other, in a loop that never
 * rests as long as its timer would take. */
static void
test_limits_of_a_busy_loop(void **state)
{
	uint64_t start_ms;
	int i;

	(void)state;
	rig.server.idle_timeout_ms = 100;
	rig_add(&rig, &mw_discard, NULL);
	rig_start(&rig);
	for (i = 0; i < 3; i++) {
		clients[i] = rig_client(&rig);
		rig_turn_wait(&rig);
	}
	clock_update();
	start_ms = clock_ms();
	while (rig_ends.n < 3 && clock_ms() - start_ms < 5000)
		rig_turn_wait(&rig);
	assert_int_equal(rig_ends.n, 3);
	assert_int_equal(rig_ends.reason, WEIR_R_TIMEOUT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		loop_test(test_ids_are_counted),
		loop_test(test_who_queues_again_waits_for_the_next_turn),
		loop_test(test_queued_twice_is_queued_once),
		loop_test(test_a_queue_that_dies_is_left_in_order),
		loop_test(test_limits_wake_a_waiting_loop),
		loop_test(test_run_until_told_to_leave),
		cmocka_unit_test(test_without_memory_it_does_not_start),
		cmocka_unit_test_setup_teardown(
			test_limits_of_a_busy_loop, start, stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
