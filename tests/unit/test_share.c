/* test_share.c - several sockets at one address, one for each worker. */
#include <sys/socket.h>
#include <netinet/in.h>

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/options.h"
#include "lib/peer.h"
#include "master/activation.h"
#include "unit/listeners_try.h"

static int
teardown(void **state)
{
	(void)state;
	listeners_done(&ls);
	server.listen.n = 0;
	return 0;
}

static void
share(unsigned workers)
{
	listen_on("127.0.0.1:0");
	listens[0].reuseport = true;
	listens[0].backlog = 1024;
	assert_int_equal(listeners_init(&ls, &conf, workers), 0);
	assert_int_equal(listeners_bind(&ls), 0);
	assert_int_equal(ls.n, workers);
}

static uint16_t
port_of(const struct listeners *of, size_t i)
{
	struct weir_addr a;

	assert_int_equal(listeners_address(of, i, &a), 0);
	return ntohs(a.in.sin_port);
}

/* How many of n connections its sockets got, each; the sum is n. */
static void
spread(const struct listeners *of, unsigned n, unsigned got[])
{
	unsigned i, sum = 0;
	int fd;

	for (i = 0; i < n; i++)
		close(peer_connect(port_of(of, 0)));
	for (i = 0; i < of->n; i++) {
		got[i] = 0;
		while ((fd = accept(of->v[i].fd, NULL, NULL)) != -1) {
			close(fd);
			got[i]++;
			sum++;
		}
	}
	assert_int_equal(sum, n);
}

static void
test_every_worker_has_a_socket(void **state)
{
	unsigned got[3], i;

	(void)state;
	share(3);
	assert_true(ls.shares);
	for (i = 0; i < 3; i++) {
		assert_int_equal(ls.v[i].share, i + 1);
		assert_int_equal(heritage_slot(&ls.v[i], 3), i);
		assert_int_equal(port_of(&ls, i), port_of(&ls, 0));
	}
	spread(&ls, 200, got);
	for (i = 0; i < 3; i++)
		assert_true(got[i] > 0);
}

/* What the kernel would allow: two programs at one address. */
static void
test_another_one_is_refused(void **state)
{
	struct listeners other;
	char address[32];
	const char *why;

	(void)state;
	share(2);
	snprintf(address, sizeof(address), "127.0.0.1:%u", port_of(&ls, 0));
	assert_int_equal(addr_parse(&listens[0].address, address, &why), 0);
	assert_int_equal(listeners_init(&other, &conf, 2), 0);
	assert_int_equal(listeners_bind(&other), 2);
	assert_int_equal(other.info[0].err, EADDRINUSE);
	assert_true(listeners_busy(&other));
	listeners_done(&other);
}

/* New ones beside those that serve get nothing before the commit. */
static void
test_more_workers(void **state)
{
	struct listeners next;
	unsigned got[5], i;

	(void)state;
	share(2);
	assert_int_equal(listeners_init(&next, &conf, 5), 0);
	assert_int_equal(listeners_adopt(&next, &ls), 0);
	assert_int_equal(listeners_bind(&next), 0);
	assert_int_equal(next.n, 5);
	spread(&ls, 50, got);
	listeners_undo(&next);
	spread(&ls, 50, got);
	assert_int_equal(listeners_init(&next, &conf, 5), 0);
	assert_int_equal(listeners_adopt(&next, &ls), 0);
	assert_int_equal(listeners_bind(&next), 0);
	listeners_commit(&next, &ls);
	spread(&next, 300, got);
	for (i = 0; i < 5; i++)
		assert_true(got[i] > 0);
	listeners_done(&next);
}

/* None is closed, as connections may wait in it. */
static void
test_fewer_workers(void **state)
{
	struct listeners next;
	unsigned got[3], i;

	(void)state;
	share(3);
	assert_int_equal(listeners_init(&next, &conf, 2), 0);
	assert_int_equal(listeners_adopt(&next, &ls), 0);
	assert_int_equal(next.n, 3);
	assert_int_equal(listeners_bind(&next), 0);
	listeners_commit(&next, &ls);
	for (i = 0; i < 3; i++)
		assert_int_equal(heritage_slot(&next.v[i], 2), i % 2);
	spread(&next, 200, got);
	listeners_done(&next);
}

