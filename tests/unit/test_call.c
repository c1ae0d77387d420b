/* test_call.c - what callbacks ask for, when several do at once, and where it
 * is not allowed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "conf/reading.h"
#include "lib/pair.h"

static struct weir_verdict
look(struct weir_call *c, struct weir_bytes in)
{
	(void)c;
	return weir_pass(in.len);
}

static const struct weir_middleware mw_look = {
	.name = "look", .up = look, .down = look
};

static struct weir_verdict
deny_up(struct weir_call *c, struct weir_bytes in)
{
	(void)in;
	weir_emit(c, WEIR_DOWN, "550 no\r\n", 8);
	weir_why(c, "because");
	return weir_close(WEIR_R_DENIED);
}

static void
test_a_why_is_its_own(void **state)
{
	static const struct weir_middleware mw = { .name = "deny",
		.up = deny_up };

	(void)state;
	rig_add(&rig, &mw_look, NULL);
	rig_add(&rig, &mw, NULL);
	pair_join();
	rig_say(client, "x");
	rig_hear(&rig, client, "550 no\r\n");
	rig_close(&client);
	rig_until(&rig, rig_ends.n == 1);
	assert_int_equal(rig_ends.reason, WEIR_R_DENIED);
	assert_non_null(rig_ends.facts.detail);
	assert_string_equal(rig_ends.facts.detail, "because");
}

static struct weir_verdict
serve_target(struct weir_call *c, const struct weir_addr *to)
{
	(void)to;
	weir_serve(c);
	return weir_pass(0);
}

static void
test_target_may_not_serve(void **state)
{
	static const struct weir_middleware mw = { .name = "t",
		.target = serve_target };

	(void)state;
	rig_add(&rig, &mw, NULL);
	rig_add(&rig, &rig_dial, &dial);
	rig_start(&rig);
	client = rig_client(&rig);
	rig_until(&rig, rig_ends.n == 1);
	assert_int_equal(rig_ends.reason, WEIR_R_BUG);
	rig.alerts_wanted = true;
}

static struct weir_verdict
first_up(struct weir_call *c, struct weir_bytes in)
{
	weir_emit(c, WEIR_UP, "hello", 5);
	weir_connect(c, &dial.to[0], NULL);
	(void)in;
	return weir_detach();
}

static struct weir_verdict
second_up(struct weir_call *c, struct weir_bytes in)
{
	(void)in;
	weir_serve(c);
	return weir_detach();
}

static void
test_the_first_choice_wins(void **state)
{
	static const struct weir_middleware a = {
		.name = "a", .flags = WEIR_PREREAD, .up = first_up
	};
	static const struct weir_middleware b = {
		.name = "b", .flags = WEIR_PREREAD, .up = second_up
	};

	(void)state;
	rig.server.connect_timeout_ms = 2000;
	rig_add(&rig, &a, NULL);
	rig_add(&rig, &b, NULL);
	rig_start(&rig);
	client = rig_client(&rig);
	rig_say(client, "x");
	rig_quiet(&rig);
	/* It is answered here: no backend, and no limit of one. */
	assert_int_equal(rig_channel(&rig)->state, CHANNEL_JOINED);
	assert_int_equal(rig_channel(&rig)->ends[WEIR_BACKEND].fd, -1);
	assert_int_equal(rig.loop.fds, 1);
	rig_advance(&rig, 2500);
	rig_quiet(&rig);
	assert_int_equal(rig_ends.n, 0);
}

static struct weir_verdict
shut_down(struct weir_call *c, struct weir_bytes in)
{
	if (in.len == 0)
		return weir_pass(0);
	weir_why(c, "mine");
	return weir_close(WEIR_R_DENIED);
}

static void
test_the_first_end_stays_whole(void **state)
{
	static const struct weir_middleware mw = { .name = "shut",
		.down = shut_down };

	(void)state;
	rig_add(&rig, &mw, NULL);
	pair_join();
	rig_say(server, "last");
	rig_reset(&server);
	rig_until(&rig, rig_ends.n == 1);
	assert_true((rig_ends.reason == WEIR_R_DENIED) ==
		    (rig_ends.facts.module != NULL));
}

static struct weir_verdict
banner_open(struct weir_call *c)
{
	weir_emit(c, WEIR_DOWN, "banner", 6);
	return weir_pass(0);
}

static struct weir_verdict
wait_open(struct weir_call *c)
{
	if (c->result != 0)
		return weir_pass(0);
	return weir_wait(0);
}

static const struct weir_middleware mw_wait_open = { .name = "w",
	.open = wait_open };
static void
test_session_timeout_while_open_waits(void **state)
{
	(void)state;
	rig.server.session_timeout_ms = 1000;
	rig.server.dumb_connect_timeout_ms = 500;
	rig.server.preread_timeout_ms = 500;
	rig.server.idle_timeout_ms = 500;
	rig_add(&rig, &mw_wait_open, NULL);
	rig_start(&rig);
	client = rig_client(&rig);
	rig_quiet(&rig);
	rig_advance(&rig, 5000);
	rig_quiet(&rig);
	assert_int_equal(rig_ends.n, 1);
}

static void
test_a_banner_waits_for_nobody(void **state)
{
	static const struct weir_middleware mw = { .name = "banner",
		.open = banner_open };

	(void)state;
	rig_add(&rig, &mw, NULL);
	rig_add(&rig, &mw_wait_open, NULL);
	rig_start(&rig);
	client = rig_client(&rig);
	rig_hear(&rig, client, "banner");
}

static struct weir_verdict
refuse_open(struct weir_call *c)
{
	(void)c;
	return weir_close(WEIR_R_DENIED);
}

