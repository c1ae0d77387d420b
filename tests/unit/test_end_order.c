/* test_end_order.c - several who end a direction, and what comes behind. */
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

/* ---- what comes behind an end ----------------------------------------------
 */

static size_t ghost = 5;
static char big[60000];
static struct weir_verdict
ghost_up(struct weir_call *c, struct weir_bytes in)
{
	if (in.len > 0 && in.p[0] == '!')
		weir_end(c, WEIR_UP);
	return weir_pass(in.len);
}

static struct weir_verdict
ghost_down(struct weir_call *c, struct weir_bytes in)
{
	if (in.len > 0 && in.p[0] == 'E')
		weir_end(c, WEIR_UP);
	else
		weir_emit(c, WEIR_UP, big, ghost);
	return weir_pass(in.len);
}

static const struct weir_middleware mw_ghost = {
	.name = "ghost", .up = ghost_up, .down = ghost_down
};
static void
ghost_join(bool eof)
{
	rig_add(&rig, &mw_before, NULL);
	rig_add(&rig, &mw_ghost, NULL);
	rig_add(&rig, &mw_behind, NULL);
	pair_join();
	rig_say(client, "!");
	rig_hear_end(&rig, server);
	if (eof)
		assert_int_equal(shutdown(client, SHUT_WR), 0);
	rig_quiet(&rig);
}

static void
test_emitted_behind_an_end(void **state)
{
	(void)state;
	ghost = 5;
	ghost_join(true);
	rig_say(server, "x");
	rig_hear(&rig, client, "x");
	assert_int_equal(rig_channel(&rig)->flows[WEIR_UP].out.len, 0);
}

static void
test_nothing_stalls_behind_an_end(void **state)
{
	int i;
	(void)state;
	ghost = sizeof(big);
	ghost_join(true);
	for (i = 0; i < 6; i++) {
		rig_say(server, "x");
		rig_quiet(&rig);
		rig_hear(&rig, client, "x");
	}
}

static void
test_a_second_end_is_not_shown(void **state)
{
	(void)state;
	ghost = 5;
	ghost_join(true);
	rig_say(server, "E");
	rig_hear(&rig, client, "E");
	assert_string_equal(behind, ".");
}

static struct weir_verdict
swallow_up(struct weir_call *c, struct weir_bytes in)
{
	if (in.eof) {
		weir_emit(c, WEIR_UP, "end", 3);
		weir_end(c, WEIR_UP);
	}
	return weir_pass(in.len);
}

static void
test_the_answer_behind_two_ends(void **state)
{
	static const struct weir_middleware mw = { .name = "swallow",
		.up = swallow_up };
	static char much[30000];
	size_t got = 0;
	long n;

	(void)state;
	memset(much, 'm', sizeof(much));
	rig_add(&rig, &mw_ender, NULL);
	rig_add(&rig, &mw, NULL);
	pair_join();
	rig_say(client, "!");
	rig_hear(&rig, server, "byeend");
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
}

/* down is cut; client uploads and ends, the backend chatters before it reads */
static void
test_an_upload_behind_an_end_down(void **state)
{
	static char much[400000];
	size_t sent = 0, got = 0;
	long n;
	int small = 4096, i;

	(void)state;
	memset(much, 'm', sizeof(much));
	assert_int_equal(setsockopt(listener, SOL_SOCKET, SO_RCVBUF, &small,
				 sizeof(small)),
		0);
	ender_join();
	rig_say(server, "!");
	rig_hear(&rig, client, "bye");
	rig_hear_end(&rig, client);
	for (i = 0; i < 200 && sent < 200000; i++) {
		n = send(client, much, 200000 - sent,
			MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n > 0)
			sent += (size_t)n;
		rig_turn(&rig);
	}
	assert_int_equal(shutdown(client, SHUT_WR), 0);
	rig_quiet(&rig);
	(void)!send(server, "chatter", 7, MSG_NOSIGNAL);
	rig_quiet(&rig);
	for (i = 0; i < 3000; i++) {
		n = rig_read(server, much, sizeof(much));
		if (n == 0)
			break;
		if (n > 0)
			got += (size_t)n;
		else if (errno != EAGAIN)
			break;
		rig_turn_wait(&rig);
	}
	assert_int_equal(got, sent);
}

static struct weir_verdict
pre_up(struct weir_call *c, struct weir_bytes in)
{
	(void)c;
	return weir_pass(in.len);
}

static struct weir_verdict
oneway_open(struct weir_call *c)
{
	weir_end(c, WEIR_UP);
	return weir_pass(0);
}

static void
test_preread_before_an_end(void **state)
{
	static const struct weir_middleware mw_pre = {
		.name = "pre", .flags = WEIR_PREREAD, .up = pre_up
	};
	static const struct weir_middleware mw = { .name = "oneway",
		.open = oneway_open };
	(void)state;
	rig_add(&rig, &mw_pre, NULL);
	rig_add(&rig, &mw, NULL);
	rig_add(&rig, &rig_dial, &dial);
	rig_start(&rig);
	client = rig_client(&rig);
	rig_say(client, "x");
	server = rig_take(&rig, listener);
}

/* ---- in between ---------------------------------------------------------- */

/* Answers whatever goes down by a byte up. */
static struct weir_verdict
answer_down(struct weir_call *c, struct weir_bytes in)
{
	if (in.len > 0)
		weir_emit(c, WEIR_UP, "?", 1);
	return weir_pass(in.len);
}

static struct weir_verdict
last_up(struct weir_call *c, struct weir_bytes in)
{
	weir_emit(c, WEIR_DOWN, "too late", 8);
	return weir_drop(in.len);
}

static struct weir_verdict
last_signal(struct weir_call *c, const char *event)
{
	(void)event;
	weir_emit(c, WEIR_DOWN, "last", 4);
	weir_end(c, WEIR_DOWN);
	return weir_pass(0);
}

/* What others say to the last words is answered behind the end: not at all. */
static void
test_nothing_between_the_last_word_and_the_end(void **state)
{
	static const struct weir_middleware answer = { .name = "answer",
		.down = answer_down };
	static const struct weir_middleware last = {
		.name = "last", .up = last_up, .signal = last_signal
	};

	(void)state;
	rig_add(&rig, &answer, NULL);
	rig_add(&rig, &last, NULL);
	pair_join();
	engine_signal(&rig.engine, "now");
	rig_hear(&rig, client, "last");
	rig_hear_end(&rig, client);
}

#define end_test(name)                                                         \
	cmocka_unit_test_setup_teardown(name, ender_start, pair_stop)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		end_test(test_an_end_stays_one),
		end_test(test_two_end_in_order),
		end_test(test_two_end_the_last_one_first),
		end_test(test_emitted_behind_an_end),
		end_test(test_nothing_stalls_behind_an_end),
		end_test(test_a_second_end_is_not_shown),
		end_test(test_the_answer_behind_two_ends),
		end_test(test_an_upload_behind_an_end_down),
		end_test(test_preread_before_an_end),
		end_test(test_nothing_between_the_last_word_and_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
