/* test_closing.c - last words arrive, ends are bounded, and a stop resets
 * everything in any state. */
#include <netinet/in.h>
#include <sys/socket.h>

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/hole.h"
#include "lib/pair.h"

#define MUCH	 200000
#define REFUSALS 100
#define WORDS	 30000

static uint8_t words[WORDS];

/* ---- last words ---------------------------------------------------------- */

static struct weir_verdict
refuse(struct weir_call *c, struct weir_bytes in)
{
	(void)in;
	weir_emit(c, WEIR_DOWN, words, sizeof(words));
	return weir_close(WEIR_R_DENIED);
}
static const struct weir_middleware mw_refuse = { .name = "refuse",
	.up = refuse };

static void
refusing(void)
{
	rig_add(&rig, &mw_refuse, NULL);
	rig_start(&rig);
	client = rig_client(&rig);
}

/* Reads all last words, then the end (or a reset, when much was unread). */
static size_t
read_words(bool *reset)
{
	static uint8_t p[WORDS];
	size_t got = 0;
	long n;

	for (;;) {
		n = rig_read(client, p, sizeof(p));
		if (n > 0)
			got += (size_t)n;
		else if (n == 0 || errno != EAGAIN)
			break;
		else
			rig_turn_wait(&rig);
	}
	*reset = n == -1;
	return got;
}

static void
test_refusal_is_read_whatever_was_sent(void **state)
{
	static uint8_t p[MUCH];
	bool reset;
	int i;

	(void)state;
	refusing();
	for (i = 0; i < REFUSALS; i++) {
		assert_true(send(client, p, sizeof(p), MSG_NOSIGNAL) > 0);
		assert_int_equal(read_words(&reset), WORDS);
		rig_close(&client);
		rig_until(&rig, (int)rig_ends.n == i + 1);
		assert_int_equal(rig_ends.reason, WEIR_R_DENIED);
		assert_int_equal(rig_ends.facts.down_bytes, WORDS);
		client = rig_client(&rig);
	}
}

static void
test_refusal_ends_cleanly(void **state)
{
	bool reset;

	(void)state;
	refusing();
	rig_say(client, "hello");
	assert_int_equal(read_words(&reset), WORDS);
	assert_false(reset);
	/* It waits for the client's own end. */
	rig_say(client, "more");
	rig_quiet(&rig);
	assert_int_equal(rig_ends.n, 0);
	shutdown(client, SHUT_WR);
	rig_until(&rig, rig_ends.n == 1);
}

static void
test_lingering_is_bounded_in_time(void **state)
{
	bool reset;

	(void)state;
	refusing();
	rig_say(client, "hello");
	assert_int_equal(read_words(&reset), WORDS);
	rig_advance(&rig, 1000);
	rig_quiet(&rig);
	assert_int_equal(rig_ends.n, 0);
	rig_advance(&rig, 1500);
	assert_int_equal(rig_ends.n, 1);
}

static void
test_lingering_is_bounded_in_bytes(void **state)
{
	static uint8_t p[4096];
	size_t sent = 0;
	bool reset;

	(void)state;
	refusing();
	rig_say(client, "hello");
	assert_int_equal(read_words(&reset), WORDS);
	while (rig_ends.n == 0 && sent < 10 * MUCH) {
		long n = send(client, p, sizeof(p), MSG_NOSIGNAL);

		if (n > 0)
			sent += (size_t)n;
		rig_turn(&rig);
	}
	assert_int_equal(rig_ends.n, 1);
	assert_in_range(sent, 60000, MUCH);
}

static void
test_who_never_reads_last_words_goes(void **state)
{
	(void)state;
	rig.client_rcvbuf = rig.front_sndbuf = 4096;
	refusing();
	rig_say(client, "hello");
	rig_quiet(&rig);
	assert_int_equal(rig_ends.n, 0);
	assert_true(rig_channel(&rig)->flows[WEIR_DOWN].out.len > 0);
	rig_advance(&rig, 1500);
	rig_quiet(&rig);
	assert_int_equal(rig_ends.n, 0);
	rig_advance(&rig, 1000);
	assert_int_equal(rig_ends.n, 1);
}

static void
test_who_resets_meanwhile_is_gone(void **state)
{
	(void)state;
	rig.client_rcvbuf = rig.front_sndbuf = 4096;
	refusing();
	rig_say(client, "hello");
	rig_quiet(&rig);
	rig_reset(&client);
	rig_until(&rig, rig_ends.n == 1);
	assert_int_equal(rig_ends.reason, WEIR_R_DENIED);
}

