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

#define answer_test(name)                                                      \
	cmocka_unit_test_setup_teardown(name, pair_start, pair_stop)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		answer_test(test_answered_while_it_speaks),
		answer_test(test_nothing_follows_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
