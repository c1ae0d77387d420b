/* test_faults.c - system calls that go wrong: bytes stay right, or one channel
 * ends; the process never does. */
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/daemon.h"
#include "lib/peer.h"
#include "lib/relay.h"

#define PAIRS	   4
#define EACH_BYTES ((uint64_t)2 << 20)
#define SHOWN	   "{ type = \"chop\"; }, { type = \"copy\"; },"

static struct daemon *
start_with_faults(uint16_t backend_port, const char *faults, const char *chain)
{
	struct daemon *d;

	relay_use_trial();
	d = daemon_new();
	daemon_env(d, faults);
	daemon_write(d,
		"process = { workers = 1; };\n"
		"servers = ( { name = \"r\"; listen = \"127.0.0.1:0\";\n"
		"  middlewares = ( %s\n"
		"    { type = \"forward\"; to = \"127.0.0.1:%u\"; },\n"
		"    { type = \"log\"; } ); } );\n",
		chain, backend_port);
	daemon_launch(d);
	return d;
}

static void
pump_init(struct peer_pump *pump, int fd, uint64_t out_seed, uint64_t in_seed)
{
	*pump = (struct peer_pump){ .fd = fd,
		.out_total = EACH_BYTES,
		.in_total = EACH_BYTES,
		.out_fin = true,
		.in_fin = true };
	peer_data_init(&pump->out, out_seed);
	peer_data_init(&pump->in, in_seed);
}

static void
carry_with_faults(const char *faults, const char *chain)
{
	static struct peer_pump pumps[2 * PAIRS];
	uint16_t port;
	int backend = peer_listen(&port);
	struct daemon *d = start_with_faults(port, faults, chain);
	size_t i;

	for (i = 0; i < 2 * PAIRS; i += 2) {
		pump_init(&pumps[i], peer_connect(daemon_port(d, "r", 0)), i,
			i + 1);
		pump_init(&pumps[i + 1], peer_accept(backend), i + 1, i);
	}
	peer_pump(pumps, 2 * PAIRS, DAEMON_MS);
	for (i = 0; i < 2 * PAIRS; i++)
		close(pumps[i].fd);
	for (i = 0; i < PAIRS; i++)
		daemon_wait_log(d, "reason=done", DAEMON_MS);
	close(backend);
	daemon_stop(d);
}

static void
test_interrupted_calls(void **state)
{
	(void)state;
	carry_with_faults("TRIAL_FAULTS=eintr", SHOWN);
}

static void
test_short_writes(void **state)
{
	(void)state;
	carry_with_faults("TRIAL_FAULTS=small", SHOWN);
}

static void
test_no_socket_option_works(void **state)
{
	(void)state;
	carry_with_faults("TRIAL_FAULTS=options", SHOWN);
}

/* The same where no middleware looks. */
static void
test_relay_with_interrupted_calls(void **state)
{
	(void)state;
	carry_with_faults("TRIAL_FAULTS=eintr", "");
}

static void
test_relay_with_short_writes(void **state)
{
	(void)state;
	carry_with_faults("TRIAL_FAULTS=small,eintr", "");
}

/* Each is tried again, and bytes are copied meanwhile. */
static void
test_relay_without_pipes(void **state)
{
	(void)state;
	carry_with_faults("TRIAL_FAULTS=nopipe", "");
}

static void
test_relay_without_splice(void **state)
{
	(void)state;
	carry_with_faults("TRIAL_FAULTS=nosplice", "");
}

/* The kernel lacks memory now and then: channels may end, by a reset. */
static void
test_no_memory_for_writes(void **state)
{
	uint16_t port;
	int backend = peer_listen(&port), i;
	struct daemon *d = start_with_faults(port, "TRIAL_FAULTS=nobufs", "");
	char byte = 'x';
	unsigned ended = 0;

	(void)state;
	for (i = 0; i < 200; i++) {
		int client = peer_connect(daemon_port(d, "r", 0));
		int server = peer_accept(backend);
		struct pollfd p[2] = { { .fd = client, .events = POLLIN },
			{ .fd = server, .events = POLLIN } };

		peer_send_all(client, &byte, 1);
		assert_true(poll(p, 2, DAEMON_MS) > 0);
		if (recv(server, &byte, 1, 0) == 1) {
			peer_abort(client);
			peer_expect_reset(server);
		} else {
			ended++;
			peer_expect_reset(client);
			close(client);
		}
		close(server);
	}
	print_message("# %u of 200 channels found no memory\n", ended);
	assert_in_range(ended, 1, 100);
	close(backend);
	daemon_stop(d);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		daemon_test(test_interrupted_calls),
		daemon_test(test_short_writes),
		daemon_test(test_no_socket_option_works),
		relay_tests(test_relay_with_interrupted_calls),
		relay_tests(test_relay_with_short_writes),
		relay_mode_test(test_relay_without_pipes, spliced),
		relay_mode_test(test_relay_without_splice, spliced),
		relay_tests(test_no_memory_for_writes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
