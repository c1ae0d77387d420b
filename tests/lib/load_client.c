/* load_client.c - one connection of the load: all that can become of it. */
#include <sys/epoll.h>
#include <sys/socket.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/load_private.h"
#include "lib/tag.h"

#define CLIENT_AGAIN_US 5000 /* between a failure and the next attempt */
#define CLIENT_IDLE	8    /* bytes of a request of an IDLE one */

static uint8_t client_scratch[65536];

static void client_ready(struct echo_wire *w, uint32_t events);
static bool client_connected(struct client *c, uint32_t events);
static bool client_read(struct client *c);
static bool client_check(struct client *c, size_t n);
static void client_send(struct client *c);
static void client_took(struct load_result *r, uint64_t us);
static void client_answered(struct client *c);
static void client_ended(struct client *c);
static void client_lost(struct client *c, int err);
static void client_shut(struct client *c);
static void client_close(struct client *c);
static uint64_t client_size(const struct client *c);

void
client_connect(struct client *c)
{
	struct epoll_event ev = { .events = EPOLLIN | EPOLLOUT | EPOLLRDHUP |
					    EPOLLET,
		.data.ptr = &c->wire };
	struct sockaddr_in in = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct run *run = c->run;
	int on = 1;

	run->free[c->sort]--;
	run->connecting++;
	c->id = run->ids++;
	c->lives++;
	c->state = CLIENT_CONNECTING;
	c->stands = c->shut = false;
	c->sent = c->got = 0;
	c->err = 0;
	c->goal = client_size(c);
	c->since_us = run->now_us;
	c->wire.ready = client_ready;
	c->wire.fd =
		socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (c->wire.fd == -1) {
		client_fail(c, LOAD_OWN, errno, "socket");
		return;
	}
	setsockopt(c->wire.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	in.sin_port = htons(run->plan->ports[c->id % run->nports]);
	if (connect(c->wire.fd, (struct sockaddr *)&in, sizeof(in)) == -1 &&
		errno != EINPROGRESS)
		client_fail(c, errno == EADDRNOTAVAIL ? LOAD_OWN : LOAD_REFUSED,
			errno, "connect");
	else if (epoll_ctl(run->epoll, EPOLL_CTL_ADD, c->wire.fd, &ev) == -1)
		client_fail(c, LOAD_OWN, errno, "epoll_ctl");
}

void
client_request(struct client *c)
{
	c->state = CLIENT_TALKING;
	c->goal = c->got + client_size(c);
	c->since_us = c->run->now_us;
	client_send(c);
}

void
client_finish(struct client *c)
{
	c->state = CLIENT_ENDING;
	c->since_us = c->run->now_us;
	client_shut(c);
}

void
client_fail(
	struct client *c, enum load_kind kind, int err, const char *fmt, ...)
{
	struct load_result *r = c->run->result;
	struct load_failure *f;
	va_list ap;

	r->failed[c->sort][kind]++;
	if (r->nfailures < LOAD_FAILURES) {
		f = &r->failures[r->nfailures++];
		*f = (struct load_failure){ .kind = kind,
			.sort = c->sort,
			.at_ms =
				(unsigned)((c->run->now_us - c->run->start_us) /
					   1000),
			.id = c->id,
			.err = err };
		va_start(ap, fmt);
		vsnprintf(f->text, sizeof(f->text), fmt, ap);
		va_end(ap);
	}
	c->due_us = c->run->now_us + CLIENT_AGAIN_US;
	client_close(c);
}

static void
client_ready(struct echo_wire *w, uint32_t events)
{
	struct client *c = (struct client *)w;

	if (c->state == CLIENT_CONNECTING && !client_connected(c, events))
		return;
	/* What has come is heard before a failed write can hide it. */
	if (client_read(c))
		client_send(c);
}

static bool
client_connected(struct client *c, uint32_t events)
{
	struct load_result *r = c->run->result;
	socklen_t len = sizeof(int);
	int err = 0;

	if ((events & (EPOLLOUT | EPOLLERR | EPOLLHUP)) == 0)
		return false;
	getsockopt(c->wire.fd, SOL_SOCKET, SO_ERROR, &err, &len);
	/* A SYN is refused with ECONNREFUSED; a reset came to a connection. */
	if (err != 0 && err != ECONNRESET && err != EPIPE) {
		client_fail(c, LOAD_REFUSED, err, "connect");
		return false;
	}
	r->connected++;
	run_mark(c->run, &c->run->connected_us, &r->connect_gap_us);
	c->run->connecting--;
	c->state = CLIENT_TALKING;
	if (err == 0)
		return true;
	client_lost(c, err);
	return false;
}

/* Reads all there is; false: it is closed. */
static bool
client_read(struct client *c)
{
	ssize_t got;

	for (;;) {
		got = recv(
			c->wire.fd, client_scratch, sizeof(client_scratch), 0);
		if (got > 0) {
			if (!client_check(c, (size_t)got))
				return false;
			continue;
		}
		if (got == -1 && errno == EAGAIN)
			return true;
		/* A write that was told of a reset leaves what looks like FIN.
		 */
		if (got == -1 || c->err == ECONNRESET)
			client_lost(c, got == -1 ? errno : c->err);
		else if (c->state == CLIENT_ENDING)
			client_ended(c);
		else
			client_fail(c, LOAD_SHORT, 0, "FIN after %llu bytes%s",
				(unsigned long long)c->got,
				c->state == CLIENT_HELD ? ", held" : "");
		return false;
	}
}

/* n bytes came: are they the next ones, and not more than were sent? */
static bool
client_check(struct client *c, size_t n)
{
	size_t most = (size_t)(c->sent - c->got), same;
	struct run *run = c->run;
	uint32_t id;
	uint64_t at;

	same = tag_same(
		run->key, c->id, c->got, client_scratch, n < most ? n : most);
	if (same < n) {
		c->got += same;
		if (tag_find(run->key, client_scratch + same, n - same,
			    run->ids, &id, &at))
			client_fail(c, LOAD_WRONG, 0,
				"byte %llu of %llu is byte %llu of "
				"connection %u",
				(unsigned long long)c->got,
				(unsigned long long)c->sent,
				(unsigned long long)at, id);
		else
			client_fail(c, LOAD_WRONG, 0,
				"byte %llu of %llu is 0x%02x",
				(unsigned long long)c->got,
				(unsigned long long)c->sent,
				client_scratch[same]);
		return false;
	}
	c->got += n;
	if (c->state == CLIENT_TALKING && c->got == c->goal)
		client_answered(c);
	return c->state != CLIENT_NONE;
}

static void
client_send(struct client *c)
{
	uint64_t left;
	ssize_t sent;
	size_t n;

	while (c->state == CLIENT_TALKING && c->sent < c->goal) {
		left = c->goal - c->sent;
		n = left < sizeof(client_scratch) ? (size_t)left
						  : sizeof(client_scratch);
		tag_make(c->run->key, c->id, c->sent, client_scratch, n);
		sent = send(c->wire.fd, client_scratch, n, MSG_NOSIGNAL);
		if (sent == -1 && errno == EAGAIN)
			return;
		if (sent == -1) {
			c->err = errno;
			if (client_read(c))
				client_lost(c, c->err);
			return;
		}
		c->sent += (uint64_t)sent;
	}
	/* The FIN of every other one comes before its echo. */
	if (c->sort == LOAD_BRIEF && c->id % 2 == 1 &&
		c->state == CLIENT_TALKING)
		client_shut(c);
}

static void
client_took(struct load_result *r, uint64_t us)
{
	if (us > r->slowest_us)
		r->slowest_us = us;
	r->times[load_time(us)]++;
}

static void
client_answered(struct client *c)
{
	struct run *run = c->run;
	struct load_result *r = run->result;
	int64_t took_us = run->now_us - c->since_us;

	if (took_us > (int64_t)run->plan->late_ms * 1000) {
		client_fail(c, LOAD_LATE, 0, "answered after %lld ms",
			(long long)took_us / 1000);
		return;
	}
	/* A BRIEF one is ok when its end is. */
	if (c->sort == LOAD_BRIEF) {
		c->state = CLIENT_ENDING;
		client_shut(c);
		return;
	}
	client_took(r, (uint64_t)took_us);
	r->ok[c->sort]++;
	run_mark(run, &run->answered_us, &r->request_gap_us);
	if (!c->stands)
		r->standing[c->sort - LOAD_KEPT]++;
	c->stands = true;
	c->state = CLIENT_HELD;
	if (run->stopping)
		client_finish(c);
}

/* Its FIN came when it was to come. */
static void
client_ended(struct client *c)
{
	struct run *run = c->run;
	struct load_result *r = run->result;
	uint64_t took_us = (uint64_t)(run->now_us - c->since_us);

	if (c->sort == LOAD_BRIEF) {
		client_took(r, took_us);
		r->ok[c->sort]++;
		run_mark(run, &run->answered_us, &r->request_gap_us);
	}
	if (c->sort == LOAD_IDLE && c->lives == 1)
		r->unbroken++;
	client_close(c);
}

static void
client_lost(struct client *c, int err)
{
	client_fail(c, c->got > 0 ? LOAD_RESET : LOAD_UNSERVED, err,
		"%llu bytes of %llu came%s", (unsigned long long)c->got,
		(unsigned long long)c->goal,
		c->state == CLIENT_HELD	    ? ", held"
		: c->state == CLIENT_ENDING ? ", at the end"
					    : "");
}

static void
client_shut(struct client *c)
{
	if (!c->shut)
		shutdown(c->wire.fd, SHUT_WR);
	c->shut = true;
}

static void
client_close(struct client *c)
{
	struct run *run = c->run;

	if (c->state == CLIENT_CONNECTING)
		run->connecting--;
	if (c->stands && !run->stopping)
		run->result->standing[c->sort - LOAD_KEPT]--;
	if (c->wire.fd != -1)
		close(c->wire.fd);
	c->wire.fd = -1;
	c->state = CLIENT_NONE;
	run->free[c->sort]++;
}

/* Any size, but the same one for the same connection and place. */
static uint64_t
client_size(const struct client *c)
{
	const struct load_plan *plan = c->run->plan;
	uint32_t word;

	if (c->sort == LOAD_IDLE)
		return CLIENT_IDLE;
	tag_make(0, c->id, c->got, &word, sizeof(word));
	return plan->bytes_min + word % (plan->bytes_max - plan->bytes_min + 1);
}
