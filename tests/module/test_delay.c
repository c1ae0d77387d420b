/* test_delay.c - all arrives, in order, and so much later. */
#include <sys/socket.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lib/alloc.h"
#include "lib/cut.h"
#include "lib/entry.h"
#include "lib/pair.h"
#include "lib/said.h"

#define SECOND 1000
#define BULK   300000

extern const struct weir_middleware mw_delay;

static struct entry entry;

/* Times are minutes, so that those of the test itself do not count. */
static void
delay_start(const char *options)
{
	pair_start(NULL);
	entry_load(&entry, "delay", options, NULL);
	rig_add(&rig, entry.stage->mw, entry.stage->conf);
	pair_join();
}

static void
delay_stop(void)
{
	pair_stop(NULL);
	entry_free(&entry);
}

static void
seconds_pass(unsigned seconds)
{
	rig_advance(&rig, (uint64_t)seconds * SECOND);
	rig_quiet(&rig);
}

static void
client_says(const char *text)
{
	rig_say(client, text);
	rig_quiet(&rig);
}

static void
test_what_comes_arrives_later(void **state)
{
	(void)state;
	delay_start("up = \"10m\"; down = \"5m\";");
	client_says("up");
	rig_say(server, "down");
	rig_quiet(&rig);
	seconds_pass(299);
	rig_hear_nothing(&rig, client);
	seconds_pass(2);
	rig_hear(&rig, client, "down");
	seconds_pass(297);
	rig_hear_nothing(&rig, server);
	seconds_pass(3);
	rig_hear(&rig, server, "up");
	delay_stop();
}

/* Latency is no rate: each batch has its own. */
static void
test_every_batch_waits_from_its_arrival(void **state)
{
	char text[2] = "a";
	int i;

	(void)state;
	delay_start("up = \"10m\";");
	for (i = 0; i < 20; i++) {
		text[0] = (char)('a' + i);
		client_says(text);
		seconds_pass(10);
	}
	seconds_pass(600 - 200 - 5);
	for (i = 0; i < 20; i++) {
		rig_hear_nothing(&rig, server);
		seconds_pass(10);
		text[0] = (char)('a' + i);
		rig_hear(&rig, server, text);
	}
	delay_stop();
}

static void
test_what_comes_at_once_leaves_at_once(void **state)
{
	(void)state;
	delay_start("up = \"10m\";");
	client_says("one ");
	client_says("two ");
	client_says("three");
	seconds_pass(601);
	rig_hear(&rig, server, "one two three");
	delay_stop();
}

static void
test_the_end_is_late_too(void **state)
{
	(void)state;
	delay_start("up = \"10m\"; down = \"5m\";");
	client_says("last");
	seconds_pass(100);
	assert_int_equal(shutdown(client, SHUT_WR), 0);
	rig_quiet(&rig);
	seconds_pass(501);
	rig_hear(&rig, server, "last");
	rig_hear_nothing(&rig, server);
	seconds_pass(100);
	rig_hear_end(&rig, server);
	/* The other way is open still. */
	rig_say(server, "answer");
	assert_int_equal(shutdown(server, SHUT_WR), 0);
	rig_quiet(&rig);
	rig_hear_nothing(&rig, client);
	seconds_pass(301);
	rig_hear(&rig, client, "answer");
	rig_hear_end(&rig, client);
	rig_until(&rig, rig_ends.n == 1);
	assert_int_equal(rig_ends.reason, WEIR_R_DONE);
	delay_stop();
}

static void
test_the_end_comes_with_its_bytes(void **state)
{
	(void)state;
	delay_start("up = \"10m\";");
	rig_say(client, "all");
	assert_int_equal(shutdown(client, SHUT_WR), 0);
	rig_quiet(&rig);
	seconds_pass(598);
	rig_hear_nothing(&rig, server);
	seconds_pass(3);
	rig_hear(&rig, server, "all");
	rig_hear_end(&rig, server);
	delay_stop();
}

static void
test_jitter_keeps_the_order(void **state)
{
	char want[61] = "";
	int i;

	(void)state;
	delay_start("up = \"10m\"; jitter = \"10m\";");
	for (i = 0; i < 60; i++) {
		char text[2] = { (char)('A' + i), '\0' };

		client_says(text);
		want[i] = text[0];
	}
	seconds_pass(598);
	rig_hear_nothing(&rig, server);
	seconds_pass(603);
	rig_hear(&rig, server, want);
	delay_stop();
}

/* Of so many, some come early and some late. */
static void
test_jitter_differs(void **state)
{
	int i, early = 0;
	char c;

	(void)state;
	delay_start("jitter = \"10m\";");
	for (i = 0; i < 64; i++) {
		rig_say(server, "x");
		rig_quiet(&rig);
		seconds_pass(300);
		if (rig_read(client, &c, 1) == 1) {
			early++;
			continue;
		}
		seconds_pass(301);
		rig_hear(&rig, client, "x");
	}
	assert_true(early > 0 && early < 64);
	delay_stop();
}

