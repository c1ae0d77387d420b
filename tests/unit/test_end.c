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

#include "lib/pair.h"

/* At a '!', ends that direction behind "bye"; "?" ends the other one. */
static struct weir_verdict
ender(struct weir_call *c, struct weir_bytes in, enum weir_dir dir)
{
	const uint8_t *at;

	if (in.len > 0 && (at = memchr(in.p, '!', in.len)) != NULL) {
		if (at > in.p)
			return weir_pass((size_t)(at - in.p));
		weir_emit(c, dir, "bye", 3);
		weir_end(c, dir);
		weir_end(c, dir);
	} else if (in.len > 0 && in.p[0] == '?') {
		weir_emit(c, !dir, "bye", 3);
		weir_end(c, !dir);
		return weir_drop(1);
	}
	return weir_pass(in.len);
}

static struct weir_verdict
ender_up(struct weir_call *c, struct weir_bytes in)
{
	return ender(c, in, WEIR_UP);
}

static struct weir_verdict
ender_down(struct weir_call *c, struct weir_bytes in)
{
	return ender(c, in, WEIR_DOWN);
}

static const struct weir_middleware mw_ender = {
	.name = "ender", .up = ender_up, .down = ender_down
};

static struct weir_verdict
watch(struct weir_call *c, struct weir_bytes in, char shown[256])
{
	size_t len = strlen(shown);

	(void)c;
	snprintf(shown + len, 256 - len, "%.*s%s", (int)in.len,
		(const char *)in.p, in.eof ? "." : "|");
	return weir_pass(in.len);
}

static char before[256], behind[256];

static struct weir_verdict
before_up(struct weir_call *c, struct weir_bytes in)
{
	return watch(c, in, before);
}

static struct weir_verdict
behind_up(struct weir_call *c, struct weir_bytes in)
{
	return watch(c, in, behind);
}

static const struct weir_middleware mw_before = { .name = "before",
	.up = before_up };
static const struct weir_middleware mw_behind = { .name = "behind",
	.up = behind_up };

static int
start(void **state)
{
	before[0] = behind[0] = '\0';
	return pair_start(state);
}

static void
join(void)
{
	rig_add(&rig, &mw_before, NULL);
	rig_add(&rig, &mw_ender, NULL);
	rig_add(&rig, &mw_behind, NULL);
	pair_join();
}

static void
test_up_is_ended(void **state)
{
	(void)state;
	join();
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

static void
test_down_is_ended(void **state)
{
	(void)state;
	join();
	rig_say(server, "ab!cd");
	rig_hear(&rig, client, "abbye");
	rig_hear_end(&rig, client);
	rig_say(server, "ef");
	rig_say(client, "more");
	rig_hear(&rig, server, "more");
	rig_close(&client);
	rig_hear_end(&rig, server);
	rig_until(&rig, rig_ends.n == 1);
	assert_int_equal(rig_ends.reason, WEIR_R_DONE);
	assert_int_equal(rig_ends.facts.ended_by, WEIR_FRONTEND);
}

static void
test_the_other_direction_is_ended(void **state)
{
	(void)state;
	join();
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
	join();
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
	join();
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
	join();
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

/* Whoever wants client bytes first, before that middleware, gets none. */
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
	pair_join();
	rig_hear(&rig, server, "only this");
	rig_hear_end(&rig, server);
	assert_string_equal(before, "");
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

/* ---- ended twice --------------------------------------------------------- */

static struct weir_verdict
again_open(struct weir_call *c)
{
	weir_timer(c, 100);
	return weir_pass(0);
}

static struct weir_verdict
again_timer(struct weir_call *c)
{
	weir_timer(c, 100);
	weir_emit(c, WEIR_UP, "x", 1);
	weir_end(c, WEIR_UP);
	return weir_pass(0);
}

/* The client's own end does not let a direction end once more. */
static void
test_an_end_stays_one(void **state)
{
	static const struct weir_middleware mw = {
		.name = "again", .open = again_open, .timer = again_timer
	};

	(void)state;
	rig_add(&rig, &mw_before, NULL);
	rig_add(&rig, &mw, NULL);
	rig_add(&rig, &mw_behind, NULL);
	pair_join();
	rig_advance(&rig, 100);
	rig_hear(&rig, server, "x");
	rig_hear_end(&rig, server);
	assert_int_equal(shutdown(client, SHUT_WR), 0);
	rig_quiet(&rig);
	rig_advance(&rig, 100);
	rig_quiet(&rig);
	assert_string_equal(before, ".");
	assert_string_equal(behind, "x|.");
}

/* ---- two who end --------------------------------------------------------- */

static struct weir_ticket behind_ticket;

/* Holds what comes first until it is woken. */
static struct weir_verdict
holder_up(struct weir_call *c, struct weir_bytes in)
{
	bool *woken = c->ctx;

	if (*woken || c->result != 0) {
		*woken = true;
		return weir_pass(in.len);
	}
	behind_ticket = weir_ticket(c);
	return weir_wait(0);
}

/* Ends the direction behind its conf, at an event of that name. */
static struct weir_verdict
closer_signal(struct weir_call *c, const char *event)
{
	if (strcmp(event, c->conf) != 0)
		return weir_pass(0);
	weir_emit(c, WEIR_UP, c->conf, 1);
	weir_end(c, WEIR_UP);
	return weir_pass(0);
}

static const struct weir_middleware mw_holder = {
	.name = "holder", .ctx_size = sizeof(bool), .up = holder_up
};
static const struct weir_middleware mw_closer = { .name = "closer",
	.signal = closer_signal };

/* The ends of two, whose bytes one in the middle holds meanwhile. */
static void
two_end(const char *one, const char *other)
{
	rig_add(&rig, &mw_closer, "1");
	rig_add(&rig, &mw_holder, NULL);
	rig_add(&rig, &mw_closer, "2");
	rig_add(&rig, &mw_behind, NULL);
	pair_join();
	engine_signal(&rig.engine, one);
	rig_quiet(&rig);
	engine_signal(&rig.engine, other);
	rig_quiet(&rig);
	rig_hear(&rig, server, "2");
	rig_hear_end(&rig, server);
	weir_wake(behind_ticket, 1);
	engine_signal(&rig.engine, "1");
	engine_signal(&rig.engine, "2");
	rig_say(client, "dropped");
	rig_quiet(&rig);
	assert_string_equal(behind, "2|.");
	/* And it is still read, so that the client can go on. */
	assert_int_equal(rig_channel(&rig)->flows[WEIR_UP].in_bytes, 7);
}

static void
test_two_end_in_order(void **state)
{
	(void)state;
	two_end("1", "2");
}

static void
test_two_end_the_last_one_first(void **state)
{
	(void)state;
	two_end("2", "1");
}

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
	rig_add(&rig, &mw_ender, NULL);
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
	rig_add(&rig, &mw_ender, NULL);
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

#define end_test(name) cmocka_unit_test_setup_teardown(name, start, pair_stop)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		end_test(test_up_is_ended),
		end_test(test_down_is_ended),
		end_test(test_the_other_direction_is_ended),
		end_test(test_at_its_end),
		end_test(test_a_client_that_goes_on),
		end_test(test_a_reset_behind_an_end),
		end_test(test_ended_before_there_is_a_backend),
		end_test(test_ended_before_client_bytes_were_seen),
		end_test(test_ended_where_it_is_answered),
		end_test(test_what_is_held_is_dropped),
		end_test(test_an_end_stays_one),
		end_test(test_two_end_in_order),
		end_test(test_two_end_the_last_one_first),
		end_test(test_answered_while_it_speaks),
		end_test(test_nothing_follows_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
