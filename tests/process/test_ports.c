/* test_ports.c - local ports run out: those who get none are told so, all
 * others go on.  In a network of its own. */
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/daemon.h"
#include "lib/net.h"
#include "lib/peer.h"
#include "lib/procs.h"

#define FIRST 40000
#define LAST                                                                   \
	40099 /* an even number of ports: kernels leave the odd one out        \
	       */
#define PORTS	(LAST - FIRST + 1)
#define CLIENTS 500
#define FAILED                                                                 \
	"reason=connect by=backend why=\"Cannot assign requested address\""

static int clients[CLIENTS], servers[CLIENTS];

/* Waits until the log has that text so often, and no more often. */
static void
expect_count(struct daemon *d, const char *text, unsigned n)
{
	int64_t end = procs_now() + DAEMON_MS;

	while (daemon_log_count(d, text) < n) {
		assert_true(procs_now() < end);
		poll(NULL, 0, 5);
	}
	assert_int_equal(daemon_log_count(d, text), n);
}

/* Both ends of those that were connected. */
static void
expect_relayed(int backend, unsigned n)
{
	unsigned i;

	for (i = 0; i < n; i++)
		servers[i] = peer_accept(backend);
	assert_true(peer_nobody(backend, 50));
	for (i = 0; i < n; i++)
		peer_send_text(servers[i], "x");
	for (i = 0; i < n; i++)
		peer_expect_text(clients[i], "x");
}

static void
open_clients(struct daemon *d, unsigned n)
{
	unsigned i;

	for (i = 0; i < n; i++)
		clients[i] = peer_connect_unix(daemon_path(d, "in"));
}

/* Resets leave no port behind that waits. */
static void
abort_servers(unsigned n)
{
	unsigned i;

	for (i = 0; i < n; i++)
		peer_abort(servers[i]);
}

static void
close_clients(unsigned n)
{
	unsigned i;

	for (i = 0; i < n; i++)
		close(clients[i]);
}

static struct daemon *
start(uint16_t port, const char *backend)
{
	return daemon_start("process = { workers = 1; };\n"
			    "servers = ( { name = \"r\"; listen = \"unix:in\";"
			    " %s middlewares = ( { type = \"forward\";"
			    "  to = \"127.0.0.1:%u\"; }, { type = \"log\"; } );"
			    " } );",
		backend, port);
}

/* Of 500 clients 100 get a port, the first ones; then, as those have ended,
 * others do. */
static void
try_ports(const char *settings, const char *said, unsigned sources)
{
	unsigned most = sources * PORTS, i;
	struct daemon *d;
	uint16_t port;
	int backend;

	/* A port that none of them would get. */
	net_ports(LAST + 1, LAST + 100);
	backend = peer_listen(&port);
	net_ports(FIRST, LAST);
	d = start(port, settings);
	open_clients(d, CLIENTS);
	expect_count(d, FAILED, CLIENTS - most);
	assert_true(daemon_logged(d, said));
	/* A unix socket knows no reset (unix(7)). */
	for (i = most; i < CLIENTS; i++)
		peer_read_eof(clients[i]);
	expect_relayed(backend, most);
	abort_servers(most);
	expect_count(d, "reason=reset by=backend", most);
	close_clients(CLIENTS);
	daemon_fds_settle(d);
	open_clients(d, most);
	expect_relayed(backend, most);
	assert_int_equal(daemon_log_count(d, FAILED), CLIENTS - most);
	abort_servers(most);
	expect_count(d, "reason=reset by=backend", 2 * most);
	close_clients(most);
	close(backend);
	daemon_stop(d);
}

static void
test_f47_source_ports_run_out(void **state)
{
	(void)state;
	try_ports("",
		": no local port is left (net.ipv4.ip_local_port_range, "
		"source addresses)",
		1);
}

/* Each source address has ports of its own: the next one is tried. */
static void
test_f47_two_sources_have_twice_the_ports(void **state)
{
	(void)state;
	try_ports("backend = { source = [ \"127.0.0.7:0\", \"[::1]:0\", "
		  "\"127.0.0.8:0\" ]; };",
		": no local port is left", 2);
}

static int
setup(void **state)
{
	(void)state;
	net_make();
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		daemon_test(test_f47_source_ports_run_out),
		daemon_test(test_f47_two_sources_have_twice_the_ports),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
