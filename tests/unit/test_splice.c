/* test_splice.c - bytes that pass through a pipe: which do, what is booked, how
 * they end, and what goes wrong. */
#include <sys/socket.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/clock.h"
#include <event2/event.h>
#include "lib/narrow.h"
#include "lib/pair.h"
#include "lib/stream.h"

#define MB	((uint64_t)1 << 20)
#define LIMIT	10000 /* ms, of an idle channel */
#define SLOTS	16    /* of a pipe that is not big */
#define BIGGEST 8     /* pipes that are */

static int
start(void **state)
{
	pair_start(state);
	rig.server.splice = CONF_SPLICE_ON;
	return 0;
}

/* ---- bytes, ends, and what is booked ------------------------------------- */

static void
test_all_is_spliced_and_booked(void **state)
{
	(void)state;
	pair_join();
	pair_carry(client, server, 0, 3 * MB);
	pair_carry(server, client, 0, MB);
	pair_carry(client, server, 3 * MB, 1);
	assert_int_equal(pair_flow(WEIR_UP)->in_bytes, 3 * MB + 1);
	assert_int_equal(pair_flow(WEIR_UP)->out_bytes, 3 * MB + 1);
	assert_int_equal(pair_flow(WEIR_DOWN)->in_bytes, MB);
	assert_int_equal(pair_flow(WEIR_DOWN)->out_bytes, MB);
	assert_int_equal(rig.loop.spliced_bytes, 4 * MB + 1);
	assert_int_equal(rig.loop.copied_bytes, 0);
	shutdown(client, SHUT_WR);
	rig_hear_end(&rig, server);
	shutdown(server, SHUT_WR);
	rig_hear_end(&rig, client);
	rig_until(&rig, rig_ends.n == 1);
	assert_int_equal(rig_ends.reason, WEIR_R_DONE);
	assert_int_equal(rig_ends.facts.up_bytes, 3 * MB + 1);
	assert_int_equal(rig_ends.facts.down_bytes, MB);
	assert_int_equal(rig.loop.copied_bytes, 0);
}

static void
test_off_is_off(void **state)
{
	(void)state;
	rig.server.splice = CONF_SPLICE_OFF;
	pair_join();
	pair_carry(client, server, 0, 3 * MB);
	assert_int_equal(rig.loop.pipes.open, 0);
	assert_int_equal(rig.loop.copied_bytes, 3 * MB);
	assert_int_equal(rig.loop.spliced_bytes, 0);
}

static void
test_each_splice_says_that_it_lives(void **state)
{
	int i;

	(void)state;
	rig.server.idle_timeout_ms = LIMIT;
	pair_join();
	for (i = 0; i < 3; i++) {
		rig_advance(&rig, LIMIT - 500);
		rig_say(i == 1 ? server : client, "x");
		rig_hear(&rig, i == 1 ? client : server, "x");
	}
	rig_advance(&rig, LIMIT - 500);
	assert_int_equal(rig_ends.n, 0);
	rig_advance(&rig, 1000);
	rig_until(&rig, rig_ends.n == 1);
	assert_int_equal(rig_ends.reason, WEIR_R_TIMEOUT);
	assert_int_equal(rig.loop.copied_bytes, 0);
}

/* ---- auto ---------------------------------------------------------------- */

static void
test_auto_splices_bulk_only(void **state)
{
	uint64_t copied, spliced;
	int i;

	(void)state;
	rig.server.splice = CONF_SPLICE_AUTO;
	pair_join();
	for (i = 0; i < 100; i++) {
		rig_say(client, "question");
		rig_hear(&rig, server, "question");
	}
	assert_int_equal(rig.loop.copied_bytes, 800);
	pair_carry(client, server, 0, 8 * MB);
	copied = rig.loop.copied_bytes;
	spliced = rig.loop.spliced_bytes;
	assert_true(spliced > 4 * MB);
	assert_int_equal(copied + spliced, 800 + 8 * MB);
	/* Back to small ones: soon all of them are copied again. */
	for (i = 0; i < 100; i++) {
		rig_say(client, "question");
		rig_hear(&rig, server, "question");
	}
	assert_true(rig.loop.spliced_bytes <= spliced + 24);
	assert_int_equal(
		rig.loop.copied_bytes + rig.loop.spliced_bytes, 1600 + 8 * MB);
	/* The other direction has not been bulk at any time. */
	copied = rig.loop.copied_bytes;
	pair_carry(server, client, 0, 100);
	assert_int_equal(rig.loop.copied_bytes, copied + 100);
}

