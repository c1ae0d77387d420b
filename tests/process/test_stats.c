/* test_stats.c - figures of several workers, and of those who are gone. */
#include <sys/socket.h>
#include <netinet/in.h>

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/chance.h"
#include "lib/daemon.h"
#include "lib/page.h"
#include "lib/peer.h"
#include "lib/procs.h"
#include "lib/reload.h"

#define SOCKET "api.sock"
#define MANY   30

#define CONF(servers)                                                          \
	"process = { workers = 2; };\n"                                        \
	"api = { listen = \"unix:" SOCKET "\"; };\n"                           \
	"extensions = ( { type = \"stats\"; } );\n"                            \
	"servers = ( " servers " );\n"
#define SERVER(name)                                                           \
	"{ name = \"" name "\"; listen = \"127.0.0.1:0\";\n"                   \
	"  middlewares = ( { type = \"forward\"; to = \"127.0.0.1:%u\"; } ); " \
	"}"

#define ACCEPTED "weir_channels_accepted_total{server=\"r\"}"
#define ACTIVE	 "weir_channels_active{server=\"r\"}"
#define SENT_UP	 "weir_sent_bytes_total{server=\"r\",direction=\"up\"}"

static struct daemon *d;
static int listener;
static uint16_t backend_port;

static void
start(void)
{
	listener = peer_listen(&backend_port);
	d = daemon_start(CONF(SERVER("r")), backend_port);
	/* The keeper has others than the workers, and each its link to it. */
	daemon_fds_allow(d, 8);
}

static void
stop(void)
{
	close(listener);
	daemon_stop(d);
}

/* A channel that has carried n bytes up and one down. */
static void
join(int *client, int *server, size_t n)
{
	char *bytes = calloc(1, n);

	assert_non_null(bytes);
	*client = peer_connect(daemon_port(d, "r", 0));
	*server = peer_accept(listener);
	peer_send_all(*client, bytes, n);
	peer_read_exact(*server, bytes, n);
	peer_send_text(*server, "x");
	peer_expect_text(*client, "x");
	free(bytes);
}

static double
metric(const char *sample)
{
	return page_metric(d, SOCKET, sample);
}

static void
backend_sample(char to[128], const char *name)
{
	snprintf(to, 128, "weir_backend_%s{backend=\"127.0.0.1:%u\"}", name,
		backend_port);
}

static void
test_two_workers_count_together(void **state)
{
	int clients[MANY], servers[MANY];
	size_t i, sent = 0;
	char sample[128];

	(void)state;
	start();
	for (i = 0; i < MANY; i++) {
		join(&clients[i], &servers[i], 1000 + i);
		sent += 1000 + i;
	}
	assert_true(metric(ACCEPTED) == MANY);
	assert_true(metric(ACTIVE) == MANY);
	page_wait_metric(d, SOCKET, SENT_UP, (double)sent);
	assert_true(metric("weir_sent_bytes_total{server=\"r\",direction="
			   "\"down\"}") == MANY);
	backend_sample(sample, "active");
	assert_true(metric(sample) == MANY);
	for (i = 0; i < MANY; i++) {
		close(clients[i]);
		peer_read_eof(servers[i]);
		close(servers[i]);
	}
	page_wait_metric(d, SOCKET, ACTIVE, 0);
	assert_true(metric("weir_channels_ended_total{server=\"r\",reason="
			   "\"done\"}") == MANY);
	assert_true(metric("weir_session_seconds_count{server=\"r\"}") == MANY);
	assert_true(
		metric("weir_first_byte_seconds_count{server=\"r\"}") == MANY);
	backend_sample(sample, "connects_total");
	assert_true(metric(sample) == MANY);
	backend_sample(sample, "active");
	assert_true(metric(sample) == 0);
	stop();
}

