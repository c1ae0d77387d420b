/* test_backend.c - backends that refuse, swallow, miss or come second. */
#include <sys/socket.h>

#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/daemon.h"
#include "lib/hole.h"
#include "lib/net.h"
#include "lib/peer.h"
#include "lib/procs.h"
#include "lib/relay.h"

/* A port that nobody listens on: it was ours a moment ago. */
static uint16_t
port_refused(void)
{
	uint16_t port;

	close(peer_listen(&port));
	return port;
}

/* A weir whose server "r" forwards to a list, the client's first byte being
 * waited for, so that bytes are held while addresses are tried. */
static struct daemon *
start_with_list(const char *list, const char *more)
{
	relay_use_trial();
	return daemon_start("process = { workers = 1; };\n"
			    "servers = ( { name = \"r\";\n"
			    "  listen = \"127.0.0.1:0\"; %s\n"
			    "  middlewares = ( { type = \"gate\"; },\n"
			    "    { type = \"forward\"; to = (%s); },\n"
			    "    { type = \"log\"; } ); } );\n",
		more, list);
}

/* The channel's backend must be nowhere: the client is reset, the log says. */
static void
expect_no_backend(struct daemon *d, int client, const char *why)
{
	char text[128];

	assert_int_equal(peer_expect_reset(client), 0);
	close(client);
	snprintf(text, sizeof(text), "reason=connect by=backend why=\"%s\"",
		why);
	daemon_wait_log(d, text, DAEMON_MS);
}

static void
test_refused(void **state)
{
	char list[64];
	struct daemon *d;
	int client;

	(void)state;
	snprintf(list, sizeof(list), "\"127.0.0.1:%u\"", port_refused());
	d = start_with_list(list, "");
	client = peer_connect(daemon_port(d, "r", 0));
	peer_send_text(client, "g");
	expect_no_backend(d, client, "Connection refused");
	daemon_stop(d);
}

static void
test_black_hole(void **state)
{
	struct hole hole;
	struct daemon *d;
	char list[64];
	int client;

	(void)state;
	hole_dig(&hole);
	snprintf(list, sizeof(list), "\"127.0.0.1:%u\"", hole.port);
	d = start_with_list(list, "connect_timeout = 7;");
	client = peer_connect(daemon_port(d, "r", 0));
	peer_send_text(client, "g");
	daemon_wait_log(d, "ready", DAEMON_MS);
	daemon_clock_advance(d, 6500);
	assert_true(peer_is_silent(client, 200));
	daemon_clock_advance(d, 1000);
	expect_no_backend(d, client, "Connection timed out");
	hole_fill(&hole);
	daemon_stop(d);
}

static void
test_missing_unix_socket(void **state)
{
	struct daemon *d = start_with_list("\"unix:nowhere.sock\"", "");
	int client = peer_connect(daemon_port(d, "r", 0));

	(void)state;
	assert_int_equal(chmod(daemon_dir(d), 0711), 0);
	peer_send_text(client, "g");
	expect_no_backend(d, client, "No such file or directory");
	daemon_stop(d);
}

/* Each bad address, then a good one: what was held goes there, once. */
static void
test_next_address_gets_all_bytes(void **state)
{
	struct hole hole;
	struct daemon *d;
	char list[256];
	int client, server, backend;
	uint16_t port;

	(void)state;
	hole_dig(&hole);
	backend = peer_listen(&port);
	snprintf(list, sizeof(list),
		"\"127.0.0.1:%u\", \"unix:nowhere.sock\","
		" \"127.0.0.1:%u\", \"127.0.0.1:%u\"",
		port_refused(), hole.port, port);
	d = start_with_list(list, "connect_timeout = \"50ms\";");
	client = peer_connect(daemon_port(d, "r", 0));
	peer_send_text(client, "gall of it");
	server = peer_accept(backend);
	peer_expect_text(server, "all of it");
	peer_send_text(client, ", and more");
	peer_expect_text(server, ", and more");
	peer_half_close(client);
	peer_read_eof(server);
	close(server);
	peer_read_eof(client);
	close(client);
	daemon_wait_log(d, "up=20 down=0 ", DAEMON_MS);
	hole_fill(&hole);
	close(backend);
	daemon_stop(d);
}

static void
test_all_addresses_fail(void **state)
{
	struct daemon *d;
	char list[128];
	int client;

	(void)state;
	snprintf(list, sizeof(list), "\"unix:a.sock\", \"127.0.0.1:%u\"",
		port_refused());
	d = start_with_list(list, "");
	client = peer_connect(daemon_port(d, "r", 0));
	peer_send_text(client, "gabc");
	expect_no_backend(d, client, "Connection refused");
	daemon_stop(d);
}

/* A server that accepts and resets at once has accepted: no other is tried. */
static void
test_accepted_and_reset(void **state)
{
	int client, server;
	struct relay r;

	(void)state;
	relay_start(&r, "");
	client = peer_connect(relay_port(&r));
	server = peer_accept(r.backend);
	peer_abort(server);
	peer_expect_reset(client);
	close(client);
	relay_wait_line(&r, "reason=reset by=backend");
	relay_stop(&r);
}

