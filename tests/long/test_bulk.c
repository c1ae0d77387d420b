/* test_bulk.c - what tests/process/test_bulk.c does, and more, until a figure
 * can be trusted: 4 GB, 100,000 channels, 10,000 idle ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/crowd.h"
#include "lib/daemon.h"
#include "lib/idle.h"
#include "lib/peer.h"
#include "lib/plain.h"

#define GB	 ((uint64_t)1 << 30)
#define CHANNELS 4
#define SECONDS	 3600

static void
test_4_gigabytes_both_ways(void **state)
{
	static struct peer_pump pumps[2 * CHANNELS];
	uint16_t port;
	int backend = peer_listen(&port);
	struct daemon *d = plain_forward(1, port);
	unsigned i;

	(void)state;
	daemon_watchdog(SECONDS);
	for (i = 0; i < 2 * CHANNELS; i++) {
		int fd = i % 2 == 0 ? peer_connect(daemon_port(d, "r", 0))
				    : peer_accept(backend);

		pumps[i] = (struct peer_pump){ .fd = fd,
			.out_total = 4 * GB / CHANNELS,
			.in_total = 4 * GB / CHANNELS,
			.out_fin = true,
			.in_fin = true };
		peer_data_init(&pumps[i].out, i);
		peer_data_init(&pumps[i].in, i ^ 1);
	}
	peer_pump(pumps, 2 * CHANNELS, PEER_STALL_MS);
	for (i = 0; i < 2 * CHANNELS; i++)
		close(pumps[i].fd);
	close(backend);
	daemon_stop(d);
}

static void
test_f41_100000_channels(void **state)
{
	uint16_t port;
	int backend = peer_listen(&port);
	struct daemon *d = plain_forward(1, port);

	(void)state;
	daemon_watchdog(SECONDS);
	crowd_run(&(struct crowd){ .port = daemon_port(d, "r", 0),
		.backend = backend,
		.channels = 100000,
		.bytes_log = 16 });
	close(backend);
	daemon_stop(d);
}

static void
test_10000_idle_channels_cost_nothing(void **state)
{
	(void)state;
	idle_cost_nothing(10000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		relay_tests(test_4_gigabytes_both_ways),
		relay_tests(test_f41_100000_channels),
		daemon_test(test_10000_idle_channels_cost_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