static void
test_a_session_limit_does_not_rename_a_refusal(void **state)
{
	(void)state;
	rig.server.session_timeout_ms = 5000;
	refusing();
	rig_advance(&rig, 4000);
	rig_say(client, "hello");
	rig_quiet(&rig);
	rig_advance(&rig, 1500);
	rig_until(&rig, rig_ends.n == 1);
	assert_int_equal(rig_ends.reason, WEIR_R_DENIED);
	assert_null(rig_ends.facts.detail);
}

/* ---- stop ---------------------------------------------------------------- */

static void
stopped(enum channel_state from)
{
	assert_int_equal(rig_channel(&rig)->state, from);
	engine_close_all(&rig.engine, WEIR_R_STOPPED);
	engine_close_all(&rig.engine, WEIR_R_KILLED);
	rig_turn(&rig);
	assert_int_equal(rig_ends.n, 1);
	assert_int_equal(rig.loop.channels, 0);
	rig_hear_reset(&rig, client);
}

static void
test_stop_while_bytes_are_wanted(void **state)
{
	static const struct weir_middleware mw = {
		.name = "preread", .flags = WEIR_PREREAD, .up = refuse
	};

	(void)state;
	rig_add(&rig, &mw, NULL);
	rig_start(&rig);
	client = rig_client(&rig);
	stopped(CHANNEL_ROUTE);
	assert_int_equal(rig_ends.reason, WEIR_R_STOPPED);
}

static void
test_stop_while_connecting(void **state)
{
	struct hole hole;

	(void)state;
	hole_dig(&hole);
	dial.to[0].in.sin_port = htons(hole.port);
	rig_add(&rig, &rig_dial, &dial);
	rig_start(&rig);
	client = rig_client(&rig);
	stopped(CHANNEL_CONNECT);
	assert_int_equal(rig_ends.reason, WEIR_R_STOPPED);
	rig_close(&client);
	rig_stop(&rig);
	hole_fill(&hole);
	rig_init(&rig);
	rig_start(&rig);
}

static void
test_stop_while_joined(void **state)
{
	(void)state;
	rig_add(&rig, &rig_dial, &dial);
	rig_start(&rig);
	rig_join(&rig, listener, &client, &server);
	stopped(CHANNEL_JOINED);
	assert_int_equal(rig_ends.reason, WEIR_R_STOPPED);
	rig_hear_reset(&rig, server);
}

static void
test_stop_while_half_closed(void **state)
{
	(void)state;
	rig_add(&rig, &rig_dial, &dial);
	rig_start(&rig);
	rig_join(&rig, listener, &client, &server);
	shutdown(server, SHUT_WR);
	rig_hear_end(&rig, client);
	engine_close_all(&rig.engine, WEIR_R_STOPPED);
	rig_turn(&rig);
	assert_int_equal(rig_ends.n, 1);
	rig_hear_reset(&rig, server);
}

static void
test_stop_while_lingering(void **state)
{
	(void)state;
	rig.client_rcvbuf = rig.front_sndbuf = 4096;
	refusing();
	rig_say(client, "hello");
	rig_quiet(&rig);
	assert_int_equal(rig_channel(&rig)->state, CHANNEL_CLOSING);
	engine_close_all(&rig.engine, WEIR_R_STOPPED);
	rig_turn(&rig);
	assert_int_equal(rig_ends.n, 1);
	assert_int_equal(rig_ends.reason, WEIR_R_DENIED);
}

static void
test_stop_while_a_reset_is_passed_on(void **state)
{
	static uint8_t p[60000];

	(void)state;
	rig.client_rcvbuf = rig.front_sndbuf = 4096;
	rig_add(&rig, &rig_dial, &dial);
	rig_start(&rig);
	rig_join(&rig, listener, &client, &server);
	rig_send(server, p, sizeof(p));
	rig_quiet(&rig);
	rig_reset(&server);
	rig_quiet(&rig);
	assert_int_equal(rig_ends.n, 0);
	engine_close_all(&rig.engine, WEIR_R_STOPPED);
	rig_turn(&rig);
	assert_int_equal(rig_ends.n, 1);
	assert_int_equal(rig_ends.reason, WEIR_R_RESET);
}

/* ---- the manner of a refusal --------------------------------------------- */

static struct weir_verdict
refuse_so(struct weir_call *c, struct weir_bytes in)
{
	(void)c;
	return weir_refuse(WEIR_R_DENIED, (enum weir_manner)(in.p[0] - '0'));
}

/* A client behind a router, as it were: what was sent with a TTL of 1 does not
 * reach it (IP_MINTTL, ip(7)). */
