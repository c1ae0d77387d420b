/* test_activation.c - a weir whose sockets a service manager has opened. */
#include <sys/socket.h>
#include <netinet/in.h>

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/daemon.h"
#include "lib/peer.h"
#include "lib/reload.h"

#define FIRST	3 /* see sd_listen_fds(3) */
#define SOCKETS 2
#define FAILED	125

/* What the manager does, in the child that becomes weir. */
struct manager {
	char binary[PATH_MAX];
	uint16_t ports[SOCKETS]; /* of descriptors from FIRST on */
	const char *names;
};

static int
listen_at(uint16_t port)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	const int on = 1;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == -1 ||
		bind(fd, (struct sockaddr *)&in, sizeof(in)) == -1 ||
		listen(fd, 16) == -1)
		return -1;
	return fd;
}

/* Opens them and becomes weir, with the pid that it says. */
static int
manage(int ready_fd, void *arg)
{
	const struct manager *m = arg;
	char pid[16], ready[16];
	int i;

	/* What made this child has files there, which it needs no more. */
	close_range(FIRST, FIRST + SOCKETS - 1, 0);
	for (i = 0; i < SOCKETS; i++)
		if (listen_at(m->ports[i]) != FIRST + i)
			return FAILED;
	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	snprintf(ready, sizeof(ready), "%d", ready_fd);
	unsetenv("WEIR");
	unsetenv("WEIR_PLAIN");
	unsetenv("WEIR_TRIAL");
	setenv("LISTEN_PID", pid, 1);
	setenv("LISTEN_FDS", "2", 1);
	setenv("LISTEN_FDNAMES", m->names, 1);
	execl(m->binary, "weir", "-c", "weir.conf", "--ready-fd", ready,
		(char *)NULL);
	return FAILED;
}

/* The first server has the address of the first socket, the second one the
 * name of the second. */
static void
write_conf(struct daemon *d, const struct manager *m, unsigned workers,
	bool reuseport)
{
	const char *word = reuseport ? "true" : "false";

	daemon_write(d,
		"process = { workers = %u; };\n"
		"servers = (\n"
		"  { name = \"pg\"; middlewares = \"echo\"; listen = "
		"( { address = \"127.0.0.1:%u\"; reuseport = %s; } ); },\n"
		"  { name = \"web\"; middlewares = \"echo\"; listen = "
		"( { address = \"127.0.0.1:0\"; reuseport = %s; } ); } );\n",
		workers, m->ports[0], word, word);
}

static void
expect_echo(const struct manager *m)
{
	int i, fd;

	for (i = 0; i < SOCKETS; i++) {
		fd = peer_connect(m->ports[i]);
		peer_send_text(fd, "a");
		peer_expect_text(fd, "a");
		close(fd);
	}
}

/* Serves them, also with more and with fewer workers. */
static void
try_sockets(bool reuseport)
{
	static const unsigned workers[] = { 1, 3, 1 };
	const char *weir = getenv("WEIR");
	struct daemon *d = daemon_new();
	struct manager m = { .names = "other:web" };
	ino_t inodes[SOCKETS];
	int holds[SOCKETS];
	unsigned i;

	assert_non_null(realpath(weir != NULL ? weir : "./weir", m.binary));
	for (i = 0; i < SOCKETS; i++)
		holds[i] = peer_hold(&m.ports[i]);
	write_conf(d, &m, workers[0], reuseport);
	daemon_launch_function(d, manage, &m);
	assert_int_equal(daemon_port(d, "pg", 0), m.ports[0]);
	assert_int_equal(daemon_port(d, "web", 0), m.ports[1]);
	expect_echo(&m);
	for (i = 0; i < SOCKETS; i++)
		inodes[i] = reload_inode(m.ports[i]);
	for (i = 1; i < sizeof(workers) / sizeof(workers[0]); i++) {
		write_conf(d, &m, workers[i], reuseport);
		reload_takes(d, i + 1);
		expect_echo(&m);
		reload_gone(d, i);
		expect_echo(&m);
	}
	for (i = 0; i < SOCKETS; i++) {
		/* With it others stand beside, and remain. */
		if (!reuseport)
			assert_int_equal(reload_inode(m.ports[i]), inodes[i]);
		close(holds[i]);
	}
	assert_int_equal(daemon_log_count(d, "is used by no server"), 0);
	assert_int_equal(daemon_log_count(d, "all share the one"), 0);
	/* One worker serves what two others had. */
	if (reuseport)
		daemon_fds_allow(d, 2 * SOCKETS);
	daemon_stop(d);
}

static void
test_sockets_of_a_manager(void **state)
{
	(void)state;
	try_sockets(false);
}

static void
test_sockets_of_a_manager_with_reuseport(void **state)
{
	(void)state;
	try_sockets(true);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		daemon_test(test_sockets_of_a_manager),
		daemon_test(test_sockets_of_a_manager_with_reuseport),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
