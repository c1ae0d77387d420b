/* test_flow.c - bytes and ends of one direction: order, budget, backpressure.
 */
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/log.h"
#include "lib/pair.h"
#include "lib/stream.h"

#define MB ((uint64_t)1 << 20)

extern const struct weir_middleware mw_echo;

static struct flow *
flow(enum weir_dir dir)
{
	return &rig_channel(&rig)->flows[dir];
}

/* ---- backpressure -------------------------------------------------------- */

/* Sends until nothing moves any more. */
static uint64_t
fill_up(int fd, size_t most_queued, enum weir_dir dir)
{
	static const int small = 16384;
	uint64_t sent = 0;
	int still = 0;

	assert_int_equal(
		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small)),
		0);
	while (still < 20) {
		uint64_t n = stream_pour(fd, sent, MB);

		sent += n;
		still = n == 0 && !rig_channel(&rig)->queued ? still + 1 : 0;
		/* The kernels of both sides may have something to do first. */
		if (still > 0)
			rig_turn_wait(&rig);
		else
			rig_turn(&rig);
		assert_true(flow(dir)->out.len <= most_queued);
	}
	return sent;
}

static void
test_slow_reader_stops_the_source(void **state)
{
	uint64_t sent, got = 0;

	(void)state;
	rig.server.read_max = 10000;
	rig.client_rcvbuf = rig.front_sndbuf = 8192;
	pair_join();
	sent = fill_up(server, 10000, WEIR_DOWN);
	assert_true(flow_left(flow(WEIR_DOWN)) > 0);
	assert_false(rig_channel(&rig)->queued);
	shutdown(server, SHUT_WR);
	while (got < sent) {
		uint64_t n = stream_drink(client, got, 1 + got % 5000);

		got += n;
		if (n == 0)
			rig_turn_wait(&rig);
		else
			rig_turn(&rig);
		assert_true(flow(WEIR_DOWN)->out.len <= 10000);
	}
	rig_hear_end(&rig, client);
}

static void
echo_never_read(size_t hold_max, unsigned stages)
{
	uint64_t sent, got = 0;
	unsigned i;

	rig.server.hold_max = hold_max;
	rig.server.read_max = 20000;
	rig.client_rcvbuf = rig.front_sndbuf = 8192;
	for (i = 0; i < stages; i++)
		rig_add(&rig, &mw_echo, NULL);
	rig_start(&rig);
	client = rig_client(&rig);
	sent = fill_up(client, hold_max + 20000, WEIR_DOWN);
	assert_true(flow(WEIR_DOWN)->out.len > hold_max);
	assert_false(rig_channel(&rig)->queued);
	shutdown(client, SHUT_WR);
	while (got < sent) {
		uint64_t n = stream_drink(client, got, 7777);

		got += n;
		if (n == 0)
			rig_turn_wait(&rig);
		else
			rig_turn(&rig);
	}
	rig_hear_end(&rig, client);
	rig_until(&rig, rig_ends.n == 1);
	assert_int_equal(rig_ends.reason, WEIR_R_DONE);
	assert_int_equal(rig_ends.facts.up_bytes, sent);
	assert_int_equal(rig_ends.facts.down_bytes, sent);
}

static void
test_echo_that_nobody_reads_is_bounded(void **state)
{
	(void)state;
	echo_never_read(100000, 1);
}

/* Shows one byte a time, so that held bytes are shown again and again. */
static struct weir_verdict
echo_slowly(struct weir_call *c, struct weir_bytes in)
{
	if (in.len == 0)
		return weir_drop(0);
	weir_emit(c, WEIR_DOWN, in.p, 1);
	return weir_drop(1);
}
static const struct weir_middleware mw_slow_echo = { .name = "slow_echo",
	.up = echo_slowly };

static void
test_held_bytes_are_shown_again(void **state)
{
	(void)state;
	rig_add(&rig, &mw_slow_echo, NULL);
	echo_never_read(1000, 0);
}

