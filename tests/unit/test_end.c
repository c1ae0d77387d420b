/* test_end.c - directions that a middleware ends. */
#include <sys/socket.h>

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "ender.h"

/* Its last words and the end come at once, though the other direction is
 * through and the backend is not. */
static void
test_down_is_ended_after_the_end_of_up(void **state)
{
	(void)state;
	ender_join();
	assert_int_equal(shutdown(client, SHUT_WR), 0);
	rig_hear_end(&rig, server);
	rig_say(server, "ab!cd");
	rig_hear(&rig, client, "abbye");
	rig_hear_end(&rig, client);
	assert_int_equal(rig_ends.n, 0);
	rig_close(&server);
	rig_until(&rig, rig_ends.n == 1);
	assert_int_equal(rig_ends.reason, WEIR_R_DONE);
}

static void
test_up_is_ended(void **state)
{
	(void)state;
	ender_join();
	rig_say(client, "ab!cd");
	rig_hear(&rig, server, "abbye");
	rig_hear_end(&rig, server);
	rig_say(client, "ef");
	rig_quiet(&rig);
	rig_say(server, "answer");
	rig_hear(&rig, client, "answer");
	assert_int_equal(shutdown(client, SHUT_WR), 0);
	rig_quiet(&rig);
	rig_close(&server);
	rig_hear_end(&rig, client);
	rig_until(&rig, rig_ends.n == 1);
	assert_int_equal(rig_ends.reason, WEIR_R_DONE);
	assert_string_equal(before, "ab!cd|ef|.");
	assert_string_equal(behind, "ab|bye|.");
}

/* All that stand before see what the client still says. */
static void
test_several_before_one_that_ends(void **state)
{
	(void)state;
	rig_add(&rig, &mw_before, NULL);
	rig_add(&rig, &mw_behind, NULL);
	rig_add(&rig, &mw_ender, NULL);
	pair_join();
	rig_say(client, "ab!cd");
	rig_hear(&rig, server, "abbye");
	rig_hear_end(&rig, server);
	rig_say(client, "ef");
	rig_quiet(&rig);
	assert_int_equal(shutdown(client, SHUT_WR), 0);
	rig_quiet(&rig);
	assert_string_equal(before, "ab!cd|ef|.");
	assert_string_equal(behind, "ab!cd|ef|.");
	rig_close(&server);
	rig_hear_end(&rig, client);
	rig_until(&rig, rig_ends.n == 1);
}

static void
test_down_is_ended(void **state)
{
	(void)state;
	ender_join();
	rig_say(server, "ab!cd");
	rig_hear(&rig, client, "abbye");
	rig_hear_end(&rig, client);
	rig_say(server, "ef");
	rig_say(client, "more");
	rig_hear(&rig, server, "more");
	rig_close(&client);
	rig_hear_end(&rig, server);
	rig_say(server, "gh"); /* it may go on as long as it likes */
	rig_quiet(&rig);
	assert_int_equal(rig_ends.n, 0);
	rig_close(&server);
	rig_until(&rig, rig_ends.n == 1);
	assert_int_equal(rig_ends.reason, WEIR_R_DONE);
	assert_int_equal(rig_ends.facts.ended_by, WEIR_FRONTEND);
}

static void
test_the_other_direction_is_ended(void **state)
{
	(void)state;
	ender_join();
	rig_say(client, "?");
	rig_hear(&rig, client, "bye");
	rig_hear_end(&rig, client);
	rig_say(server, "dropped");
	rig_say(client, "on");
	rig_hear(&rig, server, "on");
}

static void
test_at_its_end(void **state)
{
	(void)state;
	ender_join();
	rig_say(client, "a!");
	assert_int_equal(shutdown(client, SHUT_WR), 0);
	rig_hear(&rig, server, "abye");
	rig_hear_end(&rig, server);
	rig_close(&server);
	rig_hear_end(&rig, client);
	rig_until(&rig, rig_ends.n == 1);
	assert_int_equal(rig_ends.reason, WEIR_R_DONE);
}

/* Who goes on sending does not lose the answer by it. */
static void
test_a_client_that_goes_on(void **state)
{
	static char much[30000];
	size_t got = 0;
	long n;

	(void)state;
	memset(much, 'm', sizeof(much));
	ender_join();
	rig_say(client, "!");
	rig_hear(&rig, server, "bye");
	rig_hear_end(&rig, server);
	assert_int_equal(
		send(client, much, sizeof(much), MSG_NOSIGNAL), sizeof(much));
	assert_int_equal(
		send(server, much, sizeof(much), MSG_NOSIGNAL), sizeof(much));
	rig_close(&server);
	assert_true(send(client, much, sizeof(much), MSG_NOSIGNAL) > 0);
	while ((n = rig_read(client, much, sizeof(much))) != 0) {
		rig_turn_wait(&rig);
		assert_true(n > 0 || errno == EAGAIN);
		got += n > 0 ? (size_t)n : 0;
	}
	assert_int_equal(got, sizeof(much));
	rig_close(&client);
	rig_until(&rig, rig_ends.n == 1);
	assert_int_equal(rig_ends.reason, WEIR_R_DONE);
}

