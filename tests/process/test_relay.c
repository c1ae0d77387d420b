/* test_relay.c - bytes, ends and resets go through like without weir. */
#include <sys/socket.h>

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/daemon.h"
#include "lib/peer.h"
#include "lib/procs.h"
#include "lib/relay.h"

#define MB	 ((uint64_t)1 << 20)
#define CHANNELS 8

/* ---- many bytes, both ways, on several channels at once ------------------ */

static void
pump_init(struct peer_pump *pump, int fd, uint64_t out_seed, uint64_t in_seed,
	uint64_t bytes)
{
	*pump = (struct peer_pump){ .fd = fd,
		.out_total = bytes,
		.in_total = bytes,
		.out_fin = true,
		.in_fin = true };
	peer_data_init(&pump->out, out_seed);
	peer_data_init(&pump->in, in_seed);
}

static void
carry(const char *chain, uint64_t bytes)
{
	static struct peer_pump pumps[2 * CHANNELS];
	uint64_t each = bytes / CHANNELS;
	struct relay r;
	size_t i;

	relay_start(&r, chain);
	for (i = 0; i < 2 * CHANNELS; i += 2) {
		int client, server;

		relay_join(&r, &client, &server);
		pump_init(&pumps[i], client, i, i + 1, each);
		pump_init(&pumps[i + 1], server, i + 1, i, each);
	}
	peer_pump(pumps, 2 * CHANNELS, PEER_STALL_MS);
	for (i = 0; i < 2 * CHANNELS; i++)
		close(pumps[i].fd);
	for (i = 0; i < CHANNELS; i++)
		relay_wait_line(&r, "up=%llu down=%llu ",
			(unsigned long long)each, (unsigned long long)each);
	relay_stop(&r);
}

static void
test_256_megabytes_both_ways(void **state)
{
	(void)state;
	carry("", 256 * MB);
}

static void
test_every_byte_replaced(void **state)
{
	(void)state;
	carry("{ type = \"copy\"; },", 32 * MB);
}

static void
test_every_read_cut_to_pieces(void **state)
{
	(void)state;
	carry("{ type = \"copy\"; }, { type = \"chop\"; }, "
	      "{ name = \"c2\"; type = \"copy\"; },",
		16 * MB);
}

static void
test_middlewares_that_detach(void **state)
{
	(void)state;
	carry("{ type = \"leave\"; }, { name = \"l2\"; type = \"leave\"; },",
		32 * MB);
}

/* ---- the table: how one end shows at the other, like direct -------------- */

/* What a peer saw until its connection ended. */
struct seen {
	uint64_t bytes;
	int err; /* 0: a clean end */
};

/* Sees bytes of a stream to its end; slow: a little at a time. */
static struct seen
see(int fd, uint64_t seed, bool slow)
{
	static uint8_t data[1 << 16];
	struct pollfd p = { .fd = fd, .events = POLLIN };
	struct peer_data want;
	ssize_t n = 1;

	peer_data_init(&want, seed);
	while (n > 0 || (n == -1 && errno == EAGAIN)) {
		if (slow)
			poll(NULL, 0, 1);
		assert_int_equal(poll(&p, 1, DAEMON_MS), 1);
		n = recv(fd, data, slow ? 16384 : sizeof(data), MSG_DONTWAIT);
		if (n > 0)
			peer_data_check(&want, data, (size_t)n);
	}
	return (struct seen){ .bytes = want.at, .err = n == 0 ? 0 : errno };
}

/* How whoever tells ends. */
enum how { HOW_FIN, HOW_RESET };

