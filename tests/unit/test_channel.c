/* test_channel.c - a channel lives through ends, resets and time limits, and
 * closes once, with the right reason. */
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <linux/sockios.h>

#include <errno.h>
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

#define IDLE_BYTES_MOST 512 /* of an idle forwarded channel */

extern const struct weir_middleware mw_forward;

static void
ended(enum weir_reason reason, enum weir_side by)
{
	rig_until(&rig, rig_ends.n == 1);
	assert_string_equal(
		weir_reason_word(rig_ends.reason), weir_reason_word(reason));
	assert_int_equal(rig_ends.facts.ended_by, by);
}

/* ---- ends ---------------------------------------------------------------- */

static void
half_close(int *first, int *second, enum weir_side by)
{
	rig_say(*first, "question");
	shutdown(*first, SHUT_WR);
	rig_hear(&rig, *second, "question");
	rig_hear_end(&rig, *second);
	rig_say(*second, "long ");
	rig_hear(&rig, *first, "long ");
	rig_quiet(&rig);
	rig_say(*second, "answer");
	shutdown(*second, SHUT_WR);
	rig_hear(&rig, *first, "answer");
	rig_hear_end(&rig, *first);
	ended(WEIR_R_DONE, by);
}

static void
test_client_ends_first(void **state)
{
	(void)state;
	pair_join();
	half_close(&client, &server, WEIR_FRONTEND);
}

static void
test_backend_ends_first(void **state)
{
	(void)state;
	pair_join();
	half_close(&server, &client, WEIR_BACKEND);
}

static void
test_both_end_at_once(void **state)
{
	(void)state;
	pair_join();
	shutdown(client, SHUT_WR);
	shutdown(server, SHUT_WR);
	rig_hear_end(&rig, client);
	rig_hear_end(&rig, server);
	rig_until(&rig, rig_ends.n == 1);
	assert_int_equal(rig_ends.reason, WEIR_R_DONE);
}

static void
test_end_on_unix_sockets(void **state)
{
	(void)state;
	rig_add(&rig, &rig_dial, &dial);
	rig_start(&rig);
	client = rig_client_unix(&rig);
	server = rig_take(&rig, listener);
	half_close(&client, &server, WEIR_FRONTEND);
	assert_int_equal(rig_ends.facts.client.sa.sa_family, AF_UNIX);
}

static void
test_bytes_and_end_in_one_wakeup(void **state)
{
	(void)state;
	pair_join();
	rig_quiet(&rig);
	rig_say(client, "both");
	shutdown(client, SHUT_WR);
	rig_turn(&rig);
	rig_hear(&rig, server, "both");
	rig_hear_end(&rig, server);
}

static void
test_end_right_after_connecting(void **state)
{
	(void)state;
	rig_add(&rig, &rig_dial, &dial);
	rig_start(&rig);
	client = rig_client(&rig);
	rig_say(client, "early");
	shutdown(client, SHUT_WR);
	server = rig_take(&rig, listener);
	rig_hear(&rig, server, "early");
	rig_hear_end(&rig, server);
	rig_say(server, "late");
	shutdown(server, SHUT_WR);
	rig_hear(&rig, client, "late");
	rig_hear_end(&rig, client);
	ended(WEIR_R_DONE, WEIR_FRONTEND);
}

/* ---- resets -------------------------------------------------------------- */

static void
test_client_resets(void **state)
{
	(void)state;
	pair_join();
	rig_reset(&client);
	rig_hear_reset(&rig, server);
	ended(WEIR_R_RESET, WEIR_FRONTEND);
	assert_int_equal(rig_ends.facts.err, ECONNRESET);
}

static void
test_backend_resets(void **state)
{
	(void)state;
	pair_join();
	rig_reset(&server);
	rig_hear_reset(&rig, client);
	ended(WEIR_R_RESET, WEIR_BACKEND);
}

static void
test_bytes_and_reset_in_one_wakeup(void **state)
{
	(void)state;
	pair_join();
	rig_quiet(&rig);
	rig_say(client, "last");
	rig_reset(&client);
	rig_turn(&rig);
	rig_hear(&rig, server, "last");
	rig_hear_reset(&rig, server);
	ended(WEIR_R_RESET, WEIR_FRONTEND);
}

