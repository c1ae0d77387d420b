/* test_segments.c - small segments, however bytes are moved.  In a network of
 * its own, where TCP really makes them so small. */
#include <sys/socket.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/daemon.h"
#include "lib/net.h"
#include "lib/peer.h"
#include "lib/procs.h"
#include "lib/relay.h"

#define MB	 ((uint64_t)1 << 20)
#define SEGMENT	 536 /* the least that everybody must take (RFC 9293, 3.7.1) */
#define TINY	 32
#define SEGMENTS 600 /* more than slots of a pipe (pipe(7)): 256 */

static void
set_segments(int fd)
{
	static const int one = 1;
	int mss;
	socklen_t len = sizeof(mss);

	assert_int_equal(
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)), 0);
	assert_int_equal(
		getsockopt(fd, IPPROTO_TCP, TCP_MAXSEG, &mss, &len), 0);
	assert_in_range(mss, SEGMENT - 12, SEGMENT); /* less its options */
}

/* A stopped worker finds many small segments at once, and nothing will tell it
 * of them a second time: they fit into its socket. */
static void
find_segments(struct relay *r, int from, int to, int aside)
{
	struct peer_data out = { .seed = 1 }, in = { .seed = 1 };
	uint8_t p[TINY];
	int i;

	kill(daemon_worker(r->d, 0), SIGSTOP);
	for (i = 0; i < SEGMENTS; i++) {
		peer_data_make(&out, p, sizeof(p));
		assert_int_equal(send(from, p, sizeof(p), 0), sizeof(p));
		/* Else the kernel has them in one piece of memory. */
		assert_int_equal(send(aside, p, sizeof(p), 0), sizeof(p));
	}
	while (relay_unacked(from) > 0)
		poll(NULL, 0, 1);
	kill(daemon_worker(r->d, 0), SIGCONT);
	for (i = 0; i < SEGMENTS; i++) {
		peer_read_exact(to, p, sizeof(p));
		peer_data_check(&in, p, sizeof(p));
	}
}

/* Both sides send small segments, and read slowly: a pipe has its slots full
 * again and again, with most of its bytes free. */
static void
carry_segments(struct relay *r, int client, int server)
{
	static struct peer_pump pumps[2];
	int i;

	pumps[0].fd = client;
	pumps[1].fd = server;
	for (i = 0; i < 2; i++) {
		pumps[i] = (struct peer_pump){ .fd = pumps[i].fd,
			.out_total = 3 * MB,
			.in_total = 3 * MB,
			.out_most = SEGMENT,
			.in_most = 3 * SEGMENT,
			.out_fin = true,
			.in_fin = true };
		peer_data_init(&pumps[i].out, (uint64_t)i);
		peer_data_init(&pumps[i].in, (uint64_t)!i);
	}
	peer_pump(pumps, 2, PEER_STALL_MS);
	for (i = 0; i < 2; i++)
		close(pumps[i].fd);
	relay_wait_line(r, "reason=done");
}

static void
test_f41_small_segments_fill_a_pipe(void **state)
{
	int client, server, aside[2];
	struct relay r;

	(void)state;
	relay_start(&r, "");
	relay_direct(&r, &aside[0], &aside[1]);
	set_segments(r.backend);
	relay_join(&r, &client, &server);
	set_segments(client);
	peer_send_text(client, "x"); /* it is joined from here on */
	peer_expect_text(server, "x");
	find_segments(&r, client, server, aside[0]);
	find_segments(&r, server, client, aside[1]);
	carry_segments(&r, client, server);
	close(aside[0]);
	close(aside[1]);
	relay_stop(&r);
}

static int
setup(void **state)
{
	(void)state;
	net_make();
	net_segments(SEGMENT);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		relay_tests(test_f41_small_segments_fill_a_pipe),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
