/* test_chain.c - what verdicts and verbs do, and in which order. */
#include <sys/socket.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/rig.h"

/* A relay through the stages given, joined. */
struct relay {
	struct rig r;
	struct rig_dial dial;
	int listener, client, server;
};

static struct relay t;

static void
relay_add(const struct weir_middleware *mw)
{
	rig_add(&t.r, mw, NULL);
}

static void
relay_open(void)
{
	rig_add(&t.r, &rig_dial, &t.dial);
	rig_start(&t.r);
	rig_join(&t.r, t.listener, &t.client, &t.server);
}

static int
relay_start(void **state)
{
	(void)state;
	t = (struct relay){ .client = -1, .server = -1 };
	t.listener = rig_backend(&t.dial.to[0]);
	t.dial.n = 1;
	rig_init(&t.r);
	return 0;
}

static int
relay_stop(void **state)
{
	(void)state;
	rig_close(&t.client);
	rig_close(&t.server);
	rig_stop(&t.r);
	rig_close(&t.listener);
	return 0;
}

static unsigned
interest(enum weir_dir dir)
{
	return flow_interest(&rig_channel(&t.r)->flows[dir]);
}

/* ---- parts --------------------------------------------------------------- */

/* Drops every x, passes the others, one byte a time. */
static struct weir_verdict
thin(struct weir_call *c, struct weir_bytes in)
{
	(void)c;
	if (in.len == 0)
		return weir_pass(0);
	return in.p[0] == 'x' ? weir_drop(1) : weir_pass(1);
}
static const struct weir_middleware thin_up = { .name = "thin", .up = thin };
static const struct weir_middleware thin_down = { .name = "thin",
	.down = thin };

static void
test_pass_and_drop_in_parts(void **state)
{
	(void)state;
	relay_add(&thin_up);
	relay_add(&thin_down);
	relay_open();
	rig_say(t.client, "axbxxcx");
	rig_hear(&t.r, t.server, "abc");
	rig_say(t.server, "xxdxe");
	rig_hear(&t.r, t.client, "de");
	assert_int_equal(interest(WEIR_UP), 1);
	assert_int_equal(interest(WEIR_DOWN), 1);
}

/* ---- order --------------------------------------------------------------- */

static char order[64];

static void
order_add(char c)
{
	size_t n = strlen(order);

	assert_true(n + 1 < sizeof(order));
	order[n] = c;
	order[n + 1] = '\0';
}

#define ORDERED(who)                                                           \
	static struct weir_verdict who##_see(                                  \
		struct weir_call *call, struct weir_bytes in)                  \
	{                                                                      \
		(void)call;                                                    \
		order_add(#who[0]);                                            \
		return weir_pass(in.len);                                      \
	}                                                                      \
	static const struct weir_middleware mw_##who = {                       \
		.name = #who, .up = who##_see, .down = who##_see               \
	}
ORDERED(a);
ORDERED(b);
ORDERED(c);

static void
test_up_in_order_down_reversed(void **state)
{
	(void)state;
	order[0] = '\0';
	relay_add(&mw_a);
	relay_add(&mw_b);
	relay_add(&mw_c);
	relay_open();
	rig_say(t.client, "1");
	rig_hear(&t.r, t.server, "1");
	assert_string_equal(order, "abc");
	rig_say(t.server, "2");
	rig_hear(&t.r, t.client, "2");
	assert_string_equal(order, "abccba");
}

/* ---- detach -------------------------------------------------------------- */

static struct weir_verdict
first_only(struct weir_call *c, struct weir_bytes in)
{
	(void)c;
	(void)in;
	order_add('f');
	return weir_detach();
}
static const struct weir_middleware mw_first = {
	.name = "first", .up = first_only, .down = first_only
};

static void
test_detach_ends_interest(void **state)
{
	(void)state;
	order[0] = '\0';
	relay_add(&mw_first);
	relay_add(&mw_first);
	relay_open();
	assert_int_equal(interest(WEIR_UP), 2);
	rig_say(t.client, "one");
	rig_hear(&t.r, t.server, "one");
	assert_int_equal(interest(WEIR_UP), 0);
	assert_int_equal(interest(WEIR_DOWN), 2);
	rig_say(t.client, "two");
	rig_hear(&t.r, t.server, "two");
	rig_say(t.server, "three");
	rig_hear(&t.r, t.client, "three");
	assert_int_equal(interest(WEIR_DOWN), 0);
	assert_string_equal(order, "ffff");
}

