/* test_contract.c - what a running weir tells its middlewares: start, events,
 * time for their closes; and a race for the first byte. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/daemon.h"
#include "lib/peer.h"
#include "lib/procs.h"
#include "lib/relay.h"

#define CLOSE_MS 400

static void
test_drain_is_told_and_closes_have_time(void **state)
{
	struct relay r;
	int client, server;
	int64_t start;

	(void)state;
	relay_start(&r, "{ type = \"heed\"; close = \"400ms\"; },");
	relay_join(&r, &client, &server);
	daemon_signal(r.d, SIGQUIT);
	peer_expect_text(client, "drain");
	start = procs_now();
	close(client);
	close(server);
	relay_wait_line(&r, "its close is called");
	daemon_finish(r.d, 0);
	assert_true(procs_now() - start >= CLOSE_MS);
	close(r.backend);
}

/* close_wait ends the wait of a close, too. */
static void
test_closes_have_no_more_than_close_wait(void **state)
{
	struct relay r;
	int client, server;
	int64_t start;

	(void)state;
	relay_start_with(
		&r, "{ type = \"heed\"; close = \"1h\"; },", "close_wait = 1;");
	relay_join(&r, &client, &server);
	close(client);
	close(server);
	relay_wait_line(&r, "its close is called");
	start = procs_now();
	daemon_signal(r.d, SIGQUIT);
	daemon_finish(r.d, 0);
	assert_in_range(procs_now() - start, 0, 2500);
	close(r.backend);
}

static void
test_a_stop_gives_no_time(void **state)
{
	struct relay r;
	int client[2], server[2];
	int64_t start;

	(void)state;
	relay_start(&r, "{ type = \"heed\"; close = \"1h\"; },");
	relay_join(&r, &client[0], &server[0]);
	relay_join(&r, &client[1], &server[1]);
	close(client[0]);
	close(server[0]);
	relay_wait_line(&r, "its close is called");
	start = procs_now();
	daemon_signal(r.d, SIGTERM);
	relay_wait_line(&r, "its close is called");
	daemon_finish(r.d, 0);
	assert_in_range(procs_now() - start, 0, 1500);
	peer_expect_reset(client[1]);
	close(client[1]);
	close(server[1]);
	close(r.backend);
}

static void
test_a_middleware_that_cannot_start(void **state)
{
	char *out;

	(void)state;
	relay_use_trial();
	out = daemon_start_fails(
		"process = { workers = 1; };\n"
		"servers = ( { name = \"s\"; listen = \"127.0.0.1:0\";\n"
		"  middlewares = ( { type = \"heed\"; lame = true; } ); } );");
	assert_non_null(strstr(
		out, "s/heed: cannot start: Required key not available"));
	free(out);
}

/* ---- first_byte ---------------------------------------------------------- */

/* One whose chain wants a client byte, 'g', before it forwards. */
static void
race_start(struct relay *r)
{
	relay_use_trial();
	r->backend = peer_listen(&r->backend_port);
	r->d = daemon_start("process = { workers = 1; };\n"
			    "log = { level = \"debug\"; };\n"
			    "servers = ( { name = \"r\";\n"
			    "  listen = \"127.0.0.1:0\";\n"
			    "  middlewares = ( { type = \"gate\"; },\n"
			    "    { type = \"forward\"; first_byte = \"race\";"
			    " race_after = \"200ms\";"
			    " to = \"127.0.0.1:%u\"; } ); } );\n",
		r->backend_port);
}

static void
test_a_silent_client_hears_the_backend(void **state)
{
	struct relay r;
	int client, server;

	(void)state;
	race_start(&r);
	client = peer_connect(relay_port(&r));
	server = peer_accept(r.backend);
	peer_send_text(server, "220 mail\r\n");
	peer_expect_text(client, "220 mail\r\n");
	relay_wait_line(&r, "race -> joined");
	close(client);
	close(server);
	relay_wait_line(&r, "history: ");
	relay_stop(&r);
}

static void
test_a_client_may_speak_after_the_race_began(void **state)
{
	struct relay r;
	int client, server;

	(void)state;
	race_start(&r);
	client = peer_connect(relay_port(&r));
	server = peer_accept(r.backend);
	peer_send_text(client, "ghello");
	peer_expect_text(server, "hello");
	peer_send_text(server, "you");
	peer_expect_text(client, "you");
	relay_wait_line(&r, "race -> route");
	close(client);
	close(server);
	relay_stop(&r);
}

static void
test_a_client_that_is_refused_in_a_race(void **state)
{
	struct relay r;
	int client, server;

	(void)state;
	race_start(&r);
	client = peer_connect(relay_port(&r));
	server = peer_accept(r.backend);
	peer_send_text(client, "x");
	peer_expect_text(client, "no\n");
	peer_read_eof(client);
	peer_expect_reset(server);
	close(client);
	close(server);
	relay_stop(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		daemon_test(test_drain_is_told_and_closes_have_time),
		daemon_test(test_closes_have_no_more_than_close_wait),
		daemon_test(test_a_stop_gives_no_time),
		daemon_test(test_a_middleware_that_cannot_start),
		daemon_test(test_a_silent_client_hears_the_backend),
		daemon_test(test_a_client_may_speak_after_the_race_began),
		daemon_test(test_a_client_that_is_refused_in_a_race),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
