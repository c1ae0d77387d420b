/* test_lag.c - how a time is tested: by a clock that the test moves. */
#include "lib/pair.h"

static struct weir_verdict
lag_up(struct weir_call *c, struct weir_bytes in)
{
	return c->result == 0 ? weir_wait(60000) : weir_pass(in.len);
}

static const struct weir_middleware mw_lag = { .name = "lag", .up = lag_up };

static void
test_a_minute_passes(void **state)
{
	(void)state;
	rig_add(&rig, &mw_lag, NULL);
	pair_join();
	rig_say(client, "hello");
	rig_quiet(&rig);
	rig_advance(&rig, 55000);
	rig_hear_nothing(&rig, server);
	rig_advance(&rig, 5000);
	rig_hear(&rig, server, "hello");
	assert_int_equal(shutdown(client, SHUT_WR), 0);
	rig_hear_nothing(&rig, server);
	rig_advance(&rig, 60000);
	rig_hear_end(&rig, server);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_a_minute_passes, pair_start, pair_stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