/* ---- emitting ------------------------------------------------------------ */

static struct weir_verdict
bracket(struct weir_call *c, struct weir_bytes in)
{
	if (in.len == 0)
		return weir_pass(0);
	weir_emit(c, WEIR_UP, "[", 1);
	weir_emit(c, WEIR_DOWN, "(", 1);
	return weir_pass(1);
}
static const struct weir_middleware bracket_up = { .name = "bracket",
	.up = bracket };
static const struct weir_middleware bracket_down = { .name = "bracket",
	.down = bracket };

static void
test_emitted_goes_ahead_of_judged(void **state)
{
	(void)state;
	relay_add(&bracket_up);
	relay_open();
	rig_say(t.client, "ab");
	rig_hear(&t.r, t.server, "[a[b");
	rig_hear(&t.r, t.client, "((");
}

static void
test_emitted_goes_ahead_downwards(void **state)
{
	(void)state;
	relay_add(&bracket_down);
	relay_open();
	rig_say(t.server, "ab");
	rig_hear(&t.r, t.client, "(a(b");
	rig_hear(&t.r, t.server, "[[");
}

static void
test_emitted_passes_the_stages_behind(void **state)
{
	(void)state;
	relay_add(&bracket_up);
	relay_add(&bracket_up);
	relay_open();
	rig_say(t.client, "a");
	/* The first one's bracket is a byte for the second one. */
	rig_hear(&t.r, t.server, "[[[a");
	rig_hear(&t.r, t.client, "(((");
}

/* Emits six bytes, which the next one passes in two parts. */
static struct weir_verdict
six(struct weir_call *c, struct weir_bytes in)
{
	if (in.len > 0)
		weir_emit(c, WEIR_UP, "abcdef", 6);
	return weir_drop(in.len);
}
static const struct weir_middleware mw_six = { .name = "six", .up = six };

static struct weir_verdict
in_two(struct weir_call *c, struct weir_bytes in)
{
	(void)c;
	return weir_pass(in.len == 6 ? 2 : in.len);
}
static const struct weir_middleware mw_two = { .name = "two", .up = in_two };

static void
test_emitted_can_be_passed_in_parts(void **state)
{
	(void)state;
	relay_add(&mw_six);
	relay_add(&mw_two);
	relay_open();
	rig_say(t.client, "!");
	rig_hear(&t.r, t.server, "abcdef");
	rig_hear_nothing(&t.r, t.server);
	assert_int_equal(rig_channel(&t.r)->flows[WEIR_UP].out_bytes, 6);
}

static struct weir_verdict
ask_then_detach(struct weir_call *c, struct weir_bytes in)
{
	(void)in;
	weir_emit(c, WEIR_DOWN, "?", 1);
	return weir_detach();
}
static const struct weir_middleware mw_ask = { .name = "ask",
	.up = ask_then_detach };

static struct weir_verdict
answer(struct weir_call *c, struct weir_bytes in)
{
	if (in.len > 0)
		weir_emit(c, WEIR_UP, "!", 1);
	return weir_pass(in.len);
}
static const struct weir_middleware mw_answer = { .name = "answer",
	.down = answer };

static void
test_nothing_overtakes_who_detaches(void **state)
{
	(void)state;
	relay_add(&mw_answer);
	relay_add(&mw_ask);
	relay_open();
	rig_say(t.client, "abc");
	rig_hear(&t.r, t.server, "abc!");
	rig_hear(&t.r, t.client, "?");
}

static void
test_emitted_behind_the_end_vanishes(void **state)
{
	char c;

	(void)state;
	t.r.server.hold_max = 10;
	relay_add(&mw_answer);
	relay_add(&mw_b);
	relay_open();
	shutdown(t.client, SHUT_WR);
	rig_hear_end(&t.r, t.server);
	order[0] = '\0';
	for (c = 'a'; c <= 'z'; c++) {
		rig_send(t.server, &c, 1);
		rig_hear(&t.r, t.client, (char[]){ c, '\0' });
	}
	/* b saw the bytes down, and nothing that came up behind the end. */
	assert_int_equal(strlen(order), 26);
	assert_int_equal(rig_channel(&t.r)->flows[WEIR_UP].out.len, 0);
	shutdown(t.server, SHUT_WR);
	rig_hear_end(&t.r, t.client);
	rig_until(&t.r, rig_ends.n == 1);
	assert_int_equal(rig_ends.reason, WEIR_R_DONE);
}