static void
test_reset_after_own_end(void **state)
{
	(void)state;
	pair_join();
	rig_say(client, "last");
	shutdown(client, SHUT_WR);
	rig_hear(&rig, server, "last");
	rig_hear_end(&rig, server);
	rig_reset(&client);
	rig_quiet(&rig);
	/* It had the end already; the reset shows when it writes. */
	ended(WEIR_R_RESET, WEIR_FRONTEND);
	assert_int_equal(send(server, "x", 1, MSG_NOSIGNAL), -1);
	assert_true(errno == ECONNRESET || errno == EPIPE);
}

static void
test_reset_while_the_other_side_ends(void **state)
{
	(void)state;
	pair_join();
	shutdown(server, SHUT_WR);
	rig_reset(&client);
	rig_turn(&rig);
	ended(WEIR_R_RESET, WEIR_FRONTEND);
	rig_hear_reset(&rig, server);
}

static void
test_writing_to_who_has_closed(void **state)
{
	(void)state;
	pair_join();
	rig_say(server, "unread");
	rig_quiet(&rig);
	rig_close(&client); /* by RST: it had not read */
	rig_hear_reset(&rig, server);
	ended(WEIR_R_RESET, WEIR_FRONTEND);
}

/* Bytes that have not left this socket. */
static int
unsent(int fd)
{
	int n = -1;

	assert_int_equal(ioctl(fd, SIOCOUTQ, &n), 0);
	return n;
}

static void
reset_while_slow(bool drains)
{
	static char p[65536];
	size_t sent = 0, got = 0;
	long n;

	rig.client_rcvbuf = rig.front_sndbuf = 32768;
	pair_join();
	while (flow_left(&rig_channel(&rig)->flows[WEIR_DOWN]) == 0) {
		rig_send(server, p, 5000);
		sent += 5000;
		rig_quiet(&rig);
	}
	rig_send(server, p, 40000);
	sent += 40000;
	rig_until(&rig, unsent(server) == 0);
	rig_reset(&server);
	rig_quiet(&rig);
	assert_int_equal(rig_ends.n, 0);
	if (!drains) {
		rig_advance(&rig, 500);
		assert_int_equal(rig_ends.n, 0);
		rig_advance(&rig, 1000);
		assert_int_equal(rig_ends.n, 1);
	}
	for (;;) {
		rig_turn_wait(&rig);
		n = rig_read(client, p, sizeof(p));
		if (n == -1 && errno == EAGAIN)
			continue;
		if (n <= 0)
			break;
		got += (size_t)n;
	}
	assert_int_equal(n, -1);
	assert_int_equal(errno, ECONNRESET);
	assert_int_equal(got == sent, drains);
	ended(WEIR_R_RESET, WEIR_BACKEND);
}

static void
test_reset_goes_behind_the_bytes(void **state)
{
	(void)state;
	reset_while_slow(true);
}

static void
test_reset_waits_not_for_ever(void **state)
{
	(void)state;
	reset_while_slow(false);
}

/* ---- states -------------------------------------------------------------- */

static void
test_every_step_of_the_table(void **state)
{
	static const char allowed[CHANNEL_STATE_COUNT][8] = {
		/* to: orRcjxd */
		[CHANNEL_OPEN] = " r   x ",
		[CHANNEL_ROUTE] = "  Rcjx ",
		[CHANNEL_RACE] = " r  jx ",
		[CHANNEL_CONNECT] = "    jx ",
		[CHANNEL_JOINED] = "     x ",
		[CHANNEL_CLOSING] = "      d",
		[CHANNEL_DEAD] = "       ",
	};
	struct conf_server conf = { .name = "s" };
	struct loop loop = { 0 };
	struct engine e = { .server = &conf, .loop = &loop };
	int from, to, status;

	(void)state;
	for (from = 0; from < CHANNEL_STATE_COUNT; from++)
		for (to = 0; to < CHANNEL_STATE_COUNT; to++) {
			struct weir_channel ch = { .engine = &e };
			pid_t pid;

			ch.state = (uint8_t)from;
			if (allowed[from][to] != ' ') {
				channel_state(&ch, (enum channel_state)to);
				assert_int_equal(ch.state, to);
				continue;
			}
			pid = fork();
			assert_int_not_equal(pid, -1);
			if (pid == 0) {
				signal(SIGABRT, SIG_DFL);
				log_open("/dev/null", LOG_LEVEL_ALERT);
				channel_state(&ch, (enum channel_state)to);
				_exit(0);
			}
			assert_int_equal(waitpid(pid, &status, 0), pid);
			assert_true(WIFSIGNALED(status));
			assert_int_equal(WTERMSIG(status), SIGABRT);
		}
}

