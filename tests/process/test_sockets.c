/* test_sockets.c - options of sockets and CPUs of workers, from the file to the
 * kernel, at a start and by a reload. */
#include <sys/socket.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
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

#include "lib/daemon.h"
#include "lib/net.h"
#include "lib/peer.h"
#include "lib/procs.h"
#include "lib/reload.h"

#define TIMER_NONE	0
#define TIMER_KEEPALIVE 2
#define TWO_CAPS	"0000000000003000" /* NET_ADMIN, NET_RAW */
#define ON		"keepalive = true; keepalive_idle = \"1h\";"

static uint16_t
port_of(int fd, int (*name)(int, struct sockaddr *, socklen_t *))
{
	struct sockaddr_in in = { .sin_port = 0 };
	socklen_t len = sizeof(in);

	assert_int_equal(name(fd, (struct sockaddr *)&in, &len), 0);
	return ntohs(in.sin_port);
}

/* Which timer the kernel runs for an established connection from and to these
 * ports (proc(5), /proc/net/tcp); -1 when there is none. */
static int
timer_of(unsigned local, unsigned remote)
{
	unsigned here, there, state, timer;
	FILE *f = fopen("/proc/net/tcp", "re");
	char line[512];
	int found = -1;

	assert_non_null(f);
	while (fgets(line, sizeof(line), f) != NULL)
		if (sscanf(line, " %*u: %*x:%x %*x:%x %x %*x:%*x %x", &here,
			    &there, &state, &timer) == 4 &&
			here == local && there == remote && state == 1)
			found = (int)timer;
	fclose(f);
	return found;
}

static void
expect_timer(unsigned local, unsigned remote, int wanted)
{
	int64_t end = procs_now() + DAEMON_MS;

	/* Until all that was sent is acknowledged it is another one. */
	while (timer_of(local, remote) != wanted) {
		assert_true(procs_now() < end);
		poll(NULL, 0, 5);
	}
}

static void
expect_channel(struct daemon *d, int backend, int front, int back)
{
	int client = peer_connect(daemon_port(d, "r", 0));
	int server = peer_accept(backend);

	peer_send_text(client, "a");
	peer_expect_text(server, "a");
	peer_send_text(server, "b");
	peer_expect_text(client, "b");
	expect_timer(
		daemon_port(d, "r", 0), port_of(client, getsockname), front);
	expect_timer(port_of(server, getpeername),
		port_of(backend, getsockname), back);
	close(client);
	close(server);
}

static void
write_conf(
	struct daemon *d, const char *listen, const char *settings, uint16_t to)
{
	daemon_write(d,
		"process = { workers = 1; };\n"
		"servers = ( { name = \"r\"; listen = ( {"
		" address = \"127.0.0.1:0\"; %s } ); %s\n"
		" middlewares = ( { type = \"forward\";"
		"  to = \"127.0.0.1:%u\"; } ); } );\n",
		listen, settings, to);
}

/* By a start and, for the listener that is kept, by a reload. */
static void
test_keepalive_of_both_sides(void **state)
{
	uint16_t to;
	int backend = peer_listen(&to);
	struct daemon *d = daemon_new();

	(void)state;
	write_conf(d, "", "", to);
	daemon_launch(d);
	expect_channel(d, backend, TIMER_NONE, TIMER_NONE);
	write_conf(d, ON, "", to);
	reload_takes(d, 2);
	reload_alone(d, 1);
	expect_channel(d, backend, TIMER_KEEPALIVE, TIMER_NONE);
	write_conf(d, "", "backend = {" ON "};", to);
	reload_takes(d, 3);
	reload_alone(d, 1);
	expect_channel(d, backend, TIMER_NONE, TIMER_KEEPALIVE);
	daemon_stop(d);
	d = daemon_new();
	write_conf(d, ON, "backend = {" ON "};", to);
	daemon_launch(d);
	expect_channel(d, backend, TIMER_KEEPALIVE, TIMER_KEEPALIVE);
	daemon_stop(d);
	close(backend);
}

