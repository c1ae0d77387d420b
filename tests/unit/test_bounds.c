/* test_call.c - what callbacks ask for, when several do at once, and where it
 * is not allowed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "engine/hold.h"
#include "lib/pair.h"

static char chunk[60000];
static struct weir_verdict
pump_timer(struct weir_call *c)
{
	weir_emit(c, WEIR_UP, chunk, sizeof(chunk));
	weir_timer(c, 1);
	return weir_pass(0);
}

static struct weir_verdict
pump_open(struct weir_call *c)
{
	weir_timer(c, 1);
	return weir_pass(0);
}

static struct weir_verdict
waits_up(struct weir_call *c, struct weir_bytes in)
{
	(void)c;
	(void)in;
	return weir_wait(0);
}

static void
test_what_is_held_has_a_bound(void **state)
{
	static const struct weir_middleware a = {
		.name = "pump", .open = pump_open, .timer = pump_timer
	};
	static const struct weir_middleware b = { .name = "waits",
		.up = waits_up };
	int i;
	(void)state;
	rig_add(&rig, &a, NULL);
	rig_add(&rig, &b, NULL);
	pair_join();
	for (i = 0; i < 100; i++)
		rig_advance(&rig, 20);
	assert_true(
		rig_channel(&rig)->holds->bytes.len <= 2 * rig.server.hold_max);
}

static struct weir_verdict
ready_up(struct weir_call *c, struct weir_bytes in)
{
	weir_ready(c);
	if (c->result == 0)
		return weir_wait(50);
	return weir_pass(in.len);
}

static void
hello_connected(struct weir_call *c, int err)
{
	if (err == 0)
		weir_emit(c, WEIR_UP, "PROXY ", 6);
}

static void
test_connected_goes_ahead(void **state)
{
	static const struct weir_middleware a = { .name = "proxy",
		.connected = hello_connected };
	static const struct weir_middleware b = {
		.name = "ready", .flags = WEIR_PREREAD, .up = ready_up
	};
	(void)state;
	rig_add(&rig, &a, NULL);
	rig_add(&rig, &b, NULL);
	rig_add(&rig, &rig_dial, &dial);
	rig_start(&rig);
	client = rig_client(&rig);
	rig_say(client, "data ");
	server = rig_take(&rig, listener);
	rig_quiet(&rig);
	rig_advance(&rig, 60);
	rig_hear(&rig, server, "PROXY data ");
}

static struct weir_verdict
sig(struct weir_call *c, const char *e)
{
	(void)c;
	(void)e;
	return weir_refuse(WEIR_R_DENIED, WEIR_MANNER_SILENT);
}

static void
test_silent_at_a_stop(void **state)
{
	static const struct weir_middleware a = { .name = "sig",
		.signal = sig };

	(void)state;
	rig_add(&rig, &a, NULL);
	pair_join();
	engine_stop(&rig.engine);
	assert_int_equal(rig_channel(&rig)->ending, ENDING_SILENT);
}

/* ---- one's full output is not another's time ----------------------------- */

static unsigned ticks;

static struct weir_verdict
ticks_open(struct weir_call *c)
{
	weir_timer(c, 10);
	return weir_pass(0);
}

static struct weir_verdict
ticks_timer(struct weir_call *c)
{
	ticks++;
	weir_timer(c, 10);
	return weir_pass(0);
}

static void
test_timers_of_others_come(void **state)
{
	static const struct weir_middleware a = {
		.name = "pump", .open = pump_open, .timer = pump_timer
	};
	static const struct weir_middleware b = { .name = "waits",
		.up = waits_up };
	static const struct weir_middleware mw = {
		.name = "ticks", .open = ticks_open, .timer = ticks_timer
	};
	int i;

	(void)state;
	ticks = 0;
	rig_add(&rig, &a, NULL);
	rig_add(&rig, &b, NULL);
	rig_add(&rig, &mw, NULL);
	pair_join();
	for (i = 0; i < 100; i++)
		rig_advance(&rig, 20);
	assert_true(ticks >= 90);
}

#define call_test(name)                                                        \
	cmocka_unit_test_setup_teardown(name, pair_start, pair_stop)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		call_test(test_what_is_held_has_a_bound),
		call_test(test_connected_goes_ahead),
		call_test(test_silent_at_a_stop),
		call_test(test_timers_of_others_come),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