static void
refused_so(enum weir_manner manner)
{
	static const struct weir_middleware mw = { .name = "refuse",
		.up = refuse_so };
	static const int least = 2;
	char word[] = { (char)('0' + manner), 0 };

	rig_add(&rig, &mw, NULL);
	pair_join();
	assert_int_equal(setsockopt(client, IPPROTO_IP, IP_MINTTL, &least,
				 sizeof(least)),
		0);
	rig_say(client, word);
	rig_quiet(&rig);
}

static void
test_refused_by_an_end(void **state)
{
	(void)state;
	refused_so(WEIR_MANNER_CLOSE);
	rig_hear_end(&rig, client);
}

static void
test_refused_by_a_reset(void **state)
{
	(void)state;
	refused_so(WEIR_MANNER_RESET);
	rig_hear_reset(&rig, client);
}

static void
test_refused_silently(void **state)
{
	(void)state;
	refused_so(WEIR_MANNER_SILENT);
	assert_int_equal(rig_ends.n, 1);
	assert_int_equal(rig_ends.reason, WEIR_R_DENIED);
	rig_hear_nothing(&rig, client);
	rig_hear_reset(&rig, server);
}

#define closing_test(name)                                                     \
	cmocka_unit_test_setup_teardown(name, pair_start, pair_stop)

/* A limit of the time before does not cut the last words off. */
static void
test_preread_limit_leaves_a_refusal_alone(void **state)
{
	static const struct weir_middleware gate = {
		.name = "gate", .up = refuse, .flags = WEIR_PREREAD
	};

	(void)state;
	rig.server.preread_timeout_ms = 1000;
	rig_add(&rig, &gate, NULL);
	rig_start(&rig);
	client = rig_client(&rig);
	rig_advance(&rig, 900);
	rig_say(client, "x");
	rig_until(&rig, rig_channel(&rig)->state == CHANNEL_CLOSING);
	rig_advance(&rig, 500);
	rig_quiet(&rig);
	assert_int_equal(rig_ends.n, 0);
	rig_close(&client);
	rig_until(&rig, rig_ends.n == 1);
	assert_int_equal(rig_ends.reason, WEIR_R_DENIED);
}

static struct weir_verdict
bye(struct weir_call *c, struct weir_bytes in)
{
	if (in.len == 0 || in.p[in.len - 1] != 'q')
		return weir_pass(in.len);
	weir_emit(c, WEIR_UP, "QUIT", 4);
	return weir_close(WEIR_R_DENIED);
}

/* What was passed and emitted upwards reaches a backend that reads late. */
static void
test_backend_gets_last_words(void **state)
{
	static const struct weir_middleware mw_bye = { .name = "bye",
		.up = bye };
	static uint8_t data[MUCH];
	size_t sent = 0, got = 0;
	char last[4] = "";
	long n;

	(void)state;
	rig_add(&rig, &mw_bye, NULL);
	pair_join();
	do {
		n = send(client, data, sizeof(data), MSG_NOSIGNAL);
		sent += n > 0 ? (size_t)n : 0;
		rig_quiet(&rig);
	} while (n > 0 && sent < 20 * MUCH);
	while (rig_channel(&rig)->state == CHANNEL_JOINED) {
		send(client, "q", 1, MSG_NOSIGNAL);
		n = rig_read(server, data, 1000);
		got += n > 0 ? (size_t)n : 0;
		rig_quiet(&rig);
	}
	while ((n = rig_read(server, data, sizeof(data))) > 0 ||
		(n == -1 && errno == EAGAIN)) {
		got += n > 0 ? (size_t)n : 0;
		if (n >= (long)sizeof(last))
			memcpy(last, data + n - sizeof(last), sizeof(last));
		rig_turn_wait(&rig);
	}
	assert_int_equal(n, -1);
	assert_int_equal(errno, ECONNRESET);
	assert_memory_equal(last, "QUIT", sizeof(last));
	assert_true(got > MUCH);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		closing_test(test_refusal_is_read_whatever_was_sent),
		closing_test(test_refusal_ends_cleanly),
		closing_test(test_lingering_is_bounded_in_time),
		closing_test(test_lingering_is_bounded_in_bytes),
		closing_test(test_who_never_reads_last_words_goes),
		closing_test(test_who_resets_meanwhile_is_gone),
		closing_test(test_a_session_limit_does_not_rename_a_refusal),
		closing_test(test_stop_while_bytes_are_wanted),
		closing_test(test_stop_while_connecting),
		closing_test(test_stop_while_joined),
		closing_test(test_stop_while_half_closed),
		closing_test(test_stop_while_lingering),
		closing_test(test_stop_while_a_reset_is_passed_on),
		closing_test(test_preread_limit_leaves_a_refusal_alone),
		closing_test(test_backend_gets_last_words),
		closing_test(test_refused_by_an_end),
		closing_test(test_refused_by_a_reset),
		closing_test(test_refused_silently),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
