/* test_sockopt.c - options reach a socket, and leave it again. */
#include <sys/resource.h>

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/sockopt.h"
#include "lib/net.h"
#include "lib/options.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const struct row {
	int id, level, option;
	int value;
	int reads; /* what getsockopt(2) says then; 0: the value */
} rows[] = {
	{ SOCKOPT_NODELAY, IPPROTO_TCP, TCP_NODELAY, 1, 0 },
	{ SOCKOPT_SNDBUF, SOL_SOCKET, SO_SNDBUF, 12288, 24576 },
	{ SOCKOPT_RCVBUF, SOL_SOCKET, SO_RCVBUF, 16384, 32768 },
	{ SOCKOPT_KEEPALIVE, SOL_SOCKET, SO_KEEPALIVE, 1, 0 },
	{ SOCKOPT_KEEPIDLE, IPPROTO_TCP, TCP_KEEPIDLE, 60, 0 },
	{ SOCKOPT_KEEPINTVL, IPPROTO_TCP, TCP_KEEPINTVL, 10, 0 },
	{ SOCKOPT_KEEPCNT, IPPROTO_TCP, TCP_KEEPCNT, 6, 0 },
	{ SOCKOPT_USER_TIMEOUT, IPPROTO_TCP, TCP_USER_TIMEOUT, 30000, 0 },
	{ SOCKOPT_DEFER_ACCEPT, IPPROTO_TCP, TCP_DEFER_ACCEPT, 1, 0 },
	{ SOCKOPT_FASTOPEN, IPPROTO_TCP, TCP_FASTOPEN, 16, 0 },
	{ SOCKOPT_FASTOPEN_CONNECT, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, 1, 0 },
	{ SOCKOPT_NO_PORT, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1, 0 },
};

static int
open_tcp(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_not_equal(fd, -1);
	return fd;
}

static int
row_value(int fd, const struct row *row)
{
	return option_of(fd, row->level, row->option);
}

static void
test_each_is_set_and_taken_back(void **state)
{
	const struct sockopts none = { .n = 0 };
	enum sockopt_id failed;
	struct sockopts one, left;
	int fd, before;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		fd = open_tcp();
		before = row_value(fd, &rows[i]);
		one.n = 0;
		sockopts_add(&one, (enum sockopt_id)rows[i].id, rows[i].value);
		assert_int_equal(sockopts_set(fd, AF_INET, &one, &failed), 0);
		assert_int_equal(row_value(fd, &rows[i]),
			rows[i].reads != 0 ? rows[i].reads : rows[i].value);
		assert_int_not_equal(row_value(fd, &rows[i]), before);
		assert_int_equal(
			sockopts_change(fd, AF_INET, &one, &none, &left), 0);
		assert_int_equal(row_value(fd, &rows[i]), before);
		close(fd);
	}
}

/* A size that was set keeps the kernel from adapting it; none does. */
static void
test_buffers_adapt_again(void **state)
{
	const struct sockopts none = { .n = 0 };
	struct sockopts both = { .n = 0 }, left;
	enum sockopt_id failed;
	int fd = open_tcp();

	(void)state;
	sockopts_add(&both, SOCKOPT_SNDBUF, 8192);
	sockopts_add(&both, SOCKOPT_RCVBUF, 8192);
	assert_int_equal(sockopts_set(fd, AF_INET, &both, &failed), 0);
	assert_int_equal(option_of(fd, SOL_SOCKET, SO_BUF_LOCK), 3);
	assert_int_equal(sockopts_change(fd, AF_INET, &both, &none, &left), 0);
	assert_int_equal(option_of(fd, SOL_SOCKET, SO_BUF_LOCK), 0);
	close(fd);
}

