/* stream.c - checked random bytes over many sockets at once. */
#include <sys/socket.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lib/stream.h"

#define CHUNK 65536

/* splitmix64: one word of noise for each number. */
static uint64_t
noise(uint64_t x)
{
	x += 0x9e3779b97f4a7c15u;
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
	return x ^ (x >> 31);
}

void
stream_fill(uint64_t seed, uint64_t offset, uint8_t *p, size_t n)
{
	while (n > 0) {
		uint64_t word = noise(seed * 0x100000001b3u + offset / 8);
		size_t skip = offset % 8, len = 8 - skip;

		if (len > n)
			len = n;
		memcpy(p, (uint8_t *)&word + skip, len);
		p += len;
		offset += len;
		n -= len;
	}
}

bool
stream_match(uint64_t seed, uint64_t offset, const uint8_t *p, size_t n)
{
	uint8_t want[4096];

	while (n > 0) {
		size_t len = n < sizeof(want) ? n : sizeof(want);

		stream_fill(seed, offset, want, len);
		if (memcmp(want, p, len) != 0)
			return false;
		p += len;
		offset += len;
		n -= len;
	}
	return true;
}

bool
stream_done(const struct stream *s)
{
	return s->sent == s->send_bytes && (s->keep_open || s->shut) &&
	       (s->idle_read || s->got == s->get_bytes) &&
	       (s->keep_open || s->idle_read || s->ended);
}

static size_t
stream_chunk(struct stream *s)
{
	if (s->chunk_max == 0)
		return CHUNK;
	s->chance = noise(s->chance + s->send_seed);
	return 1 + s->chance % (s->chunk_max < CHUNK ? s->chunk_max : CHUNK);
}

static bool
stream_failed(struct stream *s, ssize_t n)
{
	if (n >= 0 || errno == EAGAIN || errno == EINTR)
		return false;
	s->err = errno;
	return true;
}

static void
stream_send(struct stream *s)
{
	uint8_t data[CHUNK];
	size_t len = stream_chunk(s);
	ssize_t n;

	if (s->sent == s->send_bytes) {
		if (s->keep_open || s->shut)
			return;
		shutdown(s->fd, SHUT_WR);
		s->shut = true;
		return;
	}
	if (len > s->send_bytes - s->sent)
		len = (size_t)(s->send_bytes - s->sent);
	stream_fill(s->send_seed, s->sent, data, len);
	n = send(s->fd, data, len, MSG_NOSIGNAL);
	if (!stream_failed(s, n) && n > 0)
		s->sent += (uint64_t)n;
}

static void
stream_get(struct stream *s)
{
	uint8_t data[CHUNK];
	ssize_t n = recv(s->fd, data, stream_chunk(s), 0);

	if (stream_failed(s, n) || n < 0)
		return;
	if (n == 0) {
		s->ended = true;
		return;
	}
	if (s->got + (uint64_t)n > s->get_bytes)
		fail_msg("%zd bytes came, %llu were wanted", n,
			(unsigned long long)(s->get_bytes - s->got));
	if (!stream_match(s->get_seed, s->got, data, (size_t)n))
		fail_msg("wrong bytes at %llu", (unsigned long long)s->got);
	s->got += (uint64_t)n;
}

static short
stream_events(const struct stream *s)
{
	short events = 0;

	if (s->err != 0 || stream_done(s))
		return 0;
	if (s->sent < s->send_bytes || (!s->keep_open && !s->shut))
		events |= POLLOUT;
	if (!s->ended && !s->idle_read)
		events |= POLLIN;
	return events;
}

bool
stream_run(struct stream *s, size_t n, int ms)
{
	struct pollfd *fds = calloc(n, sizeof(*fds));
	bool done = false;
	size_t i;

	assert_non_null(fds);
	for (i = 0; i < n; i++)
		fcntl(s[i].fd, F_SETFL, O_NONBLOCK);
	for (;;) {
		size_t left = 0;

		done = true;
		for (i = 0; i < n; i++) {
			fds[i].events = stream_events(&s[i]);
			fds[i].fd = fds[i].events != 0 ? s[i].fd : -1;
			left += fds[i].events != 0;
			done &= stream_done(&s[i]);
		}
		if (left == 0 || poll(fds, (nfds_t)n, ms) <= 0)
			break;
		for (i = 0; i < n; i++) {
			if (fds[i].fd == -1)
				continue;
			if (fds[i].revents & (POLLIN | POLLERR | POLLHUP) &&
				!s[i].idle_read)
				stream_get(&s[i]);
			if (fds[i].revents & POLLOUT && s[i].err == 0)
				stream_send(&s[i]);
		}
	}
	free(fds);
	return done;
}