/* A server's flood that a stage answers: the answers have nowhere to go. */
static struct weir_verdict
answer(struct weir_call *c, struct weir_bytes in)
{
	if (in.len > 0)
		weir_emit(c, WEIR_UP, in.p, in.len);
	return weir_drop(in.len);
}
static const struct weir_middleware mw_answer = { .name = "answer",
	.down = answer };

static void
test_answers_that_nobody_reads_are_bounded(void **state)
{
	uint64_t sent, got = 0;

	(void)state;
	rig.server.read_max = 20000;
	rig.server.hold_max = 50000;
	rig_add(&rig, &mw_answer, NULL);
	pair_join();
	sent = fill_up(server, 70000, WEIR_UP);
	shutdown(server, SHUT_WR);
	while (got < sent) {
		uint64_t n = stream_drink(server, got, MB);

		got += n;
		if (n == 0)
			rig_turn_wait(&rig);
		else
			rig_turn(&rig);
	}
	rig_hear_end(&rig, client);
}

static void
test_f40_a_drain_of_single_bytes_goes_on(void **state)
{
	uint64_t sent, got = 0;

	(void)state;
	rig.server.read_max = 3000;
	rig.client_rcvbuf = rig.front_sndbuf = 4096;
	pair_join();
	sent = fill_up(server, 3000, WEIR_DOWN);
	while (got < sent && got < 20000) {
		got += stream_drink(client, got, 1);
		rig_turn(&rig);
	}
	while (got < sent) {
		uint64_t n = stream_drink(client, got, 1000);

		got += n;
		if (n == 0)
			rig_turn_wait(&rig);
	}
	rig_quiet(&rig);
	assert_int_equal(flow_left(flow(WEIR_DOWN)), 0);
}

/* Of both, one edge tells. */
static void
test_a_question_comes_with_room(void **state)
{
	uint64_t sent, n, got = 0;

	(void)state;
	rig.server.read_max = 3000;
	rig.client_rcvbuf = rig.front_sndbuf = 4096;
	pair_join();
	sent = fill_up(server, 3000, WEIR_DOWN);
	while ((n = stream_drink(client, got, MB)) > 0)
		got += n;
	assert_true(flow_left(flow(WEIR_DOWN)) > 0);
	rig_say(client, "?");
	rig_hear(&rig, server, "?");
	while (got < sent) {
		n = stream_drink(client, got, 1000);
		got += n;
		if (n == 0)
			rig_turn_wait(&rig);
	}
	rig_quiet(&rig);
}

/* ---- budget -------------------------------------------------------------- */

static void
test_a_flood_leaves_turns_to_others(void **state)
{
	uint64_t sent, got = 0, in_bytes = 0;
	int quiet_client, quiet_server, turns = 0;

	(void)state;
	rig.server.read_max = 1000;
	pair_join();
	rig_join(&rig, listener, &quiet_client, &quiet_server);
	sent = stream_pour(client, 0, 200000);
	assert_int_equal(sent, 200000);
	rig_say(quiet_client, "?");
	while (in_bytes < sent) {
		struct weir_channel *ch = TAILQ_FIRST(&rig.engine.channels);
		uint64_t now;

		rig_turn(&rig);
		now = ch->flows[WEIR_UP].in_bytes;
		/* Once for an event, once from the run list. */
		assert_true(now - in_bytes <= 2000);
		in_bytes = now;
		got += stream_drink(server, got, sent);
		if (++turns == 3)
			rig_hear(&rig, quiet_server, "?");
		assert_true(ch->queued ||
			    !(ch->ends[WEIR_FRONTEND].mask & ENDPOINT_IN));
	}
	assert_true(turns >= 100);
	rig_quiet(&rig);
	assert_false(TAILQ_FIRST(&rig.engine.channels)->queued);
	got += stream_drink(server, got, sent);
	assert_int_equal(got, sent);
	rig_close(&quiet_client);
	rig_close(&quiet_server);
}

