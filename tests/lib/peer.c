/* peer.c - clients and servers on loopback for tests. */
#include <sys/socket.h>
#include <sys/un.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/peer.h"
#include "lib/procs.h"

#define PEER_FAIL(...) (print_error(__VA_ARGS__), print_error("\n"), fail())

static int peer_socket(int family);
static int peer_try(int fd, const struct sockaddr *sa, socklen_t len);
static struct sockaddr_in peer_loopback(uint16_t port);
static bool peer_poll(int fd, short events, int ms);
static void peer_await(int fd, short events, const char *what);
static ssize_t peer_recv(int fd, void *p, size_t n, const char *what);

int
peer_listen(uint16_t *port)
{
	return peer_listen_backlog(port, 128);
}

int
peer_listen_backlog(uint16_t *port, int backlog)
{
	struct sockaddr_in in = peer_loopback(0);
	socklen_t len = sizeof(in);
	int fd = peer_socket(AF_INET);

	assert_int_equal(bind(fd, (struct sockaddr *)&in, len), 0);
	assert_int_equal(listen(fd, backlog), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&in, &len), 0);
	*port = ntohs(in.sin_port);
	return fd;
}

int
peer_hold(uint16_t *port)
{
	struct sockaddr_in in = peer_loopback(0);
	socklen_t len = sizeof(in);
	int fd = peer_socket(AF_INET), on = 1;

	assert_int_equal(
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)), 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&in, len), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&in, &len), 0);
	*port = ntohs(in.sin_port);
	return fd;
}

int
peer_connect(uint16_t port)
{
	struct sockaddr_in in = peer_loopback(port);
	int fd = peer_socket(AF_INET);
	int err = peer_try(fd, (struct sockaddr *)&in, sizeof(in));

	if (err != 0)
		PEER_FAIL("connect to port %u: %s", port, strerror(err));
	return fd;
}

int
peer_connect_from(uint32_t address, uint16_t port)
{
	struct sockaddr_in to = peer_loopback(port), from = peer_loopback(0);
	int fd = peer_socket(AF_INET), err;

	from.sin_addr.s_addr = htonl(address);
	assert_int_equal(bind(fd, (struct sockaddr *)&from, sizeof(from)), 0);
	err = peer_try(fd, (struct sockaddr *)&to, sizeof(to));
	if (err != 0)
		PEER_FAIL("connect to port %u: %s", port, strerror(err));
	return fd;
}

int
peer_connect_unix(const char *path)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int fd = peer_socket(AF_UNIX), err, left_ms = PEER_MS;

	assert_true(strlen(path) < sizeof(un.sun_path));
	memcpy(un.sun_path, path, strlen(path));
	/* Its backlog has no room; nothing tells when it has (unix(7)). */
	while ((err = peer_try(fd, (struct sockaddr *)&un, sizeof(un))) ==
			EAGAIN &&
		left_ms-- > 0)
		poll(NULL, 0, 1);
	if (err != 0)
		PEER_FAIL("connect to %s: %s", path, strerror(err));
	return fd;
}

int
peer_connect_error(uint16_t port)
{
	struct sockaddr_in in = peer_loopback(port);
	int fd = peer_socket(AF_INET);
	int err = peer_try(fd, (struct sockaddr *)&in, sizeof(in));

	close(fd);
	return err;
}