/* Writes so many bytes of a stream from a child, then ends by how. */
static pid_t
tell(int fd, uint64_t seed, size_t bytes, enum how how)
{
	struct peer_data data;
	pid_t pid = fork();
	uint8_t *p;

	assert_int_not_equal(pid, -1);
	if (pid != 0)
		return pid;
	p = malloc(bytes + 1);
	if (p == NULL)
		_exit(1);
	peer_data_init(&data, seed);
	peer_data_make(&data, p, bytes);
	peer_send_all(fd, p, bytes);
	free(p);
	/* A reset takes with it what is not acknowledged yet. */
	while (how == HOW_RESET && relay_unacked(fd) > 0)
		poll(NULL, 0, 1);
	if (how == HOW_FIN)
		peer_half_close(fd);
	else
		peer_abort(fd);
	_exit(0);
}

struct row {
	const char *name;
	bool from_client; /* who tells; the other one sees */
	bool ended_first; /* who sees has sent FIN before */
	bool slow;
	size_t bytes;
	enum how how;
	struct seen want;
};

static const struct row rows[] = {
	{ "client FIN, then server sends 3 MB", false, true, false, 3000000,
		HOW_FIN, { 3000000, 0 } },
	{ "server FIN, then client sends 1 MB", true, true, false, 1000000,
		HOW_FIN, { 1000000, 0 } },
	{ "client resets", true, false, false, 0, HOW_RESET,
		{ 0, ECONNRESET } },
	{ "server resets", false, false, false, 0, HOW_RESET,
		{ 0, ECONNRESET } },
	{ "server sends 5 MB and FIN, client is slow", false, false, true,
		5000000, HOW_FIN, { 5000000, 0 } },
	{ "client sends 5 MB and FIN, server is slow", true, false, true,
		5000000, HOW_FIN, { 5000000, 0 } },
	{ "server resets after 500 kB", false, false, false, 500000, HOW_RESET,
		{ 500000, ECONNRESET } },
	{ "client resets after 500 kB", true, false, false, 500000, HOW_RESET,
		{ 500000, ECONNRESET } },
	{ "server resets after FIN of the client", false, true, false, 1000,
		HOW_RESET, { 1000, ECONNRESET } },
};

/* Plays a row over a pair of connected sockets. */
static struct seen
play(const struct row *row, int client, int server)
{
	int teller = row->from_client ? client : server;
	int seer = row->from_client ? server : client;
	struct seen seen, other;
	int status;
	pid_t pid;

	if (row->ended_first) {
		peer_half_close(seer);
		other = see(teller, 0, false);
		assert_int_equal(other.bytes, 0);
		assert_int_equal(other.err, 0);
	}
	pid = tell(teller, 77, row->bytes, row->how);
	if (row->how == HOW_RESET)
		close(teller); /* the child's close is the last one */
	seen = see(seer, 77, row->slow);
	assert_true(procs_reap(pid, &status, DAEMON_MS));
	assert_int_equal(status, 0);
	if (row->how != HOW_RESET)
		close(teller);
	close(seer);
	return seen;
}

/* A reset counts before an earlier FIN, which did not end the channel. */
static bool
client_ends_first(const struct row *row)
{
	return row->from_client != (row->how != HOW_RESET && row->ended_first);
}

static void
test_ends_show_like_direct(void **state)
{
	struct relay r;
	size_t i;

	(void)state;
	relay_start(&r, "");
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct seen direct, relayed;
		int client, server;

		relay_direct(&r, &client, &server);
		direct = play(&rows[i], client, server);
		relay_join(&r, &client, &server);
		relayed = play(&rows[i], client, server);
		print_message("# %s: direct %llu %d, relayed %llu %d\n",
			rows[i].name, (unsigned long long)direct.bytes,
			direct.err, (unsigned long long)relayed.bytes,
			relayed.err);
		assert_int_equal(direct.bytes, rows[i].want.bytes);
		assert_int_equal(direct.err, rows[i].want.err);
		assert_int_equal(relayed.bytes, direct.bytes);
		assert_int_equal(relayed.err, direct.err);
		relay_wait_line(&r, "up=%llu down=%llu ",
			(unsigned long long)(rows[i].from_client ? rows[i].bytes
								 : 0),
			(unsigned long long)(rows[i].from_client
						     ? 0
						     : rows[i].bytes));
		relay_wait_line(&r, "reason=%s by=%s",
			rows[i].how == HOW_RESET ? "reset" : "done",
			client_ends_first(&rows[i]) ? "client" : "backend");
	}
	relay_stop(&r);
}

