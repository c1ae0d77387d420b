/* test_states.c - a side that leaves in the middle of every state costs only
 * its own channel. */
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/daemon.h"
#include "lib/hole.h"
#include "lib/peer.h"
#include "lib/relay.h"

/* The worker must have gone back to what it held before, and must serve. */
static void
expect_well(struct relay *r, const char *first)
{
	int client, server;

	daemon_fds_settle(r->d);
	client = peer_connect(relay_port(r));
	peer_send_text(client, first);
	server = peer_accept(r->backend);
	peer_send_text(server, "well");
	peer_expect_text(client, "well");
	close(client);
	close(server);
	relay_wait_line(r, "reason=");
}

static void
test_client_leaves_while_routing(void **state)
{
	struct relay r;
	int client;

	(void)state;
	relay_start(&r, "{ type = \"gate\"; },");
	client = peer_connect(relay_port(&r));
	relay_wait_line(&r, "open -> route");
	peer_half_close(client);
	peer_expect_text(client, "no\n");
	peer_read_eof(client);
	close(client);
	relay_wait_line(&r, "reason=protocol by=weir why=\"gate\"");

	client = peer_connect(relay_port(&r));
	relay_wait_line(&r, "open -> route");
	peer_abort(client);
	relay_wait_line(&r, "reason=reset by=client");
	expect_well(&r, "g");
	relay_stop(&r);
}

static void
test_client_leaves_while_connecting(void **state)
{
	struct hole hole;
	struct daemon *d;
	int client;

	(void)state;
	hole_dig(&hole);
	relay_use_trial();
	d = daemon_start("process = { workers = 1; };\n"
			 "log = { level = \"debug\"; };\n"
			 "servers = ( { name = \"r\";"
			 " listen = \"127.0.0.1:0\";"
			 " middlewares = ( { type = \"forward\";"
			 "  to = \"127.0.0.1:%u\"; }, { type = \"log\"; } );"
			 " } );",
		hole.port);
	client = peer_connect(daemon_port(d, "r", 0));
	daemon_wait_log(d, "route -> connect", DAEMON_MS);
	peer_send_text(client, "never read");
	peer_abort(client);
	daemon_wait_log(d, "reason=reset by=client", DAEMON_MS);

	/* A client that only ends may still want the answer. */
	client = peer_connect(daemon_port(d, "r", 0));
	daemon_wait_log(d, "route -> connect", DAEMON_MS);
	peer_half_close(client);
	assert_true(peer_is_silent(client, 100));
	daemon_clock_advance(d, 11000);
	assert_int_equal(peer_expect_reset(client), 0);
	close(client);
	daemon_wait_log(d, "reason=connect by=backend", DAEMON_MS);
	daemon_fds_settle(d);
	hole_fill(&hole);
	daemon_stop(d);
}

/* A reset shows as such on a socket that may have seen FIN before. */
static void
expect_broken(int fd)
{
	struct pollfd p = { .fd = fd };

	assert_int_equal(poll(&p, 1, DAEMON_MS), 1);
	assert_true(p.revents & POLLERR);
}

static void
test_either_side_resets_a_half_closed_channel(void **state)
{
	struct relay r;
	int i;

	(void)state;
	relay_start(&r, "");
	for (i = 0; i < 4; i++) {
		int client, server, ended, other;

		relay_join(&r, &client, &server);
		ended = i & 1 ? client : server;
		other = i & 1 ? server : client;
		peer_half_close(ended);
		peer_read_eof(other);
		peer_abort(i & 2 ? ended : other);
		expect_broken(i & 2 ? other : ended);
		close(i & 2 ? other : ended);
		relay_wait_line(&r, "reason=reset by=%s",
			(i & 1) == (i >> 1) ? "client" : "backend");
	}
	expect_well(&r, "");
	relay_stop(&r);
}

static void
test_client_leaves_a_refusal(void **state)
{
	struct daemon *d;
	int client;

	(void)state;
	relay_use_trial();
	d = daemon_start("process = { workers = 1; };\n"
			 "servers = ( { name = \"r\";"
			 " listen = \"127.0.0.1:0\";"
			 " middlewares = ( { type = \"deny\"; },"
			 "  { type = \"log\"; } ); } );");
	client = peer_connect(daemon_port(d, "r", 0));
	peer_abort(client);
	daemon_wait_log(d, "reason=denied", DAEMON_MS);
	client = peer_connect(daemon_port(d, "r", 0));
	peer_half_close(client);
	assert_int_equal(peer_read_to_eof(client, NULL, 0), 4096);
	close(client);
	daemon_wait_log(d, "reason=denied", DAEMON_MS);
	daemon_fds_settle(d);
	daemon_stop(d);
}