static void
test_the_last_of_64_stages_refuses(void **state)
{
	static const struct weir_middleware r = { .name = "refuse",
		.open = refuse_open };

	(void)state;
	while (rig.server.stages.n < 63)
		rig_add(&rig, &mw_look, NULL);
	rig_start(&rig);
	/* The last one, which notes ends, becomes one that refuses late. */
	rig.engine.chain.stages[63].mw = &r;
	rig.engine.chain.late = (uint64_t)1 << 63;
	client = rig_client(&rig);
	rig_hear_end(&rig, client);
	rig_close(&client);
	rig_until(&rig, rig.loop.channels == 0);
	rig_ends.n = 1; /* that nobody could note */
}

static struct weir_verdict
connect_target(struct weir_call *c, const struct weir_addr *to)
{
	weir_connect(c, to, NULL);
	return weir_pass(0);
}

static void
test_target_may_not_connect(void **state)
{
	static const struct weir_middleware mw = { .name = "t",
		.target = connect_target };

	(void)state;
	rig_add(&rig, &mw, NULL);
	rig_add(&rig, &rig_dial, &dial);
	rig_start(&rig);
	client = rig_client(&rig);
	rig_until(&rig, rig_ends.n == 1);
	assert_int_equal(rig_ends.reason, WEIR_R_BUG);
	rig.alerts_wanted = true;
}

/* signal callback that signals 20 times: the ring is overwritten under
 * engine_tell */
static char seen[512];
static struct weir_verdict
ring_signal(struct weir_call *c, const char *e)
{
	int i;

	snprintf(seen + strlen(seen), sizeof(seen) - strlen(seen), "%s ", e);
	if (strcmp(e, "a") == 0)
		for (i = 0; i < 16; i++)
			weir_signal(c, "x");
	return weir_pass(0);
}

static void
test_events_within_events(void **state)
{
	static const struct weir_middleware mw = { .name = "ring",
		.signal = ring_signal };

	(void)state;
	seen[0] = 0;
	rig_add(&rig, &mw, NULL);
	pair_join();
	engine_signal(&rig.engine, "a");
	engine_signal(&rig.engine, "b");
	rig_quiet(&rig);
	/* One was taken out of the ring by too many others, and that is told.
	 */
	assert_int_equal(strncmp(seen, "a x x ", 6), 0);
	assert_int_equal(strlen(seen), 2 * 17);
	assert_true(rig_logged(&rig, "1 events were lost"));
}

static struct weir_verdict
endd_open(struct weir_call *c)
{
	weir_emit(c, WEIR_DOWN, "bye", 3);
	weir_end(c, WEIR_DOWN);
	return weir_pass(0);
}

static void
test_a_client_is_told_the_end_at_once(void **state)
{
	static const struct weir_middleware mw = { .name = "endd",
		.open = endd_open };
	static const struct weir_middleware pre = {
		.name = "pre", .up = look, .flags = WEIR_PREREAD
	};
	(void)state;
	rig_add(&rig, &mw, NULL);
	rig_add(&rig, &pre, NULL);
	rig_add(&rig, &rig_dial, &dial);
	rig_start(&rig);
	client = rig_client(&rig);
	rig_hear(&rig, client, "bye");
	rig_hear_end(&rig, client);
}

static struct weir_verdict
close_wait(struct weir_call *c, enum weir_reason r)
{
	(void)c;
	(void)r;
	return weir_wait(0);
}

static void
test_the_dead_have_no_descriptors(void **state)
{
	static const struct weir_middleware mw = { .name = "cw",
		.close = close_wait };

	(void)state;
	rig.server.close_wait_ms = 60000;
	rig_add(&rig, &mw, NULL);
	pair_join();
	rig_reset(&client);
	rig_until(&rig, rig_channel(&rig)->state == CHANNEL_DEAD);
	rig_quiet(&rig);
	assert_int_equal(rig.loop.fds, 0);
}
/* ---- variables that do what they may not --------------------------------- */

static void
rude_get(const struct weir_call *c, struct weir_value *v)
{
	weir_emit((struct weir_call *)c, WEIR_UP, "x", 1);
	v->type = WEIR_VALUE_BOOL;
}

static struct weir_verdict
asks_up(struct weir_call *c, struct weir_bytes in)
{
	static const struct weir_variable rude = {
		.name = "rude", .type = WEIR_VALUE_BOOL, .get = rude_get
	};
	struct weir_value v = { .type = WEIR_VALUE_NONE };

	reading_ask(c, 0, &rude, &v);
	return weir_pass(in.len);
}

/* The breach is the owner's. */
static void
test_a_variable_calls_no_verbs(void **state)
{
	static const struct weir_middleware mw = { .name = "asks",
		.up = asks_up };

	(void)state;
	rig.alerts_wanted = true;
	rig_add(&rig, &mw_look, NULL);
	rig_add(&rig, &mw, NULL);
	pair_join();
	rig_say(client, "x");
	rig_until(&rig, rig_ends.n == 1);
	assert_int_equal(rig_ends.reason, WEIR_R_BUG);
	assert_string_equal(rig_ends.facts.module, "look");
}

#define call_test(name)                                                        \
	cmocka_unit_test_setup_teardown(name, pair_start, pair_stop)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		call_test(test_a_why_is_its_own),
		call_test(test_target_may_not_serve),
		call_test(test_the_first_choice_wins),
		call_test(test_the_first_end_stays_whole),
		call_test(test_session_timeout_while_open_waits),
		call_test(test_a_banner_waits_for_nobody),
		call_test(test_the_last_of_64_stages_refuses),
		call_test(test_target_may_not_connect),
		call_test(test_events_within_events),
		call_test(test_a_client_is_told_the_end_at_once),
		call_test(test_the_dead_have_no_descriptors),
		call_test(test_a_variable_calls_no_verbs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
