/* test_race.c - a default backend that is connected to while the client is
 * silent: the first to speak decides; and the history that tells of it. */
#include <netinet/in.h>
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

#include "base/log.h"
#include "lib/hole.h"
#include "lib/pair.h"

#define RACE_AFTER_MS 300

static struct weir_addr other; /* where "o" leads to */
static int other_listener;
static struct hole hole; /* where nobody answers */
static unsigned told;	 /* of a backend, with no error */

/* Wants a client's first byte (and a second behind '2'): 'o' chooses the other
 * backend, 'd' denies, 's' serves, else it does not care. */
static struct weir_verdict
chooser_up(struct weir_call *c, struct weir_bytes in)
{
	bool *done = c->ctx;

	if (*done || in.len == 0)
		return weir_detach();
	if (in.p[0] == '2' && in.len < 2)
		return in.eof ? weir_detach() : weir_need(2);
	if (in.p[0] == 'd')
		return weir_close(WEIR_R_DENIED);
	if (in.p[0] == 'o')
		weir_connect(c, &other, NULL);
	if (in.p[0] == 's')
		weir_serve(c);
	return weir_detach();
}

static void
chooser_connected(struct weir_call *c, int err)
{
	*(bool *)c->ctx = true;
	told += err == 0;
}

static const struct weir_middleware mw_chooser = { .name = "chooser",
	.flags = WEIR_PREREAD,
	.ctx_size = sizeof(bool),
	.up = chooser_up,
	.connected = chooser_connected };

/* Connects as the dial does, but also after a silence. */
static struct weir_verdict
racer_open(struct weir_call *c)
{
	weir_timer(c, RACE_AFTER_MS);
	return weir_pass(0);
}

static struct weir_verdict
racer_timer(struct weir_call *c)
{
	struct weir_facts f;

	weir_facts(c, &f);
	if (f.awaited && f.up_bytes == 0)
		rig_dial.route(c);
	return weir_pass(0);
}

/* The one that raced comes first. */
static void
racer_route(struct weir_call *c)
{
	unsigned *tried = c->ctx;

	if (*tried > 0)
		--*tried;
	rig_dial.route(c);
}

static void
racer_connected(struct weir_call *c, int err)
{
	const struct rig_dial *cf = c->conf;
	unsigned *tried = c->ctx;

	if (err != 0 && *tried == cf->n)
		*tried = 0; /* all again, if the client does not care */
	else
		rig_dial.connected(c, err);
}

static struct weir_middleware mw_racer;

static int
start(void **state)
{
	mw_racer = rig_dial;
	mw_racer.open = racer_open;
	mw_racer.route = racer_route;
	mw_racer.timer = racer_timer;
	mw_racer.connected = racer_connected;
	told = 0;
	hole_dig(&hole);
	pair_start(state);
	other_listener = rig_backend(&other);
	rig.server.dumb_connect_timeout_ms = 3000;
	rig.server.connect_timeout_ms = 2000;
	rig.server.idle_timeout_ms = 60000;
	rig_add(&rig, &mw_chooser, NULL);
	rig_add(&rig, &mw_racer, &dial);
	return 0;
}

static int
stop(void **state)
{
	pair_stop(state);
	rig_close(&other_listener);
	hole_fill(&hole);
	return 0;
}

/* A client that is silent for so long that the race begins. */
static void
race(void)
{
	rig_start(&rig);
	client = rig_client(&rig);
	rig_quiet(&rig);
	assert_int_equal(rig_channel(&rig)->state, CHANNEL_ROUTE);
	rig_advance(&rig, RACE_AFTER_MS);
}

static void
race_connected(void)
{
	race();
	server = rig_take(&rig, listener);
	rig_quiet(&rig);
	assert_int_equal(rig_channel(&rig)->state, CHANNEL_RACE);
	assert_int_equal(told, 0);
}

static void
test_the_backend_speaks_first(void **state)
{
	(void)state;
	race_connected();
	rig_say(server, "220 hello");
	rig_hear(&rig, client, "220 hello");
	assert_int_equal(told, 1);
	/* It is too late to choose another one. */
	rig_say(client, "o");
	rig_hear(&rig, server, "o");
}

static void
test_the_client_speaks_first(void **state)
{
	(void)state;
	race_connected();
	rig_say(client, "x");
	rig_hear(&rig, server, "x"); /* over the connection that is there */
	assert_int_equal(told, 1);
	rig_say(server, "y");
	rig_hear(&rig, client, "y");
	rig_hear_nothing(&rig, listener);
}