/* One that cannot be set is told, and keeps no other one back. */
static void
test_others_change_all_the_same(void **state)
{
	struct sockopts were = { .n = 0 }, o = { .n = 0 }, failed;
	int fd = open_tcp();
	size_t i;

	(void)state;
	sockopts_add(&were, SOCKOPT_NODELAY, 1);
	sockopts_add(&o, SOCKOPT_KEEPCNT, 1000);
	sockopts_add(&o, SOCKOPT_KEEPIDLE, 100000);
	sockopts_add(&o, SOCKOPT_KEEPALIVE, 1);
	assert_int_equal(sockopts_change(fd, AF_INET, &were, &o, &failed), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(failed.n, 2);
	assert_int_equal(failed.v[0].id, SOCKOPT_KEEPCNT);
	assert_int_equal(failed.v[1].id, SOCKOPT_KEEPIDLE);
	for (i = 0; i < failed.n; i++)
		assert_int_equal(failed.v[i].value, EINVAL);
	assert_int_equal(row_value(fd, &rows[3]), 1);
	close(fd);
}

/* The system may have values that no socket takes: the most that one does. */
static void
test_a_system_with_large_values(void **state)
{
	struct sockopts were = { .n = 0 }, o = { .n = 0 }, failed;
	enum sockopt_id none;
	int fd;

	(void)state;
	net_make();
	net_keepalive(100000, 40000);
	fd = open_tcp();
	sockopts_add(&were, SOCKOPT_KEEPIDLE, 60);
	sockopts_add(&were, SOCKOPT_KEEPINTVL, 10);
	sockopts_add(&o, SOCKOPT_NODELAY, 1);
	assert_int_equal(sockopts_set(fd, AF_INET, &were, &none), 0);
	assert_int_equal(sockopts_change(fd, AF_INET, &were, &o, &failed), 0);
	assert_int_equal(row_value(fd, &rows[4]), 32767);
	assert_int_equal(row_value(fd, &rows[5]), 32767);
	assert_int_equal(row_value(fd, &rows[0]), 1);
	close(fd);
}

/* Where no new socket can tell the system's value, none is made up. */
static void
test_without_a_socket_to_ask(void **state)
{
	struct sockopts were = { .n = 0 }, o = { .n = 0 }, failed;
	struct rlimit before, none;
	enum sockopt_id id;
	int fd = open_tcp(), rc;

	(void)state;
	sockopts_add(&were, SOCKOPT_SNDBUF, 12288);
	sockopts_add(&o, SOCKOPT_KEEPALIVE, 1);
	assert_int_equal(sockopts_set(fd, AF_INET, &were, &id), 0);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = before;
	none.rlim_cur = 0;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	rc = sockopts_change(fd, AF_INET, &were, &o, &failed);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_int_equal(rc, -1);
	assert_int_equal(failed.n, 1);
	assert_int_equal(failed.v[0].id, SOCKOPT_SNDBUF);
	assert_int_equal(failed.v[0].value, EMFILE);
	assert_int_equal(row_value(fd, &rows[1]), 24576);
	assert_int_equal(row_value(fd, &rows[3]), 1);
	close(fd);
}

static void
test_defaults_are_not_listed(void **state)
{
	struct sockopts a = { .n = 0 }, b = { .n = 0 };

	(void)state;
	sockopts_add(&a, SOCKOPT_KEEPIDLE, 0);
	assert_int_equal(a.n, 0);
	assert_true(sockopts_equal(&a, &b));
	sockopts_add(&a, SOCKOPT_NODELAY, 1);
	assert_false(sockopts_equal(&a, &b));
	sockopts_add(&b, SOCKOPT_KEEPALIVE, 1);
	assert_false(sockopts_equal(&a, &b));
	sockopts_add(&b, SOCKOPT_NODELAY, 1);
	sockopts_add(&a, SOCKOPT_KEEPALIVE, 1);
	assert_true(sockopts_equal(&a, &b));
}

/* Those of TCP mean nothing to a unix socket, those of IPv6 to IPv4. */
static void
test_others_are_left_out(void **state)
{
	int pair[2];
	size_t i;

	(void)state;
	assert_int_equal(
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	for (i = 0; i < COUNT(rows); i++)
		assert_int_equal(
			sockopt_set(pair[0], AF_UNIX,
				(enum sockopt_id)rows[i].id, rows[i].value),
			0);
	close(pair[0]);
	close(pair[1]);
	pair[0] = open_tcp();
	assert_int_equal(
		sockopt_set(pair[0], AF_INET, SOCKOPT_TRANSPARENT6, 1), 0);
	close(pair[0]);
}

static void
test_what_fails_is_named(void **state)
{
	struct sockopts o = { .n = 0 };
	enum sockopt_id failed = SOCKOPT_NONE;
	char why[SOCKOPT_WHY];
	int fd = open_tcp();

	(void)state;
	sockopts_add(&o, SOCKOPT_KEEPALIVE, 1);
	sockopts_add(&o, SOCKOPT_KEEPCNT, 1000);
	assert_int_equal(sockopts_set(fd, AF_INET, &o, &failed), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(failed, SOCKOPT_KEEPCNT);
	assert_string_equal(sockopt_why(failed, EINVAL, why),
		"option \"keepalive_count\" (TCP_KEEPCNT) cannot be set: "
		"Invalid argument");
	assert_string_equal(sockopt_why(SOCKOPT_MARK, EPERM, why),
		"option \"mark\" (SO_MARK) cannot be set: Operation not "
		"permitted: it needs the capability CAP_NET_ADMIN");
	assert_non_null(strstr(sockopt_why(SOCKOPT_TRANSPARENT6, EPERM, why),
		"(IPV6_TRANSPARENT) cannot be set: Operation not permitted: "
		"it needs the capability CAP_NET_RAW or CAP_NET_ADMIN"));
	assert_non_null(strstr(sockopt_why(SOCKOPT_FASTOPEN, ENOPROTOOPT, why),
		": this kernel does not have it"));
	close(fd);
}

static void
test_a_buffer_that_is_too_small_is_noticed(void **state)
{
	struct sockopts o = { .n = 0 };
	enum sockopt_id failed;
	int fd = open_tcp();

	(void)state;
	sockopts_add(&o, SOCKOPT_SNDBUF, 8192);
	assert_int_equal(sockopts_set(fd, AF_INET, &o, &failed), 0);
	assert_null(sockopts_capped(fd, &o));
	sockopts_add(&o, SOCKOPT_RCVBUF, 1 << 30);
	assert_int_equal(sockopts_set(fd, AF_INET, &o, &failed), 0);
	assert_string_equal(sockopts_capped(fd, &o), "net.core.rmem_max");
	close(fd);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_is_set_and_taken_back),
		cmocka_unit_test(test_buffers_adapt_again),
		cmocka_unit_test(test_others_change_all_the_same),
		cmocka_unit_test(test_without_a_socket_to_ask),
		cmocka_unit_test(test_defaults_are_not_listed),
		cmocka_unit_test(test_others_are_left_out),
		cmocka_unit_test(test_what_fails_is_named),
		cmocka_unit_test(test_a_buffer_that_is_too_small_is_noticed),
		cmocka_unit_test(test_a_system_with_large_values),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
