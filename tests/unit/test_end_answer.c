/* test_end_answer.c - a middleware that answers, and ends its answers, while
 * others have something to say. */
#include <sys/socket.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "lib/pair.h"

/* Answers whatever comes with "bye" and an end. */
static struct weir_verdict
answer_up(struct weir_call *c, struct weir_bytes in)
{
	if (in.len > 0) {
		weir_emit(c, WEIR_DOWN, "bye", 3);
		weir_end(c, WEIR_DOWN);
	}
	return weir_drop(in.len);
}

static const struct weir_middleware mw_answer = { .name = "answer",
	.up = answer_up };

/* Speaks in both directions at once. */
static struct weir_verdict
both_up(struct weir_call *c, struct weir_bytes in)
{
	weir_emit(c, WEIR_DOWN, "first ", 6);
	weir_emit(c, WEIR_UP, "?", 1);
	return weir_drop(in.len);
}

static struct weir_verdict
both_down(struct weir_call *c, struct weir_bytes in)
{
	if (in.len > 0)
		weir_emit(c, WEIR_DOWN, "then ", 5);
	return weir_pass(in.len);
}

/* The answer of the next one does not overtake it, nor does its end. */
static void
test_answered_while_it_speaks(void **state)
{
	static const struct weir_middleware mw = {
		.name = "both", .up = both_up, .down = both_down
	};

	(void)state;
	rig_add(&rig, &mw, NULL);
	rig_add(&rig, &mw_answer, NULL);
	pair_join();
	rig_say(client, "x");
	rig_hear(&rig, client, "first then bye");
	rig_hear_end(&rig, client);
}

static struct weir_verdict
late_down(struct weir_call *c, struct weir_bytes in)
{
	if (in.eof && c->result == 0)
		return weir_wait(1000);
	return weir_pass(in.len);
}

/* The end of the source, which somebody holds, takes nothing back. */
static void
test_nothing_follows_the_end(void **state)
{
	static const struct weir_middleware mw = { .name = "late",
		.down = late_down };

	(void)state;
	rig_add(&rig, &mw_answer, NULL);
	rig_add(&rig, &mw, NULL);
	pair_join();
	rig_say(client, "?");
	rig_hear(&rig, client, "bye");
	rig_hear_end(&rig, client);
	assert_int_equal(shutdown(server, SHUT_WR), 0);
	rig_quiet(&rig);
	rig_say(client, "?");
	rig_quiet(&rig);
	assert_int_equal(rig_channel(&rig)->flows[WEIR_DOWN].out.len, 0);
}

/* ---- between a verdict and what it judged -------------------------------- */

/* Announces what goes up, and adds something when that is answered. */
static struct weir_verdict
herald_up(struct weir_call *c, struct weir_bytes in)
{
	weir_emit(c, WEIR_UP, "t", 1);
	return weir_pass(in.len);
}

static struct weir_verdict
herald_down(struct weir_call *c, struct weir_bytes in)
{
	if (in.len > 0)
		weir_emit(c, WEIR_UP, "L", 1);
	return weir_pass(in.len);
}

static struct weir_verdict
replier_up(struct weir_call *c, struct weir_bytes in)
{
	if (in.len > 0 && in.p[0] == 't')
		weir_emit(c, WEIR_DOWN, "a", 1);
	return weir_pass(in.len);
}

/* What comes to its mind after a verdict goes behind what was judged: behind
 * the end, not at all. */
static void
test_an_afterthought_comes_behind(void **state)
{
	static const struct weir_middleware herald = {
		.name = "herald", .up = herald_up, .down = herald_down
	};
	static const struct weir_middleware replier = { .name = "replier",
		.up = replier_up };

	(void)state;
	rig_add(&rig, &herald, NULL);
	rig_add(&rig, &replier, NULL);
	pair_join();
	rig_say(client, "data");
	rig_hear(&rig, server, "tdataL");
	rig_hear(&rig, client, "a");
	assert_int_equal(shutdown(client, SHUT_WR), 0);
	rig_hear(&rig, server, "t");
	rig_hear_end(&rig, server);
}

/* ---- an end that somebody needs ------------------------------------------ */

/* Says something at the client's first bytes, and ends them. */
static struct weir_verdict
needy_up(struct weir_call *c, struct weir_bytes in)
{
	weir_emit(c, WEIR_DOWN, "first ", 6);
	weir_end(c, WEIR_UP);
	return weir_pass(in.len);
}

/* Needs more than there will be, but for the end. */
static struct weir_verdict
needy_down(struct weir_call *c, struct weir_bytes in)
{
	if (!in.eof)
		return weir_need(in.len + 100);
	weir_emit(c, WEIR_DOWN, "then ", 5);
	return weir_pass(in.len);
}

static struct weir_verdict
closer_up(struct weir_call *c, struct weir_bytes in)
{
	if (in.eof)
		weir_end(c, WEIR_DOWN);
	return weir_pass(in.len);
}

/* Who answers the end of one direction with the end of the other gives a third
 * what it needs there, while that one has not yet said all. */
static void
test_needed_while_it_speaks(void **state)
{
	static const struct weir_middleware needy = {
		.name = "needy", .up = needy_up, .down = needy_down
	};
	static const struct weir_middleware closer = { .name = "closer",
		.up = closer_up };

	(void)state;
	rig_add(&rig, &needy, NULL);
	rig_add(&rig, &closer, NULL);
	pair_join();
	rig_say(server, "x");
	rig_quiet(&rig);
	rig_say(client, "?");
	rig_hear(&rig, client, "first then x");
	rig_hear_end(&rig, client);
}

/* ---- an end among skipped bytes ------------------------------------------ */

static unsigned ends_seen;

static struct weir_verdict
skipper_up(struct weir_call *c, struct weir_bytes in)
{
	(void)c;
	ends_seen += in.eof;
	return in.len == 0 ? weir_pass(0) : weir_skip(100);
}

static struct weir_verdict
chunks_up(struct weir_call *c, struct weir_bytes in)
{
	bool *begun = c->ctx;

	if (!*begun) {
		*begun = true;
		return weir_pass(1);
	}
	return in.eof ? weir_pass(in.len) : weir_need(in.len + 1);
}

/* Bytes and their end in one piece: the bytes pass unshown, the end does not.
 */
static void
test_an_end_is_not_skipped(void **state)
{
	static const struct weir_middleware chunks = {
		.name = "chunks", .ctx_size = sizeof(bool), .up = chunks_up
	};
	static const struct weir_middleware skipper = { .name = "skipper",
		.up = skipper_up };

	(void)state;
	ends_seen = 0;
	rig.server.read_max = 4;
	rig_add(&rig, &skipper, NULL);
	rig_add(&rig, &chunks, NULL);
	rig_add(&rig, &skipper, NULL);
	pair_join();
	rig_say(client, "0123456789");
	assert_int_equal(shutdown(client, SHUT_WR), 0);
	rig_hear(&rig, server, "0123456789");
	rig_hear_end(&rig, server);
	assert_int_equal(ends_seen, 2);
}

#define answer_test(name)                                                      \
	cmocka_unit_test_setup_teardown(name, pair_start, pair_stop)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		answer_test(test_answered_while_it_speaks),
		answer_test(test_nothing_follows_the_end),
		answer_test(test_an_afterthought_comes_behind),
		answer_test(test_needed_while_it_speaks),
		answer_test(test_an_end_is_not_skipped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