/* What is under way is bounded; the rest waits where it comes from. */
static void
test_no_more_is_kept_than_allowed(void **state)
{
	static uint8_t sent[BULK], got[BULK];
	size_t out = 0, in = 0, taken, round;
	long n;

	(void)state;
	delay_start("up = \"10m\"; max = \"8k\";");
	for (n = 0; n < BULK; n++)
		sent[n] = (uint8_t)random();
	for (round = 0; in < BULK && round < 1000; round++) {
		while (out < BULK && (n = send(client, sent + out, BULK - out,
					      MSG_NOSIGNAL)) > 0)
			out += (size_t)n;
		rig_quiet(&rig);
		n = rig_read(server, got + in, BULK - in);
		assert_true(n == -1 || round > 0);
		in += n > 0 ? (size_t)n : 0;
		taken = rig_channel(&rig)->flows[WEIR_UP].in_bytes;
		assert_true(taken - in <= 8192 + rig.server.read_max);
		seconds_pass(601);
	}
	assert_int_equal(in, BULK);
	assert_memory_equal(got, sent, BULK);
	delay_stop();
}

static void
test_a_direction_without_delay_is_left_alone(void **state)
{
	(void)state;
	delay_start("up = \"10m\";");
	rig_say(server, "x");
	rig_hear(&rig, client, "x");
	assert_int_equal(
		flow_interest(&rig_channel(&rig)->flows[WEIR_DOWN]), 0);
	delay_stop();
}

/* Nothing is left behind of what was under way (a leak would be found). */
static void
test_a_reset_ends_it_at_once(void **state)
{
	(void)state;
	delay_start("up = \"10m\"; down = \"10m\";");
	client_says("lost");
	rig_say(server, "as well");
	rig_quiet(&rig);
	rig_reset(&client);
	rig_until(&rig, rig_ends.n == 1);
	assert_int_equal(rig_ends.reason, WEIR_R_RESET);
	delay_stop();
}

static void
test_every_cut_comes_to_the_same(void **state)
{
	static const char *const options[] = { "up = \"1ms\";",
		"down = \"1ms\";", "jitter = \"3ms\";",
		"up = \"2ms\"; jitter = \"2ms\"; max = 4096;" };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		each_cut_of(&(struct cut_talk){ .mw = &mw_delay,
				    .options = options[i],
				    .text = "hello" },
			&(struct cut_seen){ .up = "hello", .why = "done" });
		each_cut_of(&(struct cut_talk){ .mw = &mw_delay,
				    .options = options[i],
				    .dir = WEIR_DOWN,
				    .ask = "what?",
				    .text = "this" },
			&(struct cut_seen){
				.up = "what?", .down = "this", .why = "done" });
	}
}

static void
end_want(const char *text, size_t len, struct cut_seen *seen)
{
	(void)len;
	seen->up = text;
	seen->why = "done";
}

static void
test_the_end_may_come_anywhere(void **state)
{
	(void)state;
	each_end_of(&(struct cut_talk){ .mw = &mw_delay,
			    .options = "up = \"1ms\"; jitter = \"1ms\";",
			    .text = "hello" },
		end_want);
}

/* Without memory for what comes the channel ends, whichever it is. */
static void
test_without_memory_the_channel_ends(void **state)
{
	unsigned nth = 0;
	bool failed;

	(void)state;
	do {
		delay_start("up = \"1ms\";");
		rig_quiet(&rig);
		alloc_fail_at(++nth);
		rig_say(client, "x");
		rig_quiet(&rig);
		failed = alloc_failed();
		rig_advance(&rig, 10);
		if (!failed)
			rig_hear(&rig, server, "x");
		else
			rig_until(&rig, rig_ends.n == 1);
		assert_int_equal(rig_ends.reason, failed ? WEIR_R_NOMEM : 0);
		delay_stop();
	} while (failed);
	assert_true(nth > 1);
}

static void
test_options_have_to_fit(void **state)
{
	(void)state;
	said_of("delay", "up = \"100ms\"; down = \"off\"; max = \"64k\";", "");
	said_of("delay", "jitter = \"10ms\";", "");
	said_of("delay", "", "else it delays nothing");
	said_of("delay", "up = 0; jitter = \"off\";", "else it delays nothing");
	said_of("delay", "up = \"2h\";", "out of range");
	said_of("delay", "up = \"1s\"; max = 100;", "out of range");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_comes_arrives_later),
		cmocka_unit_test(test_every_batch_waits_from_its_arrival),
		cmocka_unit_test(test_what_comes_at_once_leaves_at_once),
		cmocka_unit_test(test_the_end_is_late_too),
		cmocka_unit_test(test_the_end_comes_with_its_bytes),
		cmocka_unit_test(test_jitter_keeps_the_order),
		cmocka_unit_test(test_jitter_differs),
		cmocka_unit_test(test_no_more_is_kept_than_allowed),
		cmocka_unit_test(test_a_direction_without_delay_is_left_alone),
		cmocka_unit_test(test_a_reset_ends_it_at_once),
		cmocka_unit_test(test_every_cut_comes_to_the_same),
		cmocka_unit_test(test_the_end_may_come_anywhere),
		cmocka_unit_test(test_without_memory_the_channel_ends),
		cmocka_unit_test(test_options_have_to_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