/* ---- what needs rights --------------------------------------------------- */

/* The backend sees the client's own address. */
static void
expect_seen(struct daemon *d, int backend, const char *address)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	socklen_t len = sizeof(in);
	int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), server;

	assert_int_equal(inet_pton(AF_INET, address, &in.sin_addr), 1);
	assert_int_equal(bind(client, (struct sockaddr *)&in, len), 0);
	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	in.sin_port = htons(daemon_port(d, "r", 0));
	assert_int_equal(connect(client, (struct sockaddr *)&in, len), 0);
	server = peer_accept(backend);
	assert_int_equal(getpeername(server, (struct sockaddr *)&in, &len), 0);
	assert_int_equal(in.sin_addr.s_addr, inet_addr(address));
	peer_send_text(server, "x");
	peer_expect_text(client, "x");
	close(client);
	close(server);
}

static void
test_mark_and_the_clients_address(void **state)
{
	uint16_t to;
	int backend = peer_listen(&to);
	struct daemon *d = daemon_new();

	(void)state;
	write_conf(d, "", "backend = { mark = 5; transparent = \"client\"; };",
		to);
	if (getuid() == 0) {
		daemon_launch(d);
		assert_string_equal(
			procs_status(daemon_worker(d, 0), "CapEff"), TWO_CAPS);
		expect_seen(d, backend, "127.0.0.9");
		daemon_stop(d);
	} else {
		daemon_begin(d);
		daemon_wait_log(d,
			"server \"r\": option \"backend.mark\" needs the "
			"capability CAP_NET_ADMIN, which weir does not have",
			DAEMON_MS);
		daemon_wait_log(d,
			"server \"r\": option \"backend.transparent\" needs "
			"the capability CAP_NET_RAW",
			DAEMON_MS);
		daemon_finish(d, 1);
	}
	close(backend);
}

/* An address of no interface; the worker needs no right for it. */
static void
test_a_transparent_listener(void **state)
{
	struct daemon *d = daemon_new();

	(void)state;
	daemon_write(d,
		"process = { workers = 1; };\n"
		"servers = ( { name = \"r\"; listen = ( {"
		" address = \"192.0.2.1:4242\"; transparent = true; } ); } );");
	if (getuid() == 0) {
		daemon_launch(d);
		assert_string_equal(procs_status(daemon_worker(d, 0), "CapEff"),
			"0000000000000000");
		daemon_stop(d);
	} else {
		daemon_begin(d);
		daemon_wait_log(d,
			"server \"r\": option \"listen.transparent\" needs the "
			"capability CAP_NET_RAW",
			DAEMON_MS);
		daemon_finish(d, 1);
	}
}

/* In a network of its own, in which fast open is allowed to clients only. */
static void
test_fastopen_that_does_nothing(void **state)
{
	struct daemon *d = daemon_new();

	(void)state;
	net_make();
	write_conf(d, "fastopen = 8;", "", 9);
	daemon_launch(d);
	assert_int_equal(
		daemon_log_count(d,
			"127.0.0.1:0: \"fastopen\" does nothing: "
			"net.ipv4.tcp_fastopen is 1 and would have to be 3"),
		1);
	write_conf(d, "fastopen = 9;", "backend = { fastopen = true; };", 9);
	reload_takes(d, 2);
	assert_int_equal(daemon_log_count(d, "\"fastopen\" does nothing"), 2);
	daemon_stop(d);
}

/* What is going to fail, or to be less than was asked for, is told by -t, by a
 * start, and by a reload. */
