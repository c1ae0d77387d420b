/* test_full.c - workers that can have no more channels: nobody is refused, and
 * nobody is lost. */
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/daemon.h"
#include "lib/peer.h"
#include "lib/procs.h"

#define CONF(settings, listen)                                                 \
	"process = { " settings " };\n"                                        \
	"servers = ( { name = \"r\"; listen = " listen ";\n"                   \
	"  middlewares = \"echo\"; } );\n"
#define SHARED "( { address = \"127.0.0.1:0\"; reuseport = true; } )"

static void
test_a_limit_of_channels(void **state)
{
	struct daemon *d = daemon_start(
		CONF("workers = 2; worker_channels = 3;", "\"127.0.0.1:0\""));
	int fds[10], served = 0, i;
	struct pollfd p[10];

	(void)state;
	for (i = 0; i < 10; i++) {
		fds[i] = peer_connect(daemon_port(d, "r", 0));
		peer_send_text(fds[i], "a");
		p[i] = (struct pollfd){ .fd = fds[i], .events = POLLIN };
	}
	daemon_wait_log(d, "process.worker_channels is reached", DAEMON_MS);
	/* As each one that is served leaves, another one is. */
	while (served < 10) {
		assert_true(poll(p, 10, DAEMON_MS) > 0);
		for (i = 0; i < 10; i++)
			if (p[i].fd != -1 && p[i].revents != 0)
				break;
		peer_expect_text(fds[i], "a");
		close(fds[i]);
		p[i].fd = -1;
		served++;
	}
	daemon_stop(d);
}

/* Who waits at an address that is dropped is served, over the limit. */
static void
test_a_limit_at_a_dropped_address(void **state)
{
	struct daemon *d =
		daemon_start(CONF("workers = 1; worker_channels = 2;",
			"( \"127.0.0.1:0\", \"[::1]:0\" )"));
	int fds[6], i;

	(void)state;
	for (i = 0; i < 6; i++) {
		fds[i] = peer_connect(daemon_port(d, "r", 0));
		peer_send_text(fds[i], "a");
	}
	daemon_wait_log(d, "process.worker_channels is reached", DAEMON_MS);
	daemon_write(d, CONF("workers = 1; worker_channels = 2;",
				"( \"[::1]:0\", \"127.0.0.2:0\" )"));
	daemon_signal(d, SIGHUP);
	for (i = 0; i < 6; i++) {
		peer_expect_text(fds[i], "a");
		close(fds[i]);
	}
	daemon_stop(d);
}

/* Nor is anybody lost there when descriptors lack. */
static void
test_a_dropped_address_without_descriptors(void **state)
{
	struct daemon *d = daemon_start(CONF("workers = 1; nofile = 64;",
		"( \"127.0.0.1:0\", \"[::1]:0\" )"));
	struct pollfd p[60];
	unsigned served = 0;
	int i;

	(void)state;
	for (i = 0; i < 60; i++) {
		p[i] = (struct pollfd){ .fd = peer_connect(
						daemon_port(d, "r", 0)),
			.events = POLLIN };
		peer_send_text(p[i].fd, "a");
	}
	daemon_wait_log(d, "accepting pauses", DAEMON_MS);
	daemon_write(d, CONF("workers = 1; nofile = 64;",
				"( \"[::1]:0\", \"127.0.0.2:0\" )"));
	daemon_signal(d, SIGHUP);
	daemon_wait_log(d, "ready gen=2", DAEMON_MS);
	while (served < 60) {
		assert_true(poll(p, 60, DAEMON_MS) > 0);
		for (i = 0; p[i].fd == -1 || p[i].revents == 0; i++)
			assert_true(i < 59);
		peer_expect_text(p[i].fd, "a");
		close(p[i].fd);
		p[i].fd = -1;
		served++;
	}
	daemon_wait_log(d, "generation 1 is gone", DAEMON_MS);
	daemon_stop(d);
}

/* A full worker does not leave those who are in its own queue: nobody is
 * refused, and each is served when there is room. */
static void
test_a_limit_of_channels_and_own_sockets(void **state)
{
	struct daemon *d =
		daemon_start(CONF("workers = 3; worker_channels = 3;", SHARED));
	int fds[60], served = 0, n, i;
	struct pollfd p[60];

	(void)state;
	for (i = 0; i < 60; i++) {
		fds[i] = peer_connect(daemon_port(d, "r", 0));
		peer_send_text(fds[i], "a");
		p[i] = (struct pollfd){ .fd = fds[i], .events = POLLIN };
	}
	daemon_wait_log(d, "process.worker_channels is reached", DAEMON_MS);
	while (served < 60) {
		n = poll(p, 60, DAEMON_MS);
		assert_true(n > 0);
		/* Three of each worker at most, before one of them leaves. */
		if (served == 0)
			assert_true(n <= 9);
		for (i = 0; i < 60; i++) {
			if (p[i].fd == -1 || p[i].revents == 0)
				continue;
			peer_expect_text(fds[i], "a");
			close(fds[i]);
			p[i].fd = -1;
			served++;
		}
	}
	daemon_stop(d);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		daemon_test(test_a_limit_of_channels),
		daemon_test(test_a_limit_at_a_dropped_address),
		daemon_test(test_a_dropped_address_without_descriptors),
		daemon_test(test_a_limit_of_channels_and_own_sockets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