static void
test_a_flood_leaves_turns_to_others(void **state)
{
	uint64_t sent = 0, got = 0;
	int other, far, turns;

	(void)state;
	pair_join();
	rig_join(&rig, listener, &other, &far);
	for (turns = 0; turns < 50; turns++) {
		sent += stream_pour(client, sent, MB);
		if (turns % 10 == 0)
			rig_say(other, "?");
		rig_turn(&rig);
		got += stream_drink(server, got, MB);
		if (turns % 10 == 3)
			rig_hear(&rig, far, "?");
	}
	pair_carry(client, server, sent, 0);
	while (got < sent) {
		got += stream_drink(server, got, MB);
		rig_turn(&rig);
	}
	rig_quiet(&rig);
	assert_true(TAILQ_EMPTY(&rig.loop.run));
	rig_close(&other);
	rig_close(&far);
}

static void
test_idle_channels_have_no_pipe(void **state)
{
	event_callback_fn trim;

	(void)state;
	pair_join();
	pair_carry(client, server, 0, MB);
	rig_quiet(&rig);
	assert_null(pair_flow(WEIR_UP)->pipe);
	assert_true(rig.loop.pipes.open <= 2);
	assert_int_equal(rig.loop.pipes.open, rig.loop.pipes.kept);
	/* As if its timer had fired. */
	trim = event_get_callback(rig.loop.trim);
	trim(-1, EV_TIMEOUT, event_get_callback_arg(rig.loop.trim));
	trim(-1, EV_TIMEOUT, event_get_callback_arg(rig.loop.trim));
	assert_int_equal(rig.loop.pipes.open, 0);
	pair_carry(client, server, MB, MB);
}

/* ---- what is left in a pipe ---------------------------------------------- */

static void
end_with_residue(int *from, int *to, enum weir_dir dir)
{
	uint64_t sent, got = 0;

	narrow_join();
	sent = narrow_block(*from, dir);
	shutdown(*from, SHUT_WR);
	rig_quiet(&rig);
	narrow_widen(*to, dir);
	while (got < sent) {
		uint64_t n = stream_drink(*to, got, 1 + got % 5000);

		got += n;
		if (n == 0)
			rig_turn_wait(&rig);
	}
	rig_hear_end(&rig, *to);
	assert_int_equal(rig.loop.pipes.open, rig.loop.pipes.kept);
}

static void
test_end_goes_behind_what_is_left_up(void **state)
{
	(void)state;
	end_with_residue(&client, &server, WEIR_UP);
}

static void
test_end_goes_behind_what_is_left_down(void **state)
{
	(void)state;
	end_with_residue(&server, &client, WEIR_DOWN);
}

static void
reset_with_residue(int *from, int *to, enum weir_dir dir)
{
	static uint8_t p[5000];
	uint64_t read_bytes, got = 0;
	long n;

	narrow_join();
	narrow_block(*from, dir);
	read_bytes = pair_flow(dir)->in_bytes;
	rig_reset(from);
	narrow_widen(*to, dir);
	for (;;) {
		n = rig_read(*to, p, sizeof(p));
		if (n == 0 || (n == -1 && errno != EAGAIN))
			break;
		if (n > 0)
			stream_check(got, p, (uint64_t)n);
		got += n > 0 ? (uint64_t)n : 0;
		rig_turn_wait(&rig);
	}
	assert_int_equal(n, -1);
	assert_int_equal(errno, ECONNRESET);
	assert_true(got >= read_bytes);
	rig_until(&rig, rig_ends.n == 1);
	assert_int_equal(rig_ends.reason, WEIR_R_RESET);
	rig_until(&rig, rig.loop.channels == 0);
	assert_int_equal(rig.loop.pipes.open, rig.loop.pipes.kept);
}

static void
test_reset_goes_behind_what_is_left_up(void **state)
{
	(void)state;
	reset_with_residue(&client, &server, WEIR_UP);
}

static void
test_reset_goes_behind_what_is_left_down(void **state)
{
	(void)state;
	reset_with_residue(&server, &client, WEIR_DOWN);
}

/* Who was to get it is gone: no other channel may. */
static void
sink_leaves_with_residue(int *from, int *to, enum weir_dir dir)
{
	narrow_join();
	narrow_block(*from, dir);
	assert_int_equal(rig.loop.pipes.open, 1 + rig.loop.pipes.kept);
	rig_reset(to);
	rig_until(&rig, rig_ends.n == 1);
	rig_until(&rig, rig.loop.channels == 0);
	assert_int_equal(rig_ends.reason, WEIR_R_RESET);
	assert_int_equal(rig.loop.pipes.open, rig.loop.pipes.kept);
	rig_close(from);
	rig_join(&rig, listener, &client, &server);
	pair_carry(client, server, 0, MB);
	pair_carry(server, client, 0, MB);
}

static void
test_what_is_left_reaches_nobody_else_up(void **state)
{
	(void)state;
	sink_leaves_with_residue(&client, &server, WEIR_UP);
}

static void
test_what_is_left_reaches_nobody_else_down(void **state)
{
	(void)state;
	sink_leaves_with_residue(&server, &client, WEIR_DOWN);
}

