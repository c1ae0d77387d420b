/* test_limits.c - limits that all workers share, when workers die, clients do
 * as they like, the table is full, and the configuration is another. */
#include <sys/socket.h>
#include <netinet/in.h>

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

#include "lib/chance.h"
#include "lib/daemon.h"
#include "lib/http.h"
#include "lib/peer.h"
#include "lib/procs.h"

#ifndef ROUNDS
#define ROUNDS	10   /* deaths */
#define CLIENTS 2000 /* that do as they like */
#endif
#define KEYS	   3000 /* more than the small table has room for */
#define CROWD	   40	/* clients at a time */
#define TRY_MS	   1000
#define KEEPER_FDS 4 /* links to workers, which come after the start */

#define CONF(table, limit)                                                     \
	"process = { workers = 2; pidfile = \"weir.pid\"; };\n"                \
	"api = { listen = [ \"unix:api\" ]; };\n"                              \
	"extensions = ( { type = \"table\"; " table " } );\n"                  \
	"servers = ( { name = \"e\"; listen = \"127.0.0.1:0\";\n"              \
	"  idle_timeout = \"1s\"; half_close_timeout = \"500ms\";\n"           \
	"  middlewares = ( " limit " { type = \"echo\"; } ); } );\n"

/* Is it let in, so that it hears what it says? */
static bool
echoes(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char c = 'x';

	if (send(fd, &c, 1, MSG_NOSIGNAL) != 1)
		return false;
	assert_int_equal(poll(&p, 1, PEER_MS), 1);
	return recv(fd, &c, 1, 0) == 1 && c == 'x';
}

static bool
is_let_in(struct daemon *d, uint32_t address)
{
	int fd = peer_connect_from(address, daemon_port(d, "e", 0));
	bool in = echoes(fd);

	close(fd);
	return in;
}

/* Tries until a channel is open; it, which must not take a second. */
static int
open_soon(struct daemon *d)
{
	int64_t until = procs_now() + TRY_MS;
	int fd = -1;

	while (fd == -1) {
		fd = peer_connect_from(INADDR_LOOPBACK, daemon_port(d, "e", 0));
		if (echoes(fd))
			break;
		close(fd);
		fd = -1;
		assert_true(procs_now() < until);
		poll(NULL, 0, 5);
	}
	return fd;
}

/* Has its worker gone? */
static bool
is_cut_off(int fd, int ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, ms) == 1;
}

static void
gauge_until(struct daemon *d, int64_t n)
{
	http_until(
		d, "GET /v1/tables/table/keys/127.0.0.1", "columns.conns", n);
}

static void
test_f4_the_worker_that_holds_is_killed(void **state)
{
	struct daemon *d =
		daemon_start(CONF("", "{ type = \"limit_conn\"; max = 1; },"));
	int fd, round;
	pid_t pid;

	(void)state;
	daemon_expect_alert(d, "was killed by signal 9");
	daemon_fds_allow(d, KEEPER_FDS);
	for (round = 0; round < ROUNDS; round++) {
		fd = open_soon(d);
		assert_false(is_let_in(d, INADDR_LOOPBACK));
		pid = daemon_worker(d, 0);
		kill(pid, SIGKILL);
		assert_true(procs_wait_end(pid, DAEMON_MS));
		if (!is_cut_off(fd, 0)) {
			/* It was the other one. */
			assert_false(is_let_in(d, INADDR_LOOPBACK));
			pid = daemon_worker(d, 1);
			kill(pid, SIGKILL);
		}
		assert_true(is_cut_off(fd, DAEMON_MS));
		close(fd);
		fd = open_soon(d);
		assert_false(is_let_in(d, INADDR_LOOPBACK));
		close(fd);
	}
	gauge_until(d, 0);
	daemon_stop(d);
}

/* One of the crowd does something, or another comes in its place. */
static unsigned
crowd_step(struct daemon *d, int *fd)
{
	char p[64];

	if (*fd == -1) {
		*fd = peer_connect_from(
			INADDR_LOOPBACK, daemon_port(d, "e", 0));
		return 1;
	}
	switch (chance(8)) {
	case 0:
	case 1:
		send(*fd, "hello", 5, MSG_NOSIGNAL | MSG_DONTWAIT);
		break;
	case 2:
		(void)recv(*fd, p, sizeof(p), MSG_DONTWAIT);
		break;
	case 3:
		shutdown(*fd, SHUT_WR);
		break;
	case 4:
	case 5:
		peer_abort(*fd);
		*fd = -1;
		break;
	default:
		close(*fd);
		*fd = -1;
	}
	return 0;
}