/* ---- the end ------------------------------------------------------------- */

static unsigned ends_seen, bytes_seen;

static struct weir_verdict
end_see(struct weir_call *c, struct weir_bytes in)
{
	(void)c;
	assert_int_equal(ends_seen, 0);
	bytes_seen += in.len > 0;
	if (in.len > 1)
		return weir_pass(1);
	ends_seen += in.eof;
	return weir_pass(in.len);
}
static const struct weir_middleware mw_end_up = { .name = "end",
	.up = end_see };
static const struct weir_middleware mw_end_down = { .name = "end",
	.down = end_see };

static void
end_passes(const struct weir_middleware *mw, int *from, int *to)
{
	ends_seen = bytes_seen = 0;
	relay_add(&thin_up);
	relay_add(&thin_down);
	relay_add(mw);
	relay_open();
	rig_say(*from, "abc");
	shutdown(*from, SHUT_WR);
	rig_hear(&t.r, *to, "abc");
	rig_hear_end(&t.r, *to);
	assert_int_equal(ends_seen, 1);
	assert_int_equal(bytes_seen, 3);
	rig_say(*to, "back");
	rig_hear(&t.r, *from, "back");
}

static void
test_end_passes_once_upwards(void **state)
{
	(void)state;
	end_passes(&mw_end_up, &t.client, &t.server);
}

static void
test_end_passes_once_downwards(void **state)
{
	(void)state;
	end_passes(&mw_end_down, &t.server, &t.client);
}

/* ---- closing ------------------------------------------------------------- */

static struct weir_verdict
last_words(struct weir_call *c, struct weir_bytes in)
{
	(void)in;
	weir_emit(c, WEIR_DOWN, "go away", 7);
	return weir_close(WEIR_R_DENIED);
}
static const struct weir_middleware mw_last = { .name = "last",
	.up = last_words };

static void
went_away(void)
{
	rig_hear(&t.r, t.client, "go away");
	rig_hear_end(&t.r, t.client);
	rig_close(&t.client);
	rig_until(&t.r, rig_ends.n == 1);
	assert_int_equal(rig_ends.reason, WEIR_R_DENIED);
	assert_string_equal(rig_ends.facts.module, "last");
	assert_int_equal(rig_ends.facts.ended_by, WEIR_SELF);
	assert_int_equal(rig_ends.facts.down_bytes, 7);
}

static void
test_close_has_last_words(void **state)
{
	(void)state;
	relay_add(&mw_last);
	relay_open();
	rig_say(t.client, "hello");
	went_away();
	rig_hear_reset(&t.r, t.server);
}

static struct weir_verdict
last_open(struct weir_call *c)
{
	weir_emit(c, WEIR_DOWN, "go away", 7);
	return weir_close(WEIR_R_DENIED);
}
static const struct weir_middleware mw_refuse = { .name = "last",
	.open = last_open };

static void
test_refusal_of_open_passes_the_stages_before(void **state)
{
	(void)state;
	order[0] = '\0';
	relay_add(&mw_a);
	relay_add(&mw_refuse);
	rig_start(&t.r);
	t.client = rig_client(&t.r);
	went_away();
	assert_string_equal(order, "a");
}

#define relay_test(name)                                                       \
	cmocka_unit_test_setup_teardown(name, relay_start, relay_stop)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		relay_test(test_pass_and_drop_in_parts),
		relay_test(test_up_in_order_down_reversed),
		relay_test(test_detach_ends_interest),
		relay_test(test_emitted_goes_ahead_of_judged),
		relay_test(test_emitted_goes_ahead_downwards),
		relay_test(test_emitted_passes_the_stages_behind),
		relay_test(test_emitted_can_be_passed_in_parts),
		relay_test(test_nothing_overtakes_who_detaches),
		relay_test(test_emitted_behind_the_end_vanishes),
		relay_test(test_end_passes_once_upwards),
		relay_test(test_end_passes_once_downwards),
		relay_test(test_close_has_last_words),
		relay_test(test_refusal_of_open_passes_the_stages_before),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