static void
test_a_reset_behind_an_end(void **state)
{
	(void)state;
	ender_join();
	rig_say(client, "!");
	rig_hear(&rig, server, "bye");
	rig_hear_end(&rig, server);
	rig_reset(&client);
	rig_until(&rig, rig_ends.n == 1);
	assert_int_equal(rig_ends.reason, WEIR_R_RESET);
	/* Behind an end, only writing shows a reset. */
	assert_int_equal(send(server, "x", 1, MSG_NOSIGNAL), -1);
	assert_int_equal(errno, EPIPE);
}

/* ---- before a backend, and without one ----------------------------------- */

static struct weir_verdict
early_open(struct weir_call *c)
{
	weir_emit(c, WEIR_UP, "only this", 9);
	weir_end(c, WEIR_UP);
	return weir_pass(0);
}

static void
test_ended_before_there_is_a_backend(void **state)
{
	static const struct weir_middleware mw = { .name = "early",
		.open = early_open };

	(void)state;
	rig_add(&rig, &mw_before, NULL);
	rig_add(&rig, &mw, NULL);
	pair_join();
	rig_say(client, "dropped");
	rig_hear(&rig, server, "only this");
	rig_hear_end(&rig, server);
	rig_say(server, "answer");
	rig_hear(&rig, client, "answer");
	assert_string_equal(before, "dropped|");
}

static void
serve(struct weir_call *c)
{
	weir_serve(c);
}

static void
test_ended_where_it_is_answered(void **state)
{
	static const struct weir_middleware mw = {
		.name = "server", .route = serve, .up = ender_up
	};

	(void)state;
	rig_add(&rig, &mw, NULL);
	rig_start(&rig);
	client = rig_client(&rig);
	rig_say(client, "?");
	rig_hear(&rig, client, "bye");
	rig_hear_end(&rig, client);
	rig_say(client, "?more");
	rig_quiet(&rig);
	assert_int_equal(shutdown(client, SHUT_WR), 0);
	rig_until(&rig, rig_ends.n == 1);
	assert_int_equal(rig_ends.reason, WEIR_R_DONE);
}

/* ---- by time, over bytes that are held ----------------------------------- */

static struct weir_verdict
patient_up(struct weir_call *c, struct weir_bytes in)
{
	weir_timer(c, 100);
	return in.eof ? weir_pass(in.len) : weir_need(in.len + 1000);
}

static struct weir_verdict
patient_timer(struct weir_call *c)
{
	weir_emit(c, WEIR_UP, "late", 4);
	weir_end(c, WEIR_UP);
	return weir_pass(0);
}

/* Whoever wants client bytes first, before that middleware, gets them. */
static void
test_ended_before_client_bytes_were_seen(void **state)
{
	static const struct weir_middleware first = {
		.name = "first", .flags = WEIR_PREREAD, .up = before_up
	};
	static const struct weir_middleware mw = { .name = "early",
		.flags = WEIR_PREREAD,
		.open = early_open,
		.up = before_up };

	(void)state;
	rig_add(&rig, &first, NULL);
	rig_add(&rig, &mw, NULL);
	rig_add(&rig, &rig_dial, &dial);
	rig_start(&rig);
	client = rig_client(&rig);
	rig_quiet(&rig);
	assert_int_equal(rig_channel(&rig)->state, CHANNEL_ROUTE);
	rig_say(client, "x");
	server = rig_take(&rig, listener);
	rig_hear(&rig, server, "only this");
	rig_hear_end(&rig, server);
	assert_string_equal(before, "x|");
}

static void
test_what_is_held_is_dropped(void **state)
{
	static const struct weir_middleware mw = {
		.name = "patient", .up = patient_up, .timer = patient_timer
	};

	(void)state;
	rig_add(&rig, &mw, NULL);
	pair_join();
	rig_say(client, "held");
	rig_hear_nothing(&rig, server);
	rig_advance(&rig, 100);
	rig_hear(&rig, server, "late");
	rig_hear_end(&rig, server);
	rig_say(client, "more");
	rig_quiet(&rig);
	assert_null(rig_channel(&rig)->holds);
}

#define end_test(name)                                                         \
	cmocka_unit_test_setup_teardown(name, ender_start, pair_stop)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		end_test(test_down_is_ended_after_the_end_of_up),
		end_test(test_up_is_ended),
		end_test(test_several_before_one_that_ends),
		end_test(test_down_is_ended),
		end_test(test_the_other_direction_is_ended),
		end_test(test_at_its_end),
		end_test(test_a_client_that_goes_on),
		end_test(test_a_reset_behind_an_end),
		end_test(test_ended_before_there_is_a_backend),
		end_test(test_ended_before_client_bytes_were_seen),
		end_test(test_ended_where_it_is_answered),
		end_test(test_what_is_held_is_dropped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