static void
test_f5_clients_do_as_they_like(void **state)
{
	struct daemon *d = daemon_start(CONF("ttl = \"2d\";",
		"{ type = \"limit_conn\"; max = 30; },"
		"{ type = \"limit_new\"; max = 100000; },"
		"{ type = \"limit_rate\"; up = \"1M\"; table = \"table\"; },"
		"{ type = \"quota\"; max = \"1G\"; },"));
	int fds[CROWD], i;
	unsigned n = 0;

	(void)state;
	chance_start("SEED");
	daemon_fds_allow(d, KEEPER_FDS);
	for (i = 0; i < CROWD; i++)
		fds[i] = -1;
	while (n < CLIENTS)
		n += crowd_step(d, &fds[chance(CROWD)]);
	/* Some end by themselves. */
	gauge_until(d, 0);
	for (i = 0; i < CROWD; i++)
		if (fds[i] != -1)
			close(fds[i]);
	/* No less than nothing: there is room for so many, and not one more. */
	for (i = 0; i < 30; i++) {
		fds[i] = peer_connect_from(
			INADDR_LOOPBACK, daemon_port(d, "e", 0));
		assert_true(echoes(fds[i]));
	}
	gauge_until(d, 30);
	assert_false(is_let_in(d, INADDR_LOOPBACK));
	for (i = 0; i < 30; i++)
		close(fds[i]);
	gauge_until(d, 0);
	daemon_stop(d);
}

/* How many of the clients with addresses of their own are let in. */
static unsigned
many_let_in(struct daemon *d, unsigned n)
{
	unsigned in = 0, i;

	for (i = 0; i < n; i++)
		in += is_let_in(d, 0x7f010101 + i);
	return in;
}

static void
test_f6_a_full_table_of_a_weir(void **state)
{
	static const struct {
		const char *full;
		bool all;
	} t[] = { { "evict", true }, { "allow", true }, { "refuse", false } };
	struct daemon *d;
	unsigned in;
	size_t i;

	(void)state;
	for (i = 0; i < 3; i++) {
		d = daemon_start(
			CONF("size = \"64k\"; ttl = 2; full = \"%s\";",
				"{ type = \"limit_conn\"; max = 2; },"),
			t[i].full);
		daemon_fds_allow(d, KEEPER_FDS);
		in = many_let_in(d, KEYS);
		if (t[i].all) {
			assert_int_equal(in, KEYS);
		} else {
			assert_in_range(in, 100, KEYS - 100);
			daemon_wait_log(d, "its table is full", DAEMON_MS);
			/* A line a second, of each worker. */
			assert_in_range(
				daemon_log_count(d, "its table is full"), 1,
				60);
		}
		/* Keys that end make room. */
		daemon_clock_advance(d, 3000);
		assert_int_equal(many_let_in(d, 50), 50);
		daemon_stop(d);
	}
}

/* Another limit, the same count. */
static void
test_a_reload_keeps_the_count(void **state)
{
	struct daemon *d = daemon_start(CONF("",
		"{ type = \"limit_conn\"; max = 1; },"
		"{ type = \"limit_new\"; max = 5; window = \"1h\"; },"));
	int a, b;

	(void)state;
	daemon_fds_allow(d, KEEPER_FDS);
	a = open_soon(d);
	assert_false(is_let_in(d, INADDR_LOOPBACK));
	daemon_write(d, CONF("", "{ type = \"limit_conn\"; max = 2; },"
				 "{ type = \"limit_new\"; max = 3; window = "
				 "\"1h\"; },"));
	assert_int_equal(daemon_say(d, "reload", ""), 0);
	gauge_until(d, 1);
	b = peer_connect_from(INADDR_LOOPBACK, daemon_port(d, "e", 0));
	assert_true(echoes(b));
	gauge_until(d, 2);
	assert_false(is_let_in(d, INADDR_LOOPBACK));
	close(a);
	close(b);
	gauge_until(d, 0);
	/* The third of this hour, and no fourth. */
	assert_true(is_let_in(d, INADDR_LOOPBACK));
	assert_false(is_let_in(d, INADDR_LOOPBACK));
	daemon_stop(d);
}

static void
test_a_table_that_is_not_there(void **state)
{
	char *said;

	(void)state;
	said = daemon_start_fails(
		"servers = ( { listen = \"127.0.0.1:0\"; middlewares = ( "
		"{ type = \"limit_conn\"; max = 1; } ); } );");
	assert_non_null(strstr(said, "there is no extension of that name"));
	free(said);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		daemon_test(test_f4_the_worker_that_holds_is_killed),
		daemon_test(test_f5_clients_do_as_they_like),
		daemon_test(test_f6_a_full_table_of_a_weir),
		daemon_test(test_a_reload_keeps_the_count),
		daemon_test(test_a_table_that_is_not_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