static void
test_an_idle_channel_is_small(void **state)
{
	size_t ctx = (mw_forward.ctx_size + 15) & ~(size_t)15;

	(void)state;
	assert_true(sizeof(struct weir_channel) + ctx <= IDLE_BYTES_MOST);
	pair_join();
	rig_say(client, "x");
	rig_hear(&rig, server, "x");
	/* Nothing else is kept for it. */
	assert_null(rig_channel(&rig)->holds);
	assert_null(rig_channel(&rig)->aside);
	assert_null(rig_channel(&rig)->flows[WEIR_UP].out.head);
	assert_null(rig_channel(&rig)->flows[WEIR_DOWN].out.head);
}

static struct weir_verdict
rewrite_a_bit(struct weir_call *c, struct weir_bytes in)
{
	size_t n = in.len < 4096 ? in.len : 4096;

	if (n > 0)
		weir_emit(c, WEIR_DOWN, in.p, n);
	return weir_drop(n);
}

/* Bytes that a middleware has not judged yet, an end, and then a reset. */
static void
test_reset_behind_held_bytes(void **state)
{
	static const struct weir_middleware mw = { .name = "rewrite",
		.down = rewrite_a_bit };
	static uint8_t data[60000];
	size_t got = 0;
	long n;

	(void)state;
	rig.front_sndbuf = 4096;
	rig.client_rcvbuf = 4096;
	rig.server.hold_max = 16384;
	rig.server.read_max = 65536;
	rig_add(&rig, &mw, NULL);
	pair_join();
	rig_send(server, data, sizeof(data));
	assert_int_equal(shutdown(server, SHUT_WR), 0);
	rig_until(&rig, rig_channel(&rig)->flows[WEIR_DOWN].held != 0);
	rig_reset(&server);
	rig_quiet(&rig);
	while ((n = rig_read(client, data, sizeof(data))) > 0 ||
		(n == -1 && errno == EAGAIN)) {
		got += n > 0 ? (size_t)n : 0;
		rig_turn_wait(&rig);
	}
	assert_int_equal(got, sizeof(data));
	assert_int_equal(n, -1);
	assert_int_equal(errno, ECONNRESET);
}

/* The reset came first: a limit that is due while its bytes go is not why. */
static void
test_a_session_limit_does_not_rename_a_reset(void **state)
{
	static uint8_t data[400000];

	(void)state;
	rig.front_sndbuf = 4096;
	rig.client_rcvbuf = 4096;
	rig.server.read_max = 65536;
	rig.server.session_timeout_ms = 10000;
	pair_join();
	rig_advance(&rig, 9500);
	while (send(server, data, sizeof(data), MSG_NOSIGNAL) > 0)
		rig_quiet(&rig);
	rig_reset(&server);
	rig_until(&rig, rig_channel(&rig)->failing);
	rig_advance(&rig, 700);
	rig_until(&rig, rig_ends.n == 1);
	assert_int_equal(rig_ends.reason, WEIR_R_RESET);
	assert_null(rig_ends.facts.detail);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		pair_tests(test_client_ends_first),
		pair_tests(test_backend_ends_first),
		pair_tests(test_both_end_at_once),
		pair_tests(test_end_on_unix_sockets),
		pair_tests(test_bytes_and_end_in_one_wakeup),
		pair_tests(test_end_right_after_connecting),
		pair_tests(test_client_resets),
		pair_tests(test_backend_resets),
		pair_tests(test_bytes_and_reset_in_one_wakeup),
		pair_tests(test_reset_after_own_end),
		pair_tests(test_reset_while_the_other_side_ends),
		pair_tests(test_writing_to_who_has_closed),
		pair_tests(test_reset_goes_behind_the_bytes),
		pair_tests(test_reset_waits_not_for_ever),
		cmocka_unit_test(test_every_step_of_the_table),
		pair_tests(test_an_idle_channel_is_small),
		pair_tests(test_reset_behind_held_bytes),
		pair_tests(test_a_session_limit_does_not_rename_a_reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
