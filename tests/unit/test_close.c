/* test_close.c - close callbacks that wait: one after the other, or all at
 * once, and never for ever. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "waiter.h"

/* ---- close --------------------------------------------------------------- */

/* Three that wait in close; the client is gone. */
static void
close_three(int mode, uint32_t close_wait_ms)
{
	int i;

	rig.server.close_channel_mode = mode;
	rig.server.close_wait_ms = close_wait_ms;
	for (i = 0; i < WAITERS; i++) {
		waiters[i].closes = true;
		rig_add(&rig, &mw_waiter, NULL);
	}
	pair_join();
	rig_reset(&client);
	rig_hear_reset(&rig, server);
	rig_quiet(&rig);
}

static unsigned
closed(void)
{
	return waiters[0].closed * 100 + waiters[1].closed * 10 +
	       waiters[2].closed;
}

static void
test_serial_closes(void **state)
{
	(void)state;
	close_three(CONF_CLOSE_SERIAL, 60000);
	assert_int_equal(closed(), 100);
	weir_wake(waiters[0].ticket, 0);
	rig_quiet(&rig);
	assert_int_equal(closed(), 110);
	assert_int_equal(rig.loop.channels, 1);
	weir_wake(waiters[1].ticket, 0);
	rig_quiet(&rig);
	assert_int_equal(closed(), 111);
	assert_int_equal(rig_ends.n, 0);
	weir_wake(waiters[2].ticket, 0);
	rig_quiet(&rig);
	assert_int_equal(rig_ends.n, 1);
	assert_int_equal(rig.loop.channels, 0);
	assert_int_equal(closed(), 111);
}

static void
test_parallel_closes(void **state)
{
	(void)state;
	close_three(CONF_CLOSE_PARALLEL, 60000);
	assert_int_equal(closed(), 111);
	assert_int_equal(rig_ends.n, 1);
	weir_wake(waiters[2].ticket, 0);
	weir_wake(waiters[0].ticket, 0);
	rig_quiet(&rig);
	assert_int_equal(rig.loop.channels, 1);
	weir_wake(waiters[1].ticket, 0);
	rig_quiet(&rig);
	assert_int_equal(rig.loop.channels, 0);
	assert_int_equal(closed(), 111);
}

static void
test_close_has_its_own_time(void **state)
{
	(void)state;
	waiters[0].ms = 300;
	close_three(CONF_CLOSE_SERIAL, 60000);
	rig_advance(&rig, 400);
	rig_quiet(&rig);
	assert_int_equal(closed(), 110);
}

/* All of it together has close_wait; who is left is called and does not wait.
 */
static void
test_close_wait_is_for_all(void **state)
{
	(void)state;
	close_three(CONF_CLOSE_SERIAL, 1000);
	rig_advance(&rig, 900);
	rig_quiet(&rig);
	assert_int_equal(closed(), 100);
	rig_advance(&rig, 200);
	rig_quiet(&rig);
	assert_int_equal(closed(), 111);
	assert_int_equal(rig.loop.channels, 0);
}

static void
test_close_does_not_wait_when_off(void **state)
{
	(void)state;
	close_three(CONF_CLOSE_PARALLEL, 0);
	assert_int_equal(closed(), 111);
	assert_int_equal(rig.loop.channels, 0);
}

static void
test_close_woken_at_once(void **state)
{
	(void)state;
	waiters[0].early = waiters[1].early = waiters[2].early = true;
	close_three(CONF_CLOSE_SERIAL, 60000);
	assert_int_equal(closed(), 111);
	assert_int_equal(rig.loop.channels, 0);
}

/* The teardown stops the engine, which asserts that nothing is left. */
static void
test_a_stop_waits_for_no_close(void **state)
{
	(void)state;
	close_three(CONF_CLOSE_SERIAL, 60000);
	assert_int_equal(closed(), 100);
	rig_close(&server);
	rig_join(&rig, listener, &client, &server);
}

#define wait_test(name)                                                        \
	cmocka_unit_test_setup_teardown(name, waiter_start, pair_stop)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		wait_test(test_serial_closes),
		wait_test(test_parallel_closes),
		wait_test(test_close_has_its_own_time),
		wait_test(test_close_wait_is_for_all),
		wait_test(test_close_does_not_wait_when_off),
		wait_test(test_close_woken_at_once),
		wait_test(test_a_stop_waits_for_no_close),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