/* Both speak at once, and the client's bytes make it another one: what was said
 * of the first is not true of that. */
static void
test_both_speak_and_the_client_chooses(void **state)
{
	(void)state;
	other = (struct weir_addr){ .len = sizeof(other.in),
		.in = { .sin_family = AF_INET,
			.sin_port = htons(hole.port),
			.sin_addr.s_addr = htonl(INADDR_LOOPBACK) } };
	race_connected();
	rig_say(client, "o");
	rig_say(server, "hi");
	rig_turn(&rig);
	assert_int_equal(rig_channel(&rig)->state, CHANNEL_CONNECT);
	assert_int_equal(told, 0);
}

static void
test_the_client_chooses_another(void **state)
{
	int chosen;

	(void)state;
	race_connected();
	rig_say(client, "o");
	chosen = rig_take(&rig, other_listener);
	rig_hear(&rig, chosen, "o");
	rig_hear_end(&rig, server);
	assert_int_equal(told, 1);
	rig_close(&chosen);
}

static void
test_the_client_is_denied(void **state)
{
	(void)state;
	race_connected();
	rig_say(client, "d");
	rig_hear_end(&rig, client);
	rig_close(&client);
	rig_until(&rig, rig_ends.n == 1);
	assert_int_equal(rig_ends.reason, WEIR_R_DENIED);
	assert_int_equal(told, 0);
}

static void
test_the_client_is_served_here(void **state)
{
	(void)state;
	race_connected();
	rig_say(client, "s");
	rig_hear_reset(&rig, server);
	assert_int_equal(rig_channel(&rig)->state, CHANNEL_JOINED);
	assert_int_equal(rig.loop.fds, 1);
}

static void
test_the_client_only_ends(void **state)
{
	(void)state;
	race_connected();
	assert_int_equal(shutdown(client, SHUT_WR), 0);
	rig_hear_end(&rig, server);
	rig_say(server, "nothing?");
	rig_hear(&rig, client, "nothing?");
}

static void
test_the_backend_only_ends(void **state)
{
	(void)state;
	race_connected();
	assert_int_equal(shutdown(server, SHUT_WR), 0);
	rig_hear_end(&rig, client);
	rig_say(client, "x");
	rig_hear(&rig, server, "x");
}

static void
test_the_backend_resets(void **state)
{
	(void)state;
	race_connected();
	rig_reset(&server);
	rig_until(&rig, rig_channel(&rig)->state == CHANNEL_ROUTE);
	rig_say(client, "x");
	server = rig_take(&rig, listener);
	rig_hear(&rig, server, "x");
}

static void
test_the_backend_refuses(void **state)
{
	(void)state;
	rig_refusing(&dial.to[0]);
	race();
	rig_until(&rig, rig_channel(&rig)->state == CHANNEL_ROUTE);
	rig_say(client, "o");
	server = rig_take(&rig, other_listener);
	rig_hear(&rig, server, "o");
}

static void
test_the_next_address_races(void **state)
{
	(void)state;
	dial.to[1] = dial.to[0];
	rig_refusing(&dial.to[0]);
	dial.n = 2;
	race_connected();
	rig_say(server, "hello");
	rig_hear(&rig, client, "hello");
}

static void
test_the_client_goes(void **state)
{
	(void)state;
	race_connected();
	rig_reset(&client);
	rig_until(&rig, rig_ends.n == 1);
	assert_int_equal(rig_ends.reason, WEIR_R_RESET);
	rig_hear_reset(&rig, server);
}

/* Once a backend is there, the silence of both is that of any channel. */
static void
test_both_are_silent(void **state)
{
	(void)state;
	race_connected();
	rig_advance(&rig, 10000);
	rig_quiet(&rig);
	assert_int_equal(rig_ends.n, 0);
	rig_advance(&rig, 60000);
	rig_until(&rig, rig_ends.n == 1);
	assert_string_equal(rig_ends.facts.detail, "idle_timeout");
}

/* A backend that does not answer is no reason to end: the client has not had
 * its time. */