static void
test_what_will_lack_is_told(void **state)
{
	static const char settings[] =
		"backend = { source = [ \"192.0.2.1:0\", \"127.0.0.1:0\" ];"
		" rcvbuf = \"1G\"; };";
	static const char *const said[] = {
		"servers.r.backend: a buffer is smaller than was asked for: "
		"net.core.rmem_max does not allow more",
		"servers.r.backend: this machine does not have the source "
		"address 192.0.2.1:0",
	};
	uint16_t to;
	int backend = peer_listen(&to);
	struct daemon *d = daemon_new();
	char *output;
	size_t i;

	(void)state;
	write_conf(d, "", settings, to);
	assert_int_equal(
		daemon_run(d, &output, "-t", "-c", "weir.conf", NULL), 0);
	for (i = 0; i < 2; i++)
		assert_non_null(strstr(output, said[i]));
	free(output);
	write_conf(d, "", "", to);
	daemon_launch(d);
	write_conf(d, "", settings, to);
	reload_takes(d, 2);
	for (i = 0; i < 2; i++)
		assert_int_equal(daemon_log_count(d, said[i]), 1);
	reload_alone(d, 1);
	expect_channel(d, backend, TIMER_NONE, TIMER_NONE);
	daemon_stop(d);
	close(backend);
}

/* ---- CPUs ---------------------------------------------------------------- */

#define WORKERS 3

/* CPUs of each worker, which stays on one that is allowed, as auto says. */
static void
expect_cpus(struct daemon *d)
{
	cpu_set_t set;
	char wanted[16];
	int cpus[CPU_SETSIZE], n = 0, cpu;
	unsigned slot;

	assert_int_equal(sched_getaffinity(0, sizeof(set), &set), 0);
	for (cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, &set))
			cpus[n++] = cpu;
	for (slot = 0; slot < WORKERS; slot++) {
		snprintf(
			wanted, sizeof(wanted), "%d", cpus[slot % (unsigned)n]);
		assert_string_equal(procs_status(daemon_worker(d, slot),
					    "Cpus_allowed_list"),
			wanted);
	}
}

static void
test_workers_stay_on_their_cpus(void **state)
{
	struct daemon *d = daemon_start(
		"process = { workers = 3; cpu_affinity = \"auto\"; };\n"
		"servers = ( { listen = \"127.0.0.1:0\"; } );");
	pid_t pid = daemon_worker(d, 1);
	char before[64];

	(void)state;
	expect_cpus(d);
	daemon_expect_alert(d, "was killed by signal 9");
	daemon_wait_log(d, "ready gen=1", DAEMON_MS);
	assert_int_equal(kill(pid, SIGKILL), 0);
	daemon_wait_log(d, "worker 1", DAEMON_MS);
	daemon_wait_log(d, "is ready", DAEMON_MS);
	assert_int_not_equal(daemon_worker(d, 1), pid);
	expect_cpus(d);
	reload_takes(d, 2);
	reload_alone(d, WORKERS);
	expect_cpus(d);
	/* What the master may is what those without a CPU of theirs may. */
	snprintf(before, sizeof(before), "%s",
		procs_status(daemon_pid(d), "Cpus_allowed_list"));
	daemon_write(d, "process = { workers = 3; };\n"
			"servers = ( { listen = \"127.0.0.1:0\"; } );");
	reload_takes(d, 3);
	reload_alone(d, WORKERS);
	assert_string_equal(
		procs_status(daemon_worker(d, 0), "Cpus_allowed_list"), before);
	daemon_stop(d);
}

/* A check of the file says of listeners what a start would. */
static void
test_what_listeners_will_lack_is_told(void **state)
{
	struct daemon *d = daemon_new();
	char *output;

	(void)state;
	write_conf(d, "rcvbuf = \"1G\";", "", 1);
	assert_int_equal(
		daemon_run(d, &output, "-t", "-c", "weir.conf", NULL), 0);
	assert_non_null(strstr(output,
		"127.0.0.1:0: a buffer is smaller than was asked for: "
		"net.core.rmem_max does not allow more"));
	free(output);
	daemon_launch(d);
	daemon_stop(d);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		daemon_test(test_keepalive_of_both_sides),
		daemon_test(test_mark_and_the_clients_address),
		daemon_test(test_a_transparent_listener),
		daemon_test(test_what_will_lack_is_told),
		daemon_test(test_what_listeners_will_lack_is_told),
		daemon_test(test_workers_stay_on_their_cpus),
		daemon_test(test_fastopen_that_does_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
