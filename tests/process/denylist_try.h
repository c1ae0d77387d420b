/* denylist_try.h - a real weir with a denylist, and its clients. */
#ifndef DENYLIST_TRY_H
#define DENYLIST_TRY_H

#include <sys/socket.h>
#include <sys/stat.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/daemon.h"
#include "lib/http.h"
#include "lib/peer.h"
#include "lib/procs.h"

#define CONF(options)                                                          \
	"process = { workers = 2; pidfile = \"weir.pid\"; };\n"                \
	"api = { listen = \"unix:api\"; };\n"                                  \
	"extensions = ( { type = \"denylist\"; " options " } );\n"             \
	"servers = ( { name = \"e\"; listen = \"127.0.0.1:0\";\n"              \
	"  middlewares = ( \"echo\" ); },\n"                                   \
	"  { name = \"f\"; listen = \"127.0.0.1:0\";\n"                        \
	"  middlewares = ( \"echo\" ); } );\n"
#define LIST "POST /v1/extensions/denylist/list"
#define ADD  "POST /v1/extensions/denylist/add?network="
#define DEL  "POST /v1/extensions/denylist/del?network="

/* Connected from that address of the loopback, having said something. */
static inline int
client_from(struct daemon *d, const char *server, const char *from)
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	struct timeval limit = { DAEMON_MS / 1000, 0 };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_not_equal(fd, -1);
	assert_int_equal(inet_pton(AF_INET, from, &at.sin_addr), 1);
	assert_int_equal(bind(fd, (const struct sockaddr *)&at, sizeof(at)), 0);
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	at.sin_port = htons(daemon_port(d, server, 0));
	assert_int_equal(
		connect(fd, (const struct sockaddr *)&at, sizeof(at)), 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	(void)send(fd, "x", 1, MSG_NOSIGNAL);
	return fd;
}

static inline bool
is_refused(struct daemon *d, const char *server, const char *from)
{
	int fd = client_from(d, server, from);
	char c = 'y';
	long n = recv(fd, &c, 1, 0);

	close(fd);
	assert_true(n <= 0 || c == 'x');
	return n <= 0;
}

static inline void
ask(struct daemon *d, const char *what, int status)
{
	struct http h = http_ask(d, what, NULL, status);

	http_done(&h);
}

static inline void
ask_wrong(struct daemon *d, const char *what, int status, const char *why)
{
	struct http h = http_ask(d, what, NULL, status);

	assert_non_null(strstr(http_string(&h, "error"), why));
	http_done(&h);
}

/* In all workers, of all servers. */
static inline void
assert_refused_everywhere(struct daemon *d, const char *from, bool refused)
{
	int i;

	for (i = 0; i < 8; i++)
		assert_int_equal(
			is_refused(d, i % 2 == 0 ? "e" : "f", from), refused);
}

#endif