static void
test_a_connect_that_hangs(void **state)
{
	(void)state;
	dial.to[0].in.sin_port = htons(hole.port);
	race();
	assert_int_equal(rig_channel(&rig)->state, CHANNEL_RACE);
	rig_advance(&rig, 2000);
	rig_until(&rig, rig_channel(&rig)->state == CHANNEL_ROUTE);
	rig_say(client, "o");
	server = rig_take(&rig, other_listener);
	rig_hear(&rig, server, "o");
}

/* Who has spoken already does not race. */
static void
test_no_race_after_a_word(void **state)
{
	(void)state;
	rig_start(&rig);
	client = rig_client(&rig);
	rig_say(client, "x");
	server = rig_take(&rig, listener);
	rig_hear(&rig, server, "x");
	rig_advance(&rig, RACE_AFTER_MS);
	rig_hear_nothing(&rig, server);
}

/* ---- limits -------------------------------------------------------------- */

/* A spare backend that has gone is none. */
static void
test_the_spare_resets(void **state)
{
	(void)state;
	race_connected();
	rig_say(client, "2");
	rig_until(&rig, rig_channel(&rig)->state == CHANNEL_ROUTE);
	rig_reset(&server);
	rig_quiet(&rig);
	rig_say(client, "x");
	server = rig_take(&rig, listener);
	rig_hear(&rig, server, "2x");
}

static void
test_preread_counts_from_the_race(void **state)
{
	(void)state;
	rig.server.preread_timeout_ms = 30000;
	race_connected();
	rig_advance(&rig, 40000);
	rig_say(client, "2");
	rig_until(&rig, rig_channel(&rig)->state == CHANNEL_ROUTE);
	rig_advance(&rig, 20);
	rig_quiet(&rig);
	assert_int_equal(rig_ends.n, 0);
	rig_advance(&rig, 30000);
	rig_until(&rig, rig_ends.n == 1);
}

static struct weir_verdict
ticker_open(struct weir_call *c)
{
	weir_timer(c, 1000);
	return weir_pass(0);
}

/* What else goes on in the channel does not prolong the silence. */
static void
test_silence_has_its_limit(void **state)
{
	static const struct weir_middleware mw_ticker = {
		.name = "ticker", .open = ticker_open, .timer = ticker_open
	};
	int i;

	(void)state;
	rig_add(&rig, &mw_ticker, NULL);
	race_connected();
	for (i = 0; i < 150 && rig_ends.n == 0; i++) {
		rig_advance(&rig, 1000);
		rig_quiet(&rig);
	}
	assert_in_range(i, 58, 62);
}

/* ---- history ------------------------------------------------------------- */

static void
test_a_history_is_logged(void **state)
{
	static const char *const events[] = { "connected frontend",
		"start reading frontend", "connected backend",
		"start reading backend", "read finished frontend",
		"read finished backend", "transport finished", "close frontend",
		"close backend", "cleanup finished" };
	char event[64];
	size_t i;

	(void)state;
	rig.log_least = LOG_LEVEL_DEBUG;
	rig_start(&rig);
	client = rig_client(&rig);
	rig_say(client, "x");
	server = rig_take(&rig, listener);
	rig_hear(&rig, server, "x");
	assert_int_equal(shutdown(client, SHUT_WR), 0);
	rig_hear_end(&rig, server);
	rig_close(&server);
	rig_hear_end(&rig, client);
	rig_until(&rig, rig_ends.n == 1);
	for (i = 0; i < sizeof(events) / sizeof(*events); i++) {
		snprintf(event, sizeof(event), " ms %s", events[i]);
		assert_true(rig_logged(&rig, event));
	}
}

#define race_test(name) cmocka_unit_test_setup_teardown(name, start, stop)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		race_test(test_the_backend_speaks_first),
		race_test(test_the_client_speaks_first),
		race_test(test_both_speak_and_the_client_chooses),
		race_test(test_the_client_chooses_another),
		race_test(test_the_client_is_denied),
		race_test(test_the_client_is_served_here),
		race_test(test_the_client_only_ends),
		race_test(test_the_backend_only_ends),
		race_test(test_the_backend_resets),
		race_test(test_the_backend_refuses),
		race_test(test_the_next_address_races),
		race_test(test_the_client_goes),
		race_test(test_both_are_silent),
		race_test(test_a_connect_that_hangs),
		race_test(test_no_race_after_a_word),
		race_test(test_the_spare_resets),
		race_test(test_preread_counts_from_the_race),
		race_test(test_silence_has_its_limit),
		race_test(test_a_history_is_logged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