static void
test_nothing_is_queued_while_idle(void **state)
{
	(void)state;
	pair_join();
	rig_quiet(&rig);
	assert_true(TAILQ_EMPTY(&rig.loop.run));
	rig_say(client, "ping");
	rig_hear(&rig, server, "ping");
	assert_true(TAILQ_EMPTY(&rig.loop.run));
	assert_int_equal(rig_channel(&rig)->ends[0].mask & ENDPOINT_IN, 0);
}

/* ---- urgent bytes -------------------------------------------------------- */

static void
test_urgent_byte_does_not_stop_the_flow(void **state)
{
	(void)state;
	pair_join();
	rig_say(client, "ab");
	assert_int_equal(send(client, "!", 1, MSG_OOB), 1);
	rig_say(client, "cd");
	rig_hear(&rig, server, "abcd");
	rig_say(client, "ef");
	shutdown(client, SHUT_WR);
	rig_hear(&rig, server, "ef");
	rig_hear_end(&rig, server);
}

/* ---- states -------------------------------------------------------------- */

static void
test_every_step_of_the_table(void **state)
{
	static const uint8_t allowed[FLOW_STATE_COUNT][FLOW_STATE_COUNT] = {
		[FLOW_OPEN] = { [FLOW_ENDED] = 1, [FLOW_BROKEN] = 1 },
		[FLOW_ENDED] = { [FLOW_SHUT] = 1, [FLOW_BROKEN] = 1 },
		[FLOW_SHUT] = { [FLOW_BROKEN] = 1 },
	};
	struct conf_server conf = { .name = "s" };
	struct engine e = { .server = &conf };
	int from, to, status;

	(void)state;
	for (from = 0; from < FLOW_STATE_COUNT; from++)
		for (to = 0; to < FLOW_STATE_COUNT; to++) {
			struct weir_channel ch = { .engine = &e };
			pid_t pid;

			ch.flows[WEIR_DOWN].state = (uint8_t)from;
			if (allowed[from][to]) {
				flow_state(&ch, WEIR_DOWN, (enum flow_state)to);
				assert_int_equal(ch.flows[WEIR_DOWN].state, to);
				continue;
			}
			pid = fork();
			assert_int_not_equal(pid, -1);
			if (pid == 0) {
				signal(SIGABRT, SIG_DFL);
				log_open("/dev/null", LOG_LEVEL_ALERT);
				flow_state(&ch, WEIR_DOWN, (enum flow_state)to);
				_exit(0);
			}
			assert_int_equal(waitpid(pid, &status, 0), pid);
			assert_true(WIFSIGNALED(status));
			assert_int_equal(WTERMSIG(status), SIGABRT);
		}
}

static void
send_with_fd(int fd, const char *text)
{
	union {
		char room[CMSG_SPACE(sizeof(int))];
		struct cmsghdr head;
	} control;
	struct iovec iov = { (void *)(uintptr_t)text, strlen(text) };
	struct msghdr m = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.room,
		.msg_controllen = sizeof(control.room) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	assert_int_equal(sendmsg(fd, &m, 0), strlen(text));
}

/* A read stops where descriptors were sent; there is more behind it. */
static void
test_bytes_behind_descriptors(void **state)
{
	(void)state;
	rig_add(&rig, &rig_dial, &dial);
	rig_start(&rig);
	client = rig_client_unix(&rig);
	server = rig_take(&rig, listener);
	rig_quiet(&rig);
	send_with_fd(client, "abc");
	rig_say(client, "def");
	rig_hear(&rig, server, "abcdef");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		pair_tests(test_slow_reader_stops_the_source),
		pair_tests(test_echo_that_nobody_reads_is_bounded),
		pair_tests(test_held_bytes_are_shown_again),
		pair_tests(test_answers_that_nobody_reads_are_bounded),
		pair_tests(test_f40_a_drain_of_single_bytes_goes_on),
		pair_tests(test_a_question_comes_with_room),
		pair_mode_test(test_a_flood_leaves_turns_to_others, copied),
		pair_tests(test_nothing_is_queued_while_idle),
		pair_tests(test_urgent_byte_does_not_stop_the_flow),
		cmocka_unit_test(test_every_step_of_the_table),
		pair_tests(test_bytes_behind_descriptors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
