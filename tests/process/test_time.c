/* test_time.c - clients and servers that take their time: each limit ends its
 * channel when it should, and not before.  The clock is moved, nobody waits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/daemon.h"
#include "lib/peer.h"
#include "lib/relay.h"

#define SOON_MS 150 /* real time in which nothing may come */

/* Nothing happens just before the limit, a reset just after it. */
static void
expect_limit(struct relay *r, int client, int64_t limit_ms, const char *word)
{
	daemon_clock_advance(r->d, limit_ms - 1000);
	assert_true(peer_is_silent(client, SOON_MS));
	daemon_clock_advance(r->d, 1500);
	assert_int_equal(peer_expect_reset(client), 0);
	relay_wait_line(r, "reason=timeout by=weir why=\"%s\"", word);
}

/* A client of a channel that has come to that state. */
static int
client_in(struct relay *r, const char *state)
{
	int client = peer_connect(relay_port(r));

	relay_wait_line(r, "-> %s", state);
	return client;
}

static void
test_dumb_client(void **state)
{
	struct relay r;
	int client;

	(void)state;
	relay_start_with(&r, "{ type = \"gate\"; },",
		"dumb_connect_timeout = 5; preread_timeout = 60;");
	client = client_in(&r, "route");
	expect_limit(&r, client, 5000, "dumb_connect_timeout");
	close(client);
	relay_stop(&r);
}

static void
test_dumb_client_may_be_allowed(void **state)
{
	struct relay r;
	int client, server;

	(void)state;
	relay_start_with(&r, "{ type = \"gate\"; },",
		"dumb_connect_timeout = \"off\"; preread_timeout = 60;");
	client = client_in(&r, "route");
	daemon_clock_advance(r.d, 59000);
	assert_true(peer_is_silent(client, SOON_MS));
	peer_send_text(client, "gx");
	server = peer_accept(r.backend);
	peer_expect_text(server, "x");
	close(client);
	close(server);
	relay_stop(&r);
}

static void
test_preread_timeout(void **state)
{
	struct relay r;
	int client;

	(void)state;
	relay_start_with(&r, "{ type = \"gate\"; },",
		"dumb_connect_timeout = \"off\"; preread_timeout = 20;");
	client = client_in(&r, "route");
	expect_limit(&r, client, 20000, "preread_timeout");
	close(client);
	relay_stop(&r);
}

/* A byte now and then, each just before the limit, keeps a channel. */
static void
test_drip_client(void **state)
{
	struct relay r;
	int client, server, i;

	(void)state;
	relay_start_with(&r, "", "idle_timeout = 10;");
	client = client_in(&r, "joined");
	server = peer_accept(r.backend);
	for (i = 0; i < 10; i++) {
		daemon_clock_advance(r.d, 9000);
		peer_send_text(i % 2 ? client : server, "x");
		peer_expect_text(i % 2 ? server : client, "x");
	}
	expect_limit(&r, client, 10000, "idle_timeout");
	assert_int_equal(peer_expect_reset(server), 0);
	close(client);
	close(server);
	relay_stop(&r);
}

static void
test_idle_timeout_off(void **state)
{
	struct relay r;
	int client, server;

	(void)state;
	relay_start_with(&r, "", "idle_timeout = \"off\";");
	client = client_in(&r, "joined");
	server = peer_accept(r.backend);
	daemon_clock_advance(r.d, INT64_C(1000) * 86400 * 365);
	assert_true(peer_is_silent(client, SOON_MS));
	peer_send_text(client, "still here");
	peer_expect_text(server, "still here");
	close(client);
	close(server);
	relay_stop(&r);
}

/* The other direction lives on, under a limit of its own. */
static void
half_closed(bool by_client)
{
	struct relay r;
	int client, server, first, other;

	relay_start_with(
		&r, "", "idle_timeout = 100; half_close_timeout = 10;");
	client = client_in(&r, "joined");
	server = peer_accept(r.backend);
	first = by_client ? client : server;
	other = by_client ? server : client;
	peer_half_close(first);
	peer_read_eof(other);
	relay_wait_line(&r, "ended -> shut");
	daemon_clock_advance(r.d, 9000);
	peer_send_text(other, "x");
	peer_expect_text(first, "x");
	daemon_clock_advance(r.d, 9000);
	peer_send_text(other, "y");
	peer_expect_text(first, "y");
	expect_limit(&r, first, 10000, "half_close_timeout");
	close(client);
	close(server);
	relay_stop(&r);
}

static void
test_half_closed_idle(void **state)
{
	(void)state;
	half_closed(true);
	half_closed(false);
}

static void
test_session_timeout(void **state)
{
	struct relay r;
	int client, server, i;

	(void)state;
	relay_start_with(&r, "", "session_timeout = 60;");
	client = client_in(&r, "joined");
	server = peer_accept(r.backend);
	for (i = 0; i < 5; i++) {
		daemon_clock_advance(r.d, 10000);
		peer_send_text(client, "x");
		peer_expect_text(server, "x");
	}
	expect_limit(&r, client, 10000, "session_timeout");
	close(client);
	close(server);
	relay_stop(&r);
}

/* A client that does not read what weir has to say at the end. */
static void
test_linger_ends(void **state)
{
	struct relay r;
	int client;

	(void)state;
	relay_start(&r, "{ type = \"deny\"; },");
	client = peer_connect(relay_port(&r));
	relay_wait_line(&r, "open -> closing");
	daemon_clock_advance(r.d, 2500);
	relay_wait_line(&r, "reason=denied by=weir why=\"deny\"");
	close(client);
	relay_stop(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		daemon_test(test_dumb_client),
		daemon_test(test_dumb_client_may_be_allowed),
		daemon_test(test_preread_timeout),
		daemon_test(test_drip_client),
		daemon_test(test_idle_timeout_off),
		daemon_test(test_half_closed_idle),
		daemon_test(test_session_timeout),
		daemon_test(test_linger_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
