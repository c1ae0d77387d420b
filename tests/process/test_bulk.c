/* test_bulk.c - much traffic, however bytes are moved: in small segments, by
 * small reads, among channels that break off. */
#include <sys/socket.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/crowd.h"
#include "lib/daemon.h"
#include "lib/peer.h"
#include "lib/procs.h"
#include "lib/relay.h"

#define MB	((uint64_t)1 << 20)
#define SEGMENT 536

/* ---- small segments ------------------------------------------------------ */

static void
set_segments(int fd)
{
	static const int size = SEGMENT, one = 1;

	assert_int_equal(
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)), 0);
	assert_int_equal(
		setsockopt(fd, IPPROTO_TCP, TCP_MAXSEG, &size, sizeof(size)),
		0);
}

/* Both sides send small segments, and read slowly: a pipe has its slots full
 * again and again, with most of its bytes free. */
static void
test_f41_small_segments_fill_a_pipe(void **state)
{
	static struct peer_pump pumps[2];
	struct relay r;
	int i;

	(void)state;
	relay_start(&r, "");
	set_segments(r.backend);
	relay_join(&r, &pumps[0].fd, &pumps[1].fd);
	for (i = 0; i < 2; i++) {
		set_segments(pumps[i].fd);
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
	relay_wait_line(&r, "up=%llu down=%llu ", (unsigned long long)(3 * MB),
		(unsigned long long)(3 * MB));
	relay_stop(&r);
}

/* ---- channels among others ----------------------------------------------- */

static void
test_f41_no_byte_is_anothers(void **state)
{
	struct relay r;

	(void)state;
	relay_start(&r, "");
	crowd_run(&(struct crowd){ .port = relay_port(&r),
		.backend = r.backend,
		.channels = 800,
		.bytes_log = 18 });
	relay_stop(&r); /* its descriptors are as many as before */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		relay_tests(test_f41_small_segments_fill_a_pipe),
		relay_tests(test_f41_no_byte_is_anothers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
