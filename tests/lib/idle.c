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
#define WORKERS	  2 /* one has no descriptors for 10,000 */

static uint64_t
workers_us(struct daemon *d)
{
	return gauge_cpu_us(daemon_worker(d, 0)) +
	       gauge_cpu_us(daemon_worker(d, 1));
}

/* CPU time of the workers in a second. */
static uint64_t
idle_second(struct daemon *d)
{
	uint64_t us = workers_us(d);

	poll(NULL, 0, SECOND_MS);
	us = workers_us(d) - us;
	print_message("# %llu us of CPU in a second\n", (unsigned long long)us);
	return us;
}

/* Sends a byte on each, and has it back. */
static void
ask_all(const int *clients, unsigned n, const char *byte)
{
	unsigned i;

	for (i = 0; i < n; i++) {
		peer_send_text(clients[i], byte);
		peer_expect_text(clients[i], byte);
	}
}

void
idle_cost_nothing(unsigned channels)
{
	int *clients = calloc(channels, sizeof(*clients));
	uint64_t us = UINT64_MAX;
	struct daemon *d, *backend;
	struct rlimit limit;
	unsigned i;

	assert_non_null(clients);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = limit.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	assert_true(limit.rlim_cur >= channels + OTHERS);
	backend = plain_start("{ type = \"echo\"; }");
	d = plain_forward(WORKERS, daemon_port(backend, "r", 0));
	for (i = 0; i < channels; i++) {
		clients[i] = peer_connect(daemon_port(d, "r", 0));
		ask_all(&clients[i], 1, "x");
	}
	for (i = 0; i < ROUNDS && us >= MOST_US; i++)
		us = idle_second(d);
	assert_in_range(us, 0, MOST_US - 1);
	ask_all(clients, channels, "y");
	for (i = 0; i < channels; i++)
		close(clients[i]);
	free(clients);
	daemon_stop(d);
	daemon_stop(backend);
}