/* ---- bytes and an end at once -------------------------------------------- */

/* What a stopped worker finds when it goes on, it finds in one wake-up. */
static void
one_wakeup(bool from_client, bool reset)
{
	int client, server, from, to;
	struct peer_data bytes;
	uint8_t data[1000];
	struct relay r;

	relay_start(&r, "");
	relay_join(&r, &client, &server);
	from = from_client ? client : server;
	to = from_client ? server : client;
	peer_data_init(&bytes, 5);
	peer_data_make(&bytes, data, sizeof(data));
	/* The channel must be joined before its worker is stopped. */
	peer_send_text(server, "x");
	peer_expect_text(client, "x");
	kill(daemon_worker(r.d, 0), SIGSTOP);
	/* What waits for more goes out with the end, in one segment. */
	assert_int_equal(send(from, data, sizeof(data), reset ? 0 : MSG_MORE),
		sizeof(data));
	while (reset && relay_unacked(from) > 0)
		poll(NULL, 0, 1);
	if (reset)
		peer_abort(from);
	else
		peer_half_close(from);
	kill(daemon_worker(r.d, 0), SIGCONT);
	assert_int_equal(see(to, 5, false).bytes, sizeof(data));
	if (!reset)
		close(from);
	close(to);
	relay_wait_line(&r, "reason=%s", reset ? "reset" : "done");
	relay_stop(&r);
}

static void
test_data_and_end_in_one_wakeup(void **state)
{
	(void)state;
	one_wakeup(true, false);
	one_wakeup(false, false);
}

static void
test_data_and_reset_in_one_wakeup(void **state)
{
	(void)state;
	one_wakeup(true, true);
	one_wakeup(false, true);
}

/* ---- who speaks first ---------------------------------------------------- */

static void
test_server_speaks_first(void **state)
{
	int client, server;
	struct relay r;

	(void)state;
	relay_start(&r, "");
	relay_join(&r, &client, &server);
	peer_send_text(server, "hello\n");
	peer_expect_text(client, "hello\n");
	close(client);
	close(server);
	relay_stop(&r);
}

static void
test_emitted_bytes_go_ahead_of_the_clients(void **state)
{
	int client, server;
	struct relay r;

	(void)state;
	relay_start(&r, "{ type = \"gate\"; }, { type = \"header\"; },");
	client = peer_connect(relay_port(&r));
	peer_send_text(client, "gabcdef");
	server = peer_accept(r.backend);
	peer_expect_text(server, "HELLO\nabcdef");
	close(client);
	close(server);
	relay_stop(&r);
}

static void
test_nothing_configured_reads_and_drops(void **state)
{
	struct daemon *d;
	int client;

	(void)state;
	d = daemon_start("servers = ( { listen = \"127.0.0.1:0\"; } );");
	client = peer_connect(daemon_port(d, "server0", 0));
	peer_send_text(client, "into the void");
	peer_half_close(client);
	peer_read_eof(client);
	close(client);
	daemon_stop(d);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		relay_tests(test_256_megabytes_both_ways),
		relay_mode_test(test_every_byte_replaced, spliced),
		relay_mode_test(test_every_read_cut_to_pieces, spliced),
		relay_tests(test_middlewares_that_detach),
		relay_tests(test_ends_show_like_direct),
		relay_tests(test_data_and_end_in_one_wakeup),
		relay_tests(test_data_and_reset_in_one_wakeup),
		relay_tests(test_server_speaks_first),
		relay_tests(test_emitted_bytes_go_ahead_of_the_clients),
		daemon_test(test_nothing_configured_reads_and_drops),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
