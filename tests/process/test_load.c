/* test_load.c - peers that never read, descriptors that run out, one flow
 * beside a greedy one: memory, CPU and time stay within bounds. */
#include <sys/resource.h>
#include <sys/socket.h>

#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/daemon.h"
#include "lib/gauge.h"
#include "lib/idle.h"
#include "lib/peer.h"
#include "lib/plain.h"
#include "lib/procs.h"

#define READERS 40
#define MB	((size_t)1 << 20)

/* Lines of the log that have text. */
static unsigned
count_lines(struct daemon *d, const char *text)
{
	FILE *f = fopen(daemon_path(d, "stderr.txt"), "r");
	unsigned count = 0;
	char line[1024];

	assert_non_null(f);
	while (fgets(line, sizeof(line), f) != NULL)
		count += strstr(line, text) != NULL;
	fclose(f);
	return count;
}

/* Sends to all until none takes more. */
static size_t
fill_all(const int *fds, size_t n, size_t max)
{
	size_t sum = 0, i;

	for (i = 0; i < n; i++)
		sum += peer_send_until_full(fds[i], max, 50);
	return sum;
}

/* Somebody who reads is served at once. */
static void
serve_one(struct daemon *d, int backend)
{
	int client = peer_connect(daemon_port(d, "r", 0));
	int server = peer_accept(backend);
	int i;

	for (i = 0; i < 100; i++) {
		peer_send_text(client, "question");
		peer_expect_text(server, "question");
		peer_send_text(server, "answer");
		peer_expect_text(client, "answer");
	}
	close(client);
	close(server);
}

/* Servers push, clients never read: the servers' writes block, and what weir
 * holds of each channel is one read at most. */
static void
test_f39_clients_that_never_read(void **state)
{
	int clients[READERS], servers[READERS], backend;
	size_t before, after, sent, i;
	uint64_t cpu_us;
	struct daemon *d;
	uint16_t port;

	(void)state;
	backend = peer_listen(&port);
	d = plain_forward(1, port);
	for (i = 0; i < READERS; i++) {
		clients[i] = peer_connect(daemon_port(d, "r", 0));
		servers[i] = peer_accept(backend);
		peer_send_text(servers[i], "x");
		peer_expect_text(clients[i], "x");
	}
	before = gauge_memory(daemon_worker(d, 0));
	sent = fill_all(servers, READERS, 64 * MB);
	assert_true(sent < READERS * 64 * MB);
	after = gauge_memory(daemon_worker(d, 0));
	print_message("# %zu kB sent, %zu kB held for each of %d\n",
		sent / 1024, (after - before) / 1024 / READERS, READERS);
	assert_in_range(after - before, 0, READERS * (size_t)(340 * 1024));
	serve_one(d, backend);
	/* Blocked channels cost no CPU. */
	cpu_us = gauge_cpu_us(daemon_worker(d, 0));
	poll(NULL, 0, 500);
	assert_in_range(gauge_cpu_us(daemon_worker(d, 0)) - cpu_us, 0, 20000);
	for (i = 0; i < READERS; i++) {
		close(clients[i]);
		close(servers[i]);
	}
	close(backend);
	daemon_stop(d);
}

/* The same with an echo, which emits what nobody reads. */
static void
test_f39_echo_that_nobody_reads(void **state)
{
	int clients[READERS];
	size_t before, after, i;
	struct daemon *d;

	(void)state;
	d = plain_start("{ type = \"echo\"; }");
	for (i = 0; i < READERS; i++) {
		clients[i] = peer_connect(daemon_port(d, "r", 0));
		peer_send_text(clients[i], "x");
		peer_expect_text(clients[i], "x");
	}
	before = gauge_memory(daemon_worker(d, 0));
	assert_true(fill_all(clients, READERS, 64 * MB) < READERS * 64 * MB);
	after = gauge_memory(daemon_worker(d, 0));
	print_message("# %zu kB held for each of %d\n",
		(after - before) / 1024 / READERS, READERS);
	assert_in_range(after - before, 0, READERS * (MB + 340 * 1024));
	for (i = 0; i < READERS; i++)
		close(clients[i]);
	daemon_stop(d);
}

/* Without descriptors accepting pauses: no spin, those who are in go on, and
 * those who wait are served as soon as there is room. */
