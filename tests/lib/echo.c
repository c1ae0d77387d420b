/* echo.c - servers that send back what they get, or do one thing wrong. */
#include <sys/epoll.h>
#include <sys/socket.h>
#include <netinet/in.h>

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/echo.h"
#include "lib/peer.h"

#define ECHO_BACKLOG 4096
#define ECHO_LAST    64

struct echo_channel {
	struct echo_wire wire;
	enum echo_fault fault; /* still to be done */
	uint8_t *kept;	       /* could not be sent yet */
	size_t nkept, kept_at;
};

static uint8_t echo_scratch[65536];
static uint8_t echo_last[ECHO_LAST]; /* first bytes of the last faultless read
				      */

static void echo_accept(struct echo_wire *w, uint32_t events);
static void echo_serve(struct echo_wire *w, uint32_t events);
static int echo_flush(struct echo_channel *c);
static void echo_keep(struct echo_channel *c, const uint8_t *p, size_t n);
static int echo_take(struct echo_channel *c, size_t n);
static void echo_reset(struct echo_channel *c);
static void echo_free(struct echo_channel *c);

void
echo_listen(struct echo *e)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int on = 1, hold = peer_hold(&e->port);

	/* Bound by number, it keeps the port when it does not listen. */
	e->wire.fd =
		socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	assert_int_not_equal(e->wire.fd, -1);
	assert_int_equal(setsockopt(e->wire.fd, SOL_SOCKET, SO_REUSEADDR, &on,
				 sizeof(on)),
		0);
	in.sin_port = htons(e->port);
	assert_int_equal(
		bind(e->wire.fd, (struct sockaddr *)&in, sizeof(in)), 0);
	close(hold);
	assert_int_equal(listen(e->wire.fd, ECHO_BACKLOG), 0);
	e->wire.ready = echo_accept;
}

int
echo_join(struct echo *e, int epoll, int64_t now_ms)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = &e->wire };

	e->epoll = epoll;
	e->start_ms = now_ms;
	return epoll_ctl(epoll, EPOLL_CTL_ADD, e->wire.fd, &ev);
}

void
echo_tick(struct echo *e, int64_t now_ms)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = &e->wire };
	int64_t ms = now_ms - e->start_ms - e->at_ms;

	if (e->fault != ECHO_HIDES)
		return;
	if (e->faults == 0 && ms >= 0) {
		/* It stops to listen, but stays bound (shutdown(2)). */
		epoll_ctl(e->epoll, EPOLL_CTL_DEL, e->wire.fd, NULL);
		shutdown(e->wire.fd, SHUT_RDWR);
		e->faults = 1;
	} else if (e->faults == 1 && ms >= e->while_ms) {
		if (listen(e->wire.fd, ECHO_BACKLOG) == 0)
			epoll_ctl(e->epoll, EPOLL_CTL_ADD, e->wire.fd, &ev);
		e->faults = 2;
	}
}

static void
echo_accept(struct echo_wire *w, uint32_t events)
{
	struct echo *e = (struct echo *)w;
	struct epoll_event ev = { .events = EPOLLIN | EPOLLOUT | EPOLLET };
	struct echo_channel *c;
	int fd;

	(void)events;
	while ((fd = accept4(w->fd, NULL, NULL,
			SOCK_NONBLOCK | SOCK_CLOEXEC)) != -1) {
		c = calloc(1, sizeof(*c));
		if (c == NULL)
			abort();
		c->wire = (struct echo_wire){ fd, echo_serve };
		e->connections++;
		if (e->every > 0 && e->connections % e->every == 0) {
			c->fault = e->fault;
			e->faults++;
		}
		ev.data.ptr = &c->wire;
		if (epoll_ctl(e->epoll, EPOLL_CTL_ADD, fd, &ev) == -1)
			abort();
	}
	/* Whoever cannot be let in would look like a fault of another. */
	if (errno == EMFILE || errno == ENFILE)
		abort();
}

static void
echo_serve(struct echo_wire *w, uint32_t events)
{
	struct echo_channel *c = (struct echo_channel *)w;
	ssize_t got;
	int rc;

	(void)events;
	while ((rc = echo_flush(c)) == 1) {
		got = recv(w->fd, echo_scratch, sizeof(echo_scratch), 0);
		if (got == -1 && errno == EAGAIN)
			return;
		/* One that stalls does not even end. */
		if (got == 0 && c->fault == ECHO_STALLS)
			return;
		if (got <= 0 || echo_take(c, (size_t)got) == -1)
			break;
	}
	if (rc != 0)
		echo_free(c);
}

/* Sends what is kept: 1 all of it, 0 the rest later, -1 with errno. */
static int
echo_flush(struct echo_channel *c)
{
	ssize_t sent;

	while (c->kept_at < c->nkept) {
		sent = send(c->wire.fd, c->kept + c->kept_at,
			c->nkept - c->kept_at, MSG_NOSIGNAL);
		if (sent == -1)
			return errno == EAGAIN ? 0 : -1;
		c->kept_at += (size_t)sent;
	}
	free(c->kept);
	c->kept = NULL;
	c->nkept = c->kept_at = 0;
	return 1;
}

static void
echo_keep(struct echo_channel *c, const uint8_t *p, size_t n)
{
	c->kept = realloc(c->kept, c->nkept + n);
	if (c->kept == NULL)
		abort();
	memcpy(c->kept + c->nkept, p, n);
	c->nkept += n;
}

/* Keeps what is to be sent for n bytes that came; -1: the connection ends. */
static int
echo_take(struct echo_channel *c, size_t n)
{
	enum echo_fault fault = c->fault;

	if (fault != ECHO_STALLS)
		c->fault = ECHO_NONE;
	switch (fault) {
	case ECHO_DROPS:
		echo_reset(c);
		return -1;
	case ECHO_RESETS:
	case ECHO_CLOSES:
		echo_keep(c, echo_scratch, n / 2);
		(void)echo_flush(c);
		if (fault == ECHO_RESETS)
			echo_reset(c);
		return -1;
	case ECHO_STALLS:
		return 0;
	case ECHO_GARBLES:
		echo_scratch[n / 2] ^= 1;
		break;
	case ECHO_CROSSES:
		memcpy(echo_scratch, echo_last, n < ECHO_LAST ? n : ECHO_LAST);
		break;
	case ECHO_REPEATS:
		echo_keep(c, echo_scratch, n);
		break;
	default:
		memcpy(echo_last, echo_scratch, n < ECHO_LAST ? n : ECHO_LAST);
	}
	echo_keep(c, echo_scratch, n);
	return 0;
}

/* Its close will be a reset (SO_LINGER of socket(7)). */
static void
echo_reset(struct echo_channel *c)
{
	const struct linger now = { .l_onoff = 1, .l_linger = 0 };

	setsockopt(c->wire.fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
}

static void
echo_free(struct echo_channel *c)
{
	close(c->wire.fd);
	free(c->kept);
	free(c);
}
