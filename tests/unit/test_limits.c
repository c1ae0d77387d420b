/* test_limits.c - every time limit is due at its time, not before. */
#include <sys/socket.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "lib/pair.h"

static void
expired(const char *which)
{
	rig_until(&rig, rig_ends.n == 1);
	assert_int_equal(rig_ends.reason, WEIR_R_TIMEOUT);
	assert_string_equal(rig_ends.facts.detail, which);
	assert_int_equal(rig_ends.facts.ended_by, WEIR_SELF);
	rig_hear_reset(&rig, client);
}

/* Not due after 95 s, due after 101 s. */
static void
expires(const char *which)
{
	rig_advance(&rig, 95000);
	rig_quiet(&rig);
	assert_int_equal(rig_ends.n, 0);
	rig_advance(&rig, 6000);
	expired(which);
}

static void
test_idle_timeout(void **state)
{
	(void)state;
	rig.server.idle_timeout_ms = 100000;
	pair_join();
	expires("idle_timeout");
	rig_hear_reset(&rig, server);
}

static void
test_idle_timeout_restarts_with_bytes_of_any_side(void **state)
{
	(void)state;
	rig.server.idle_timeout_ms = 100000;
	pair_join();
	rig_advance(&rig, 60000);
	rig_say(client, "a");
	rig_hear(&rig, server, "a");
	rig_advance(&rig, 60000);
	rig_say(server, "b");
	rig_hear(&rig, client, "b");
	expires("idle_timeout");
}

static void
test_half_close_timeout(void **state)
{
	(void)state;
	rig.server.idle_timeout_ms = 1000000;
	rig.server.half_close_timeout_ms = 100000;
	pair_join();
	rig_advance(&rig, 500000);
	shutdown(client, SHUT_WR);
	rig_hear_end(&rig, server);
	rig_advance(&rig, 60000);
	rig_say(server, "b");
	rig_hear(&rig, client, "b");
	expires("half_close_timeout");
}

static void
test_session_timeout_counts_from_the_start(void **state)
{
	int i;

	(void)state;
	rig.server.session_timeout_ms = 160000;
	pair_join();
	for (i = 0; i < 3; i++) {
		rig_advance(&rig, 20000);
		rig_say(client, "a");
		rig_hear(&rig, server, "a");
	}
	expires("session_timeout");
}

static struct weir_verdict
wants_all(struct weir_call *c, struct weir_bytes in)
{
	(void)c;
	return weir_drop(in.len);
}
static const struct weir_middleware mw_wants = {
	.name = "wants", .flags = WEIR_PREREAD, .up = wants_all
};

static void
preread(void)
{
	rig_add(&rig, &mw_wants, NULL);
	rig_add(&rig, &rig_dial, &dial);
	rig_start(&rig);
	client = rig_client(&rig);
}

static void
test_dumb_connect_timeout(void **state)
{
	(void)state;
	rig.server.dumb_connect_timeout_ms = 100000;
	rig.server.preread_timeout_ms = 500000;
	preread();
	expires("dumb_connect_timeout");
}

static void
test_preread_timeout(void **state)
{
	(void)state;
	rig.server.preread_timeout_ms = 100000;
	rig.server.session_timeout_ms = 200000;
	preread();
	expires("preread_timeout");
}

static void
test_session_timeout_before_routing(void **state)
{
	(void)state;
	rig.server.preread_timeout_ms = 200000;
	rig.server.session_timeout_ms = 100000;
	preread();
	expires("session_timeout");
}

static void
test_limits_of_routing_end_with_it(void **state)
{
	(void)state;
	rig.server.dumb_connect_timeout_ms = 10000;
	rig.server.preread_timeout_ms = 20000;
	preread();
	rig_say(client, "x");
	server = rig_take(&rig, listener);
	rig_until(&rig, rig_channel(&rig)->state == CHANNEL_JOINED);
	rig_advance(&rig, 1000000);
	rig_quiet(&rig);
	assert_int_equal(rig_ends.n, 0);
}

static struct weir_verdict
wait_for_ever(struct weir_call *c)
{
	(void)c;
	return weir_wait(0);
}

static struct weir_verdict
first_bytes(struct weir_call *c, struct weir_bytes in)
{
	(void)c;
	return weir_pass(in.len);
}

/* An open that waits without a time of its own has that of the server. */
static void
open_waits(unsigned flags, const char *which)
{
	static struct weir_middleware mw = {
		.name = "waits", .open = wait_for_ever, .up = first_bytes
	};

	mw.flags = flags;
	rig_add(&rig, &mw, NULL);
	rig_start(&rig);
	client = rig_client(&rig);
	expires(which);
}

static void
test_session_timeout_while_open_waits(void **state)
{
	(void)state;
	rig.server.session_timeout_ms = 100000;
	rig.server.preread_timeout_ms = 1000; /* nobody prereads */
	open_waits(0, "session_timeout");
}

static void
test_preread_timeout_while_open_waits(void **state)
{
	(void)state;
	rig.server.preread_timeout_ms = 100000;
	open_waits(WEIR_PREREAD, "preread_timeout");
}

static void
test_without_limits_it_stays(void **state)
{
	(void)state;
	pair_join();
	rig_advance(&rig, (uint64_t)1 << 40);
	rig_say(client, "a");
	rig_hear(&rig, server, "a");
}

static void
test_the_timer_of_the_loop_fires(void **state)
{
	(void)state;
	rig.server.idle_timeout_ms = 30;
	pair_join();
	expired("idle_timeout");
}

#define limits_test(name)                                                      \
	cmocka_unit_test_setup_teardown(name, pair_start, pair_stop)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		limits_test(test_idle_timeout),
		limits_test(test_idle_timeout_restarts_with_bytes_of_any_side),
		limits_test(test_half_close_timeout),
		limits_test(test_session_timeout_counts_from_the_start),
		limits_test(test_dumb_connect_timeout),
		limits_test(test_preread_timeout),
		limits_test(test_session_timeout_before_routing),
		limits_test(test_limits_of_routing_end_with_it),
		limits_test(test_session_timeout_while_open_waits),
		limits_test(test_preread_timeout_while_open_waits),
		limits_test(test_without_limits_it_stays),
		limits_test(test_the_timer_of_the_loop_fires),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