/* What it had counted stays, what it had open does not. */
static void
test_f4_a_worker_is_killed(void **state)
{
	int clients[MANY], servers[MANY];
	unsigned round;
	char sample[128];
	double sent = 0;
	size_t i;

	(void)state;
	start();
	daemon_expect_alert(d, "was killed by signal 9");
	for (round = 1; round <= 3; round++) {
		for (i = 0; i < MANY; i++)
			join(&clients[i], &servers[i], 100);
		sent += 100 * MANY;
		page_wait_metric(d, SOCKET, SENT_UP, sent);
		kill(daemon_worker(d, 0), SIGKILL);
		daemon_wait_log(d, "was killed by signal 9", DAEMON_MS);
		daemon_wait_log(d, ") is ready", DAEMON_MS);
		assert_true(metric(ACCEPTED) == round * MANY);
		assert_true(metric(SENT_UP) == sent);
		assert_true(metric(ACTIVE) < MANY);
		for (i = 0; i < MANY; i++) {
			close(clients[i]);
			close(servers[i]);
		}
		page_wait_metric(d, SOCKET, ACTIVE, 0);
		backend_sample(sample, "active");
		assert_true(metric(sample) == 0);
		backend_sample(sample, "connects_total");
		assert_true(metric(sample) == round * MANY);
	}
	stop();
}

/* A client is reset, maybe before it knows that it was connected. */
static void
expect_no_backend(void)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
		.sin_port = htons(daemon_port(d, "r", 0)),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_not_equal(fd, -1);
	if (connect(fd, (struct sockaddr *)&in, sizeof(in)) == 0)
		peer_expect_reset(fd);
	else
		assert_int_equal(errno, ECONNRESET);
	close(fd);
}

/* However channels end, none is counted twice or forgotten. */
static void
test_f5_gauges_come_back_to_zero(void **state)
{
	int clients[MANY], servers[MANY];
	char sample[128];
	size_t i;

	(void)state;
	start();
	for (i = 0; i < MANY; i++)
		join(&clients[i], &servers[i], 1 + chance(5000));
	for (i = 0; i < MANY; i++) {
		uint32_t how = chance(4);

		if (how == 0)
			close(clients[i]);
		else if (how == 1)
			peer_abort(clients[i]);
		else if (how == 2)
			close(servers[i]);
		else
			peer_abort(servers[i]);
		close(how < 2 ? servers[i] : clients[i]);
	}
	/* And those who find no backend. */
	close(listener);
	for (i = 0; i < MANY; i++)
		expect_no_backend();
	page_wait_metric(d, SOCKET, ACTIVE, 0);
	backend_sample(sample, "active");
	assert_true(metric(sample) == 0);
	backend_sample(sample, "failures_total");
	assert_true(metric(sample) == MANY);
	assert_true(metric(ACCEPTED) == 2 * MANY);
	assert_true(
		metric("weir_session_seconds_count{server=\"r\"}") == 2 * MANY);
	assert_true(metric("weir_channels_ended_total{server=\"r\",reason="
			   "\"connect\"}") == MANY);
	daemon_stop(d);
}

static void
test_a_reload_goes_on_with_the_figures(void **state)
{
	int client, server, old_client, old_server;
	uint16_t other_port;
	int other = peer_listen(&other_port);

	(void)state;
	start();
	join(&client, &server, 10);
	close(client);
	close(server);
	join(&old_client, &old_server, 10);
	daemon_write(d, CONF(SERVER("r") ", " SERVER("s")), backend_port,
		other_port);
	reload_takes(d, 2);
	join(&client, &server, 10);
	assert_true(metric(ACCEPTED) == 3);
	page_wait_metric(d, SOCKET, ACTIVE, 2);
	assert_true(metric("weir_channels_accepted_total{server=\"s\"}") == 0);
	/* One of a process of the old generation moves bytes still. */
	peer_send_text(old_client, "1234567890");
	peer_expect_text(old_server, "1234567890");
	page_wait_metric(d, SOCKET, SENT_UP, 40);
	daemon_write(d, CONF(SERVER("s")), other_port);
	reload_takes(d, 3);
	assert_true(metric(ACCEPTED) == 3);
	close(old_client);
	close(old_server);
	close(client);
	close(server);
	page_wait_metric(d, SOCKET, ACTIVE, 0);
	close(other);
	stop();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		relay_tests(test_two_workers_count_together),
		daemon_test(test_f4_a_worker_is_killed),
		daemon_test(test_f5_gauges_come_back_to_zero),
		daemon_test(test_a_reload_goes_on_with_the_figures),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