static void
test_descriptors_run_out(void **state)
{
	enum { LIMIT = 60, CLIENTS = 200 };
	struct rlimit before, few;
	int clients[CLIENTS], first;
	struct daemon *d;
	uint64_t cpu_us;
	size_t i;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	few = (struct rlimit){ LIMIT, before.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	d = plain_start("{ type = \"echo\"; }");
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	first = peer_connect(daemon_port(d, "r", 0));
	peer_send_text(first, "x");
	peer_expect_text(first, "x");
	for (i = 0; i < CLIENTS; i++)
		clients[i] = peer_connect(daemon_port(d, "r", 0));
	daemon_wait_log(d, "accepting pauses", DAEMON_MS);
	cpu_us = gauge_cpu_us(daemon_worker(d, 0));
	poll(NULL, 0, 1000);
	cpu_us = gauge_cpu_us(daemon_worker(d, 0)) - cpu_us;
	print_message("# %llu us of CPU in a second without descriptors\n",
		(unsigned long long)cpu_us);
	assert_in_range(cpu_us, 0, 50000);
	assert_in_range(count_lines(d, "accepting pauses"), 1, 4);
	peer_send_text(first, "y");
	peer_expect_text(first, "y");
	/* As some leave, all the others are served. */
	for (i = 0; i < CLIENTS; i++) {
		peer_send_text(clients[i], "z");
		peer_expect_text(clients[i], "z");
		close(clients[i]);
	}
	close(first);
	daemon_stop(d);
}

/* A client that is let in has a descriptor for its backend as well: nobody is
 * reset for want of one. */
static void
test_descriptors_of_backends(void **state)
{
	enum { LIMIT = 60, CLIENTS = 100 };
	struct rlimit before, few;
	struct daemon *echo, *d;
	int clients[CLIENTS];
	size_t i;

	(void)state;
	echo = plain_start("{ type = \"echo\"; }");
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	few = (struct rlimit){ LIMIT, before.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	d = plain_forward(1, daemon_port(echo, "r", 0));
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	for (i = 0; i < CLIENTS; i++)
		clients[i] = peer_connect(daemon_port(d, "r", 0));
	daemon_wait_log(d, "accepting pauses", DAEMON_MS);
	for (i = 0; i < CLIENTS; i++) {
		peer_send_text(clients[i], "z");
		peer_expect_text(clients[i], "z");
		close(clients[i]);
	}
	assert_int_equal(daemon_log_count(d, "cannot connect"), 0);
	daemon_stop(d);
	daemon_stop(echo);
}

static int
compare_u64(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static uint64_t
since_us(const struct timespec *from)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)((now.tv_sec - from->tv_sec) * 1000000 +
			  (now.tv_nsec - from->tv_nsec) / 1000);
}

/* Sends and drops as much as it can, until killed. */
static void
be_greedy(int fd)
{
	static char data[MB];

	alarm(60);
	for (;;) {
		struct pollfd p = { .fd = fd, .events = POLLIN | POLLOUT };

		poll(&p, 1, -1);
		if (p.revents & POLLIN && recv(fd, data, sizeof(data), 0) <= 0)
			_exit(0);
		if (p.revents & POLLOUT)
			send(fd, data, sizeof(data), MSG_NOSIGNAL);
	}
}

static pid_t
greedy_start(int fd)
{
	pid_t pid = fork();

	assert_int_not_equal(pid, -1);
	if (pid == 0)
		be_greedy(fd);
	close(fd);
	return pid;
}

/* 99 of 100 small questions, one each 10 ms, are answered within that many
 * microseconds.  server -1: whoever is there answers by itself. */
static uint64_t
probe_p99(int client, int server)
{
	enum { PROBES = 200, P99 = PROBES * 99 / 100 };
	static uint64_t took_us[PROBES];
	char probe[64] = { 0 };
	size_t i;

	for (i = 0; i < PROBES; i++) {
		struct timespec start;

		clock_gettime(CLOCK_MONOTONIC, &start);
		peer_send_all(client, probe, sizeof(probe));
		if (server != -1) {
			peer_read_exact(server, probe, sizeof(probe));
			peer_send_all(server, probe, sizeof(probe));
		}
		peer_read_exact(client, probe, sizeof(probe));
		took_us[i] = since_us(&start);
		poll(NULL, 0, 10);
	}
	qsort(took_us, PROBES, sizeof(took_us[0]), compare_u64);
	print_message("# p50 %llu us, p99 %llu us\n",
		(unsigned long long)took_us[PROBES / 2],
		(unsigned long long)took_us[P99]);
	return took_us[P99];
}

/* Whoever else uses the machine may spoil a round; a flow that is starved
 * spoils them all. */
static void
probe(int client, int server)
{
	uint64_t best_us = UINT64_MAX, p99_us;
	int i;

	for (i = 0; i < 5 && best_us >= 20000; i++) {
		p99_us = probe_p99(client, server);
		if (p99_us < best_us)
			best_us = p99_us;
	}
	assert_in_range(best_us, 0, 20000);
}

static void
greedy_end(const pid_t *greedy)
{
	int status;
	size_t i;

	for (i = 0; i < 2; i++) {
		kill(greedy[i], SIGKILL);
		assert_true(procs_reap(greedy[i], &status, DAEMON_MS));
	}
}

/* A small question beside two flows that never stop. */
static void
test_f42_questions_beside_floods(void **state)
{
	pid_t greedy[2];
	struct daemon *d;
	size_t i;
	int fd;

	(void)state;
	d = plain_start("{ type = \"echo\"; }");
	for (i = 0; i < 2; i++)
		greedy[i] = greedy_start(peer_connect(daemon_port(d, "r", 0)));
	fd = peer_connect(daemon_port(d, "r", 0));
	probe(fd, -1);
	greedy_end(greedy);
	close(fd);
	daemon_stop(d);
}

/* Both ends of a channel send all that they can, both ways. */
static void
test_f42_questions_beside_a_relayed_flood(void **state)
{
	int backend, client, server;
	struct daemon *d;
	pid_t greedy[2];
	uint16_t port;

	(void)state;
	backend = peer_listen(&port);
	d = plain_forward(1, port);
	greedy[0] = greedy_start(peer_connect(daemon_port(d, "r", 0)));
	greedy[1] = greedy_start(peer_accept(backend));
	client = peer_connect(daemon_port(d, "r", 0));
	server = peer_accept(backend);
	probe(client, server);
	greedy_end(greedy);
	close(client);
	close(server);
	close(backend);
	daemon_stop(d);
}

static void
test_idle_channels_cost_nothing(void **state)
{
	(void)state;
	idle_cost_nothing(1000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		relay_mode_test(test_f39_clients_that_never_read, copied),
		relay_mode_test(test_f39_clients_that_never_read, spliced),
		daemon_test(test_f39_echo_that_nobody_reads),
		daemon_test(test_idle_channels_cost_nothing),
		daemon_test(test_descriptors_run_out),
		daemon_test(test_descriptors_of_backends),
		daemon_test(test_f42_questions_beside_floods),
		relay_mode_test(
			test_f42_questions_beside_a_relayed_flood, copied),
		relay_mode_test(
			test_f42_questions_beside_a_relayed_flood, spliced),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
