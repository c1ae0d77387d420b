/* options.c - options of sockets, as the kernel says them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/sockopt.h"
#include "lib/options.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const struct {
	int id, level, option;
	int value;
	int reads; /* what getsockopt(2) says then */
} rows[] = {
	{ SOCKOPT_SNDBUF, SOL_SOCKET, SO_SNDBUF, 20000, 40000 },
	{ SOCKOPT_RCVBUF, SOL_SOCKET, SO_RCVBUF, 30000, 60000 },
	{ SOCKOPT_KEEPALIVE, SOL_SOCKET, SO_KEEPALIVE, 1, 1 },
	{ SOCKOPT_KEEPIDLE, IPPROTO_TCP, TCP_KEEPIDLE, 60, 60 },
	{ SOCKOPT_KEEPINTVL, IPPROTO_TCP, TCP_KEEPINTVL, 10, 10 },
	{ SOCKOPT_KEEPCNT, IPPROTO_TCP, TCP_KEEPCNT, 6, 6 },
	{ SOCKOPT_USER_TIMEOUT, IPPROTO_TCP, TCP_USER_TIMEOUT, 5000, 5000 },
};

int
option_of(int fd, int level, int name)
{
	socklen_t len = sizeof(int);
	int value = -1;

	assert_int_equal(getsockopt(fd, level, name, &value, &len), 0);
	return value;
}

void
options_add(struct sockopts *o)
{
	size_t i;

	for (i = 0; i < COUNT(rows); i++)
		sockopts_add(o, (enum sockopt_id)rows[i].id, rows[i].value);
}

void
options_expect(int fd, bool set)
{
	size_t i;
	int value;

	for (i = 0; i < COUNT(rows); i++) {
		value = option_of(fd, rows[i].level, rows[i].option);
		if (set)
			assert_int_equal(value, rows[i].reads);
		else
			assert_int_not_equal(value, rows[i].reads);
	}
}
