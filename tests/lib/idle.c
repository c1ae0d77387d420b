/* idle.c - channels on which nothing happens. */
#include <sys/resource.h>

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/daemon.h"
#include "lib/gauge.h"
#include "lib/idle.h"
#include "lib/peer.h"
#include "lib/plain.h"

#define SECOND_MS 1000
#define MOST_US	  1000
#define OTHERS	  1000
#define ROUNDS	  5 /* one of them without anything of the opening */

struct idle {
	int client, server;
};

/* CPU time of the worker in a second. */
static uint64_t
idle_second(struct daemon *d)
{
	uint64_t us = gauge_cpu_us(daemon_worker(d, 0));

	poll(NULL, 0, SECOND_MS);
	us = gauge_cpu_us(daemon_worker(d, 0)) - us;
	print_message("# %llu us of CPU in a second\n", (unsigned long long)us);
	return us;
}

void
idle_cost_nothing(unsigned channels)
{
	struct idle *all = calloc(channels, sizeof(*all));
	uint64_t us = UINT64_MAX;
	struct rlimit limit;
	struct daemon *d;
	uint16_t port;
	int backend = peer_listen(&port);
	unsigned i;

	assert_non_null(all);
	/* Two for each, here and in the worker, and some for others. */
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = limit.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	assert_true(limit.rlim_cur >= 2 * channels + OTHERS);
	d = plain_forward(port);
	for (i = 0; i < channels; i++) {
		all[i].client = peer_connect(daemon_port(d, "r", 0));
		peer_send_text(all[i].client, "x");
		all[i].server = peer_accept(backend);
		peer_expect_text(all[i].server, "x");
	}
	for (i = 0; i < ROUNDS && us >= MOST_US; i++)
		us = idle_second(d);
	assert_in_range(us, 0, MOST_US - 1);
	for (i = 0; i < channels; i++) {
		peer_send_text(all[i].server, "y");
		peer_expect_text(all[i].client, "y");
	}
	for (i = 0; i < channels; i++) {
		close(all[i].client);
		close(all[i].server);
	}
	close(backend);
	free(all);
	daemon_stop(d);
}