int
peer_accept(int listen_fd)
{
	int fd;

	peer_await(listen_fd, POLLIN, "a connection to accept");
	fd = accept4(listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	assert_int_not_equal(fd, -1);
	return fd;
}

bool
peer_nobody(int listen_fd, int ms)
{
	return !peer_poll(listen_fd, POLLIN, ms);
}

void
peer_send_all(int fd, const void *p, size_t n)
{
	const uint8_t *at = p;
	ssize_t sent;

	while (n > 0) {
		peer_await(fd, POLLOUT, "room to send");
		sent = send(fd, at, n, MSG_NOSIGNAL);
		if (sent == -1 && (errno == EAGAIN || errno == EINTR))
			continue;
		if (sent == -1)
			PEER_FAIL("send: %s", strerror(errno));
		at += sent;
		n -= (size_t)sent;
	}
}

void
peer_send_text(int fd, const char *text)
{
	peer_send_all(fd, text, strlen(text));
}

size_t
peer_send_until_full(int fd, size_t max, int ms)
{
	static const uint8_t zeros[65536];
	size_t total = 0;
	ssize_t sent;

	while (total < max && peer_poll(fd, POLLOUT, ms)) {
		sent = send(fd, zeros,
			max - total < sizeof(zeros) ? max - total
						    : sizeof(zeros),
			MSG_NOSIGNAL);
		if (sent == -1 && errno != EAGAIN && errno != EINTR)
			PEER_FAIL("send: %s", strerror(errno));
		total += sent > 0 ? (size_t)sent : 0;
	}
	return total;
}

void
peer_read_exact(int fd, void *p, size_t n)
{
	uint8_t *at = p;
	ssize_t got;

	while (n > 0) {
		got = peer_recv(fd, at, n, "bytes");
		if (got <= 0)
			PEER_FAIL("%s with %zu bytes missing",
				got == 0 ? "FIN" : strerror(errno), n);
		at += got;
		n -= (size_t)got;
	}
}

void
peer_expect_text(int fd, const char *text)
{
	size_t n = strlen(text);
	char got[4096];

	assert_true(n < sizeof(got));
	peer_read_exact(fd, got, n);
	got[n] = '\0';
	assert_string_equal(got, text);
}

void
peer_echo(int fd, const char *text)
{
	peer_send_text(fd, text);
	peer_expect_text(fd, text);
}

void
peer_read_eof(int fd)
{
	uint8_t one;
	ssize_t got = peer_recv(fd, &one, 1, "FIN");

	if (got != 0)
		PEER_FAIL("%s in place of FIN",
			got == 1 ? "a byte" : strerror(errno));
}

size_t
peer_read_to_eof(int fd, void *p, size_t max)
{
	uint8_t buf[65536];
	size_t total = 0, n;
	ssize_t got;

	while ((got = peer_recv(fd, buf, sizeof(buf), "bytes or FIN")) > 0) {
		n = total < max ? max - total : 0;
		if (n > (size_t)got)
			n = (size_t)got;
		if (n > 0)
			memcpy((uint8_t *)p + total, buf, n);
		total += (size_t)got;
	}
	if (got == -1)
		PEER_FAIL("%s after %zu bytes", strerror(errno), total);
	return total;
}

size_t
peer_expect_reset(int fd)
{
	uint8_t buf[65536];
	size_t total = 0;
	ssize_t got;

	while ((got = peer_recv(fd, buf, sizeof(buf), "a reset")) > 0)
		total += (size_t)got;
	if (got == 0)
		PEER_FAIL("FIN after %zu bytes in place of a reset", total);
	if (errno != ECONNRESET)
		PEER_FAIL("%s in place of a reset", strerror(errno));
	return total;
}

bool
peer_is_silent(int fd, int ms)
{
	return !peer_poll(fd, POLLIN | POLLRDHUP, ms);
}

void
peer_half_close(int fd)
{
	assert_int_equal(shutdown(fd, SHUT_WR), 0);
}

void
peer_abort(int fd)
{
	const struct linger now = { .l_onoff = 1, .l_linger = 0 };

	assert_int_equal(
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now)), 0);
	close(fd);
}

static int
peer_socket(int family)
{
	int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	const int on = 1;

	assert_int_not_equal(fd, -1);
	if (family == AF_INET)
		assert_int_equal(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on,
					 sizeof(on)),
			0);
	return fd;
}

/* 0, or the errno of connecting. */
static int
peer_try(int fd, const struct sockaddr *sa, socklen_t len)
{
	socklen_t errlen = sizeof(int);
	int err = 0;

	if (connect(fd, sa, len) == 0)
		return 0;
	if (errno != EINPROGRESS)
		return errno;
	if (!peer_poll(fd, POLLOUT, PEER_MS))
		return ETIMEDOUT;
	getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &errlen);
	return err;
}

static struct sockaddr_in
peer_loopback(uint16_t port)
{
	return (struct sockaddr_in){ .sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
}

static bool
peer_poll(int fd, short events, int ms)
{
	struct pollfd pfd = { .fd = fd, .events = events };
	int64_t end = procs_now() + ms;
	int rc;

	do {
		ms = (int)(end - procs_now());
		rc = poll(&pfd, 1, ms > 0 ? ms : 0);
	} while (rc == -1 && errno == EINTR);
	return rc == 1;
}

static void
peer_await(int fd, short events, const char *what)
{
	if (!peer_poll(fd, events, PEER_MS))
		PEER_FAIL("no %s within %d ms", what, PEER_MS);
}

static ssize_t
peer_recv(int fd, void *p, size_t n, const char *what)
{
	ssize_t got;

	do {
		peer_await(fd, POLLIN, what);
		got = recv(fd, p, n, 0);
	} while (got == -1 && (errno == EAGAIN || errno == EINTR));
	return got;
}