/* The option may come and go: the socket is the same one. */
static void
test_shared_or_not(void **state)
{
	struct listeners next, last;
	unsigned got[3];

	(void)state;
	share(3);
	listens[0].reuseport = false;
	assert_int_equal(listeners_init(&next, &conf, 2), 0);
	assert_int_equal(listeners_adopt(&next, &ls), 0);
	assert_int_equal(next.n, 3);
	assert_false(next.shares);
	assert_int_equal(next.v[2].share, 0);
	listeners_commit(&next, &ls);
	spread(&next, 50, got);
	listeners_done(&ls);
	listeners_done(&next);
	server.listen.n = 0;
	listen_on("127.0.0.1:0");
	listens[0].backlog = 1024;
	assert_int_equal(listeners_init(&next, &conf, 2), 0);
	assert_int_equal(listeners_bind(&next), 0);
	assert_int_equal(next.n, 1);
	listens[0].reuseport = true;
	assert_int_equal(listeners_init(&last, &conf, 2), 0);
	assert_int_equal(listeners_adopt(&last, &next), 0);
	assert_int_equal(listeners_bind(&last), 0);
	listeners_commit(&last, &next);
	assert_int_equal(last.n, 2);
	spread(&last, 100, got);
	assert_true(got[0] > 0 && got[1] > 0);
	listeners_done(&next);
	listeners_done(&last);
	listens[0].reuseport = false;
}

static int
is_open(const struct listeners *of, size_t i)
{
	return option_of(of->v[i].fd, SOL_SOCKET, SO_REUSEPORT);
}

/* What serves is as it was; what was to be several before stays so. */
static void
test_sharing_in_vain(void **state)
{
	struct listeners next, last;

	(void)state;
	listen_on("127.0.0.1:0");
	assert_int_equal(listeners_init(&ls, &conf, 2), 0);
	assert_int_equal(listeners_bind(&ls), 0);
	assert_int_equal(is_open(&ls, 0), 0);
	listens[0].reuseport = true;
	assert_int_equal(listeners_init(&next, &conf, 3), 0);
	assert_int_equal(listeners_adopt(&next, &ls), 0);
	assert_int_equal(listeners_bind(&next), 0);
	assert_int_equal(is_open(&ls, 0), 1);
	listeners_undo(&next);
	assert_int_equal(is_open(&ls, 0), 0);
	assert_int_equal(listeners_init(&next, &conf, 3), 0);
	assert_int_equal(listeners_adopt(&next, &ls), 0);
	assert_int_equal(listeners_bind(&next), 0);
	listeners_commit(&next, &ls);
	assert_int_equal(listeners_init(&last, &conf, 4), 0);
	assert_int_equal(listeners_adopt(&last, &next), 0);
	assert_int_equal(listeners_bind(&last), 0);
	listeners_undo(&last);
	assert_int_equal(is_open(&next, 0), 1);
	listeners_done(&next);
}

/* A socket at a port of 127.0.0.1 that another user made, or at an address that
 * is not ours, on which nothing else may be bound. */
static struct activated
inherited(bool others)
{
	struct activated s = { .fd = -1 };
	const int on = 1;
	const char *why;

	assert_int_equal(addr_parse(&s.address,
				 others ? "127.0.0.1:0" : "192.0.2.1:0", &why),
		0);
	assert_int_equal(seteuid(others ? 65534 : geteuid()), 0);
	s.fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	assert_int_equal(seteuid(getuid()), 0);
	assert_int_equal(
		setsockopt(s.fd, IPPROTO_IP, IP_FREEBIND, &on, sizeof(on)), 0);
	assert_int_equal(bind(s.fd, &s.address.sa, s.address.len), 0);
	assert_int_equal(listen(s.fd, 1024), 0);
	assert_int_equal(getsockname(s.fd, &s.address.sa, &s.address.len), 0);
	return s;
}