static struct weir_verdict
lasting_close(struct weir_call *c, enum weir_reason reason)
{
	(void)c;
	(void)reason;
	return weir_wait(0);
}

/* Sockets are closed, a middleware still has something to do. */
static void
test_dead_channels_have_no_pipe(void **state)
{
	static const struct weir_middleware mw = { .name = "lasting",
		.close = lasting_close };

	(void)state;
	rig.server.close_wait_ms = LIMIT;
	rig.server.session_timeout_ms = LIMIT;
	rig_add(&rig, &mw, NULL);
	narrow_join();
	narrow_block(server, WEIR_DOWN);
	rig_advance(&rig, LIMIT);
	rig_until(&rig, rig_channel(&rig)->state == CHANNEL_DEAD);
	assert_int_equal(rig.loop.pipes.open, rig.loop.pipes.kept);
	assert_int_equal(rig.loop.channels, 1);
}

/* ---- what the kernel has to say ------------------------------------------ */

static void
test_urgent_bytes_do_not_stop_it(void **state)
{
	uint64_t at = 0;
	int i;

	(void)state;
	pair_join();
	for (i = 0; i < 5; i++) {
		int from = i & 1 ? server : client,
		    to = i & 1 ? client : server;

		at = (uint64_t)i * MB;
		assert_int_equal(stream_pour(from, at, 10000), 10000);
		assert_int_equal(send(from, "!", 1, MSG_OOB), 1);
		assert_int_equal(stream_pour(from, at + 10000, 20000), 20000);
		pair_carry(from, to, at, 0);
		while (at < (uint64_t)i * MB + 30000) {
			uint64_t n = stream_drink(to, at, 30000);

			at += n;
			if (n == 0)
				rig_turn_wait(&rig);
		}
		pair_carry(from, to, at, MB / 2);
	}
	shutdown(client, SHUT_WR);
	rig_hear_end(&rig, server);
}

static void
test_unix_sockets(void **state)
{
	(void)state;
	rig_add(&rig, &rig_dial, &dial);
	rig_start(&rig);
	client = rig_client_unix(&rig);
	server = rig_take(&rig, listener);
	pair_carry(client, server, 0, 3 * MB);
	pair_carry(server, client, 0, 3 * MB);
	assert_int_equal(rig.loop.copied_bytes, 0);
	shutdown(client, SHUT_WR);
	rig_hear_end(&rig, server);
}

/* The slots of a pipe are full long before its bytes are: what it does not take
 * is no empty socket. */
static void
test_f41_single_bytes_fill_the_slots(void **state)
{
	struct pipe *big[BIGGEST];
	uint64_t sent, got = 0;
	int i, one = 1;

	(void)state;
	pair_join();
	assert_int_equal(
		setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)),
		0);
	for (i = 0; i < BIGGEST; i++) {
		big[i] = pipes_take(&rig.loop.pipes);
		assert_non_null(big[i]);
	}
	for (sent = 0; sent < 100 * SLOTS; sent++)
		assert_int_equal(stream_pour(client, sent, 1), 1);
	while (got < sent) {
		rig_turn(&rig);
		got += stream_drink(server, got, sent);
		/* Nobody will tell of it once more: it must be known. */
		assert_true(got == sent || rig_channel(&rig)->queued ||
			    pair_flow(WEIR_UP)->in_bytes == sent ||
			    rig_channel(&rig)->ends[0].mask & ENDPOINT_IN);
	}
	assert_int_equal(rig.loop.spliced_bytes, sent);
	shutdown(client, SHUT_WR);
	rig_hear_end(&rig, server);
	for (i = 0; i < BIGGEST; i++)
		pipes_give(&rig.loop.pipes, big[i]);
}

int
main(void)
{
#define splice_test(f) cmocka_unit_test_setup_teardown(f, start, pair_stop)
	const struct CMUnitTest tests[] = {
		splice_test(test_all_is_spliced_and_booked),
		splice_test(test_off_is_off),
		splice_test(test_each_splice_says_that_it_lives),
		splice_test(test_auto_splices_bulk_only),
		splice_test(test_a_flood_leaves_turns_to_others),
		splice_test(test_idle_channels_have_no_pipe),
		splice_test(test_end_goes_behind_what_is_left_up),
		splice_test(test_end_goes_behind_what_is_left_down),
		splice_test(test_reset_goes_behind_what_is_left_up),
		splice_test(test_reset_goes_behind_what_is_left_down),
		splice_test(test_what_is_left_reaches_nobody_else_up),
		splice_test(test_what_is_left_reaches_nobody_else_down),
		splice_test(test_dead_channels_have_no_pipe),
		splice_test(test_urgent_bytes_do_not_stop_it),
		splice_test(test_unix_sockets),
		splice_test(test_f41_single_bytes_fill_the_slots),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