static void
test_source_address(void **state)
{
	struct sockaddr_in from;
	socklen_t len = sizeof(from);
	struct daemon *d;
	int client, server, backend;
	uint16_t port;

	(void)state;
	backend = peer_listen(&port);
	d = daemon_start("process = { workers = 1; };\n"
			 "servers = ( { name = \"r\";"
			 " listen = \"127.0.0.1:0\";"
			 " middlewares = ( { type = \"forward\";"
			 "  to = \"127.0.0.1:%u\";"
			 "  source = \"127.0.0.77:0\"; } ); } );",
		port);
	client = peer_connect(daemon_port(d, "r", 0));
	server = peer_accept(backend);
	assert_int_equal(
		getpeername(server, (struct sockaddr *)&from, &len), 0);
	assert_int_equal(ntohl(from.sin_addr.s_addr), 0x7f00004d);
	close(client);
	close(server);
	close(backend);
	daemon_stop(d);
}

/* Last, with the next: they are in a network without routes. */
static void
test_unreachable(void **state)
{
	struct daemon *d;
	int client;

	(void)state;
	net_make();
	d = start_with_list("\"10.1.2.3:4\", \"[fd00::1]:4\"", "");
	client = peer_connect(daemon_port(d, "r", 0));
	peer_send_text(client, "g");
	assert_int_equal(peer_expect_reset(client), 0);
	close(client);
	daemon_wait_log(d, "10.1.2.3:4 did not accept: Network is unreachable",
		DAEMON_MS);
	daemon_wait_log(d, "reason=connect by=backend", DAEMON_MS);
	daemon_stop(d);
}

/* Only so many connections to one backend can have a port of their own. */
static void
test_no_port_left(void **state)
{
	enum { PORTS = 4, CLIENTS = 8 };
	int clients[CLIENTS], servers[PORTS], backend, i;
	struct daemon *d;
	uint16_t port;

	(void)state;
	backend = peer_listen(&port);
	net_ports(40000, 40000 + PORTS - 1);
	relay_use_trial();
	d = daemon_start("process = { workers = 1; };\n"
			 "servers = ( { name = \"r\"; listen = \"unix:in\";"
			 " middlewares = ( { type = \"forward\";"
			 "  to = \"127.0.0.1:%u\"; }, { type = \"log\"; } );"
			 " } );",
		port);
	for (i = 0; i < CLIENTS; i++)
		clients[i] = peer_connect_unix(daemon_path(d, "in"));
	for (i = 0; i < PORTS; i++)
		servers[i] = peer_accept(backend);
	for (i = PORTS; i < CLIENTS; i++)
		daemon_wait_log(d,
			"reason=connect by=backend why=\"Cannot "
			"assign requested address\"",
			DAEMON_MS);
	/* Those that have one work; its port is free again at once. */
	for (i = 0; i < PORTS; i++)
		peer_abort(servers[i]);
	for (i = 0; i < PORTS; i++)
		daemon_wait_log(d, "reason=reset by=backend", DAEMON_MS);
	for (i = 0; i < CLIENTS; i++)
		close(clients[i]);
	daemon_fds_settle(d);
	clients[0] = peer_connect_unix(daemon_path(d, "in"));
	servers[0] = peer_accept(backend);
	close(clients[0]);
	close(servers[0]);
	close(backend);
	daemon_stop(d);
}

/* Many clients while every backend is down: each is told at once, and nothing
 * is left of them. */
static void
test_all_down_for_many(void **state)
{
	struct daemon *d;
	char list[64];
	int i;

	(void)state;
	snprintf(list, sizeof(list), "\"127.0.0.1:%u\", \"unix:a.sock\"",
		port_refused());
	relay_use_trial();
	d = daemon_start(
		"process = { workers = 1; };\n"
		"log = { level = \"alert\"; };\n"
		"servers = ( { name = \"r\";"
		" listen = \"127.0.0.1:0\";"
		" middlewares = ( { type = \"forward\"; to = (%s); } );"
		" } );",
		list);
	for (i = 0; i < 2000; i++) {
		/* The reset may be there before connect() is. */
		int err = peer_connect_error(daemon_port(d, "r", 0));

		assert_true(err == 0 || err == ECONNRESET);
	}
	daemon_fds_settle(d);
	daemon_stop(d);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		daemon_test(test_refused),
		daemon_test(test_black_hole),
		daemon_test(test_missing_unix_socket),
		daemon_test(test_next_address_gets_all_bytes),
		daemon_test(test_all_addresses_fail),
		daemon_test(test_accepted_and_reset),
		daemon_test(test_source_address),
		daemon_test(test_all_down_for_many),
		daemon_test(test_unreachable),
		daemon_test(test_no_port_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