/* The one that there is serves all; others are not touched by that. */
static void
check_inherited(bool others)
{
	struct activated one = inherited(others);
	struct activation all = { &one, 1 };
	struct listeners next;

	listen_on("127.0.0.1:0");
	listen_on("127.0.0.1:0");
	listen_on("127.0.0.1:0");
	listens[0].reuseport = listens[1].reuseport = listens[2].reuseport =
		true;
	listens[1].address = one.address;
	listens[1].text = "inherited";
	assert_int_equal(listeners_init(&ls, &conf, 3), 0);
	ls.activation = &all;
	assert_int_equal(listeners_bind(&ls), 0);
	assert_int_equal(ls.n, 7);
	assert_true(ls.shares);
	assert_int_equal(ls.info[2].head, 0);
	assert_int_equal(ls.v[3].listen, 1);
	assert_int_equal(ls.v[3].share, 0);
	assert_int_equal(is_open(&ls, 3), 0);
	assert_int_equal(ls.info[4].head, 4);
	assert_int_equal(ls.info[6].head, 4);
	assert_int_equal(ls.v[6].share, 3);
	assert_int_equal(port_of(&ls, 6), port_of(&ls, 4));
	/* The same in a reload. */
	assert_int_equal(listeners_init(&next, &conf, 4), 0);
	assert_int_equal(listeners_adopt(&next, &ls), 0);
	assert_int_equal(listeners_bind(&next), 0);
	assert_int_equal(next.n, 9);
	assert_int_equal(next.v[4].share, 0);
	listeners_undo(&next);
	/* Alone: nobody has anything of his own. */
	listeners_done(&ls);
	server.listen.n = 0;
	listen_on("127.0.0.1:0");
	listens[0] = listens[1];
	assert_int_equal(listeners_init(&ls, &conf, 3), 0);
	ls.activation = &all;
	assert_int_equal(listeners_bind(&ls), 0);
	assert_int_equal(ls.n, 1);
	assert_false(ls.shares);
	listeners_done(&ls);
	server.listen.n = 0;
	close(one.fd);
}

static void
test_none_beside_an_inherited_one(void **state)
{
	(void)state;
	check_inherited(false);
	/* Only root can make a socket for somebody else. */
	if (geteuid() == 0)
		check_inherited(true);
}

/* Two at addresses that are written alike: each stays what it is. */
static void
test_two_at_any_port(void **state)
{
	struct listeners next;
	uint16_t ports[2];

	(void)state;
	listen_on("127.0.0.1:0");
	listen_on("127.0.0.1:0");
	assert_int_equal(listeners_init(&ls, &conf, 1), 0);
	assert_int_equal(listeners_bind(&ls), 0);
	ports[0] = port_of(&ls, 0);
	ports[1] = port_of(&ls, 1);
	assert_int_equal(listeners_init(&next, &conf, 1), 0);
	assert_int_equal(listeners_adopt(&next, &ls), 0);
	assert_int_equal(next.n, 2);
	assert_int_equal(port_of(&next, 0), ports[0]);
	assert_int_equal(port_of(&next, 1), ports[1]);
	listeners_done(&next);
}

int
main(void)
{
#define SHARE_TEST(f) cmocka_unit_test_setup_teardown(f, NULL, teardown)
	const struct CMUnitTest tests[] = {
		SHARE_TEST(test_every_worker_has_a_socket),
		SHARE_TEST(test_another_one_is_refused),
		SHARE_TEST(test_more_workers),
		SHARE_TEST(test_fewer_workers),
		SHARE_TEST(test_shared_or_not),
		SHARE_TEST(test_sharing_in_vain),
		SHARE_TEST(test_none_beside_an_inherited_one),
		SHARE_TEST(test_two_at_any_port),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