/* The whole refusal is read, whatever the client sends meanwhile. */
static void
test_refusal_outlives_what_is_sent(void **state)
{
	static char data[200000];
	struct daemon *d;
	int i;

	(void)state;
	relay_use_trial();
	d = daemon_start("process = { workers = 1; };\n"
			 "servers = ( { name = \"r\";"
			 " listen = \"127.0.0.1:0\";"
			 " middlewares = ( { type = \"deny\"; } ); } );");
	for (i = 0; i < 100; i++) {
		int client = peer_connect(daemon_port(d, "r", 0));

		peer_send_all(client, data, 60000);
		assert_int_equal(peer_read_to_eof(client, NULL, 0), 4096);
		close(client);
	}
	daemon_fds_settle(d);
	daemon_stop(d);
}

static void
test_refusal_in_the_middle(void **state)
{
	struct relay r;
	int client, server;

	(void)state;
	relay_start(&r, "{ type = \"word\"; },");
	relay_join(&r, &client, &server);
	peer_send_text(client, "a");
	peer_expect_text(server, "a");
	peer_send_text(server, "some, then ");
	peer_expect_text(client, "some, then ");
	peer_send_text(client, "q");
	peer_expect_text(client, "bye\n");
	peer_read_eof(client);
	close(client);
	peer_expect_reset(server);
	close(server);
	relay_wait_line(&r, "reason=denied by=weir why=\"word\"");
	expect_well(&r, "");
	relay_stop(&r);
}

static void
test_breach_ends_one_channel(void **state)
{
	struct relay r;
	int client, server, other, other_server;

	(void)state;
	relay_start(&r, "{ type = \"word\"; },");
	daemon_expect_alert(r.d, "broke its contract");
	relay_join(&r, &other, &other_server);
	relay_join(&r, &client, &server);
	peer_send_text(client, "b");
	peer_expect_reset(client);
	peer_expect_reset(server);
	close(client);
	close(server);
	relay_wait_line(&r, "reason=bug by=weir "
			    "why=\"judged more bytes than it was shown\"");
	peer_send_text(other, "a");
	peer_expect_text(other_server, "a");
	close(other);
	close(other_server);
	relay_stop(&r);
}

/* In a build with sanitizers the worker goes with it, so that nobody can
 * overlook it; a new one takes its place. */
static void
test_held_call_that_has_emitted(void **state)
{
	struct relay r;
	int client, server;

	(void)state;
	relay_start(&r, "{ type = \"word\"; },");
	daemon_expect_alert(r.d, "broke its contract");
#ifdef WEIR_DEBUG
	daemon_expect_alert(r.d, "was killed by signal 6");
#endif
	relay_join(&r, &client, &server);
	peer_send_text(client, "h");
	relay_wait_line(
		&r, "r/word: #1: broke its contract: holds bytes after it");
#ifdef WEIR_DEBUG
	relay_wait_line(&r, "was killed by signal 6");
#else
	relay_wait_line(&r, "reason=bug by=weir why=\"holds bytes after it");
#endif
	close(client);
	close(server);
	relay_join(&r, &client, &server);
	peer_send_text(client, "a");
	peer_expect_text(server, "a");
	close(client);
	close(server);
	relay_stop(&r);
}

/* A reset waits for bytes that the other side does not take: it may wait for
 * a second; the other side may itself be gone before. */
static void
test_reset_towards_a_side_that_does_not_read(void **state)
{
	struct relay r;
	int client, server;

	(void)state;
	relay_start(&r, "");
	relay_join(&r, &client, &server);
	assert_true(peer_send_until_full(server, 1 << 30, 200) > 0);
	peer_abort(server);
	daemon_clock_advance(r.d, 1500);
	relay_wait_line(&r, "reason=reset by=backend");
	assert_true(peer_expect_reset(client) > 0);
	close(client);

	relay_join(&r, &client, &server);
	assert_true(peer_send_until_full(server, 1 << 30, 200) > 0);
	peer_abort(server);
	peer_abort(client);
	relay_wait_line(&r, "reason=reset by=");
	expect_well(&r, "");
	relay_stop(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		relay_tests(test_client_leaves_while_routing),
		daemon_test(test_client_leaves_while_connecting),
		relay_tests(test_either_side_resets_a_half_closed_channel),
		daemon_test(test_client_leaves_a_refusal),
		daemon_test(test_refusal_outlives_what_is_sent),
		relay_tests(test_refusal_in_the_middle),
		relay_tests(test_breach_ends_one_channel),
		relay_tests(test_held_call_that_has_emitted),
		relay_tests(test_reset_towards_a_side_that_does_not_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
