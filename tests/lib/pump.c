/* pump.c - checked streams of any length, both ways on many sockets at once. */
#include <sys/socket.h>

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lib/peer.h"
#include "lib/procs.h"

#define PUMP_FAIL(...) (print_error(__VA_ARGS__), print_error("\n"), fail())
#define PUMP_WORD      sizeof(uint64_t)

static uint64_t data_word(const struct peer_data *pd, uint64_t index);
static bool pump_send(struct peer_pump *pu);
static bool pump_read(struct peer_pump *pu);
static short pump_events(struct peer_pump *pu);

void
peer_data_init(struct peer_data *pd, uint64_t seed)
{
	*pd = (struct peer_data){ .seed = seed };
}

void
peer_data_make(struct peer_data *pd, void *p, size_t n)
{
	uint64_t at = pd->at;
	uint8_t *to = p;
	size_t i = 0, skip, part;
	uint64_t word;

	while (i < n) {
		word = data_word(pd, at / PUMP_WORD);
		skip = at % PUMP_WORD;
		part = PUMP_WORD - skip < n - i ? PUMP_WORD - skip : n - i;
		memcpy(to + i, (uint8_t *)&word + skip, part);
		i += part;
		at += part;
	}
	pd->at = at;
}

void
peer_data_check(struct peer_data *pd, const void *p, size_t n)
{
	const uint8_t *got = p;
	uint8_t want[4096];
	size_t part, i;

	for (; n > 0; n -= part, got += part) {
		part = n < sizeof(want) ? n : sizeof(want);
		peer_data_make(pd, want, part);
		if (memcmp(want, got, part) == 0)
			continue;
		for (i = 0; want[i] == got[i];)
			i++;
		PUMP_FAIL("byte %llu is 0x%02x, not 0x%02x",
			(unsigned long long)(pd->at - part + i), got[i],
			want[i]);
	}
}

void
peer_pump(struct peer_pump *pumps, size_t n, int ms)
{
	struct pollfd *pfds = calloc(n, sizeof(*pfds));
	int64_t last = procs_now();
	size_t i, open;
	int rc;

	assert_non_null(pfds);
	for (;;) {
		for (i = 0, open = 0; i < n; i++) {
			pfds[i].events = pump_events(&pumps[i]);
			/* A socket that is done only ever reports its end. */
			pfds[i].fd = pfds[i].events != 0 ? pumps[i].fd : -1;
			open += pfds[i].events != 0;
		}
		if (open == 0)
			break;
		rc = poll(pfds, (nfds_t)n, ms);
		for (i = 0; rc > 0 && i < n; i++) {
			if (pfds[i].revents & POLLOUT && pump_send(&pumps[i]))
				last = procs_now();
			if (pfds[i].revents & ~POLLOUT && pump_read(&pumps[i]))
				last = procs_now();
		}
		if (procs_now() - last > ms)
			PUMP_FAIL("nothing moved for %d ms, %zu ends open", ms,
				open);
	}
	free(pfds);
}

/* splitmix64: any word of the stream without those before it. */
static uint64_t
data_word(const struct peer_data *pd, uint64_t index)
{
	uint64_t z = pd->seed + (index + 1) * UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

/* Did something move? */
static bool
pump_send(struct peer_pump *pu)
{
	uint64_t left = pu->out_total - (pu->out.at - (pu->kept - pu->kept_at));
	size_t n;
	ssize_t sent = 0;

	if (pu->kept_at == pu->kept && left > 0) {
		pu->kept_at = 0;
		pu->kept =
			left < sizeof(pu->buf) ? (size_t)left : sizeof(pu->buf);
		peer_data_make(&pu->out, pu->buf, pu->kept);
	}
	if (pu->kept_at < pu->kept) {
		n = pu->kept - pu->kept_at;
		if (pu->out_most > 0 && n > pu->out_most)
			n = pu->out_most;
		sent = send(pu->fd, pu->buf + pu->kept_at, n, MSG_NOSIGNAL);
		if (sent == -1 && errno != EAGAIN && errno != EINTR)
			PUMP_FAIL("send after %llu bytes: %s",
				(unsigned long long)(pu->out.at -
						     (pu->kept - pu->kept_at)),
				strerror(errno));
		pu->kept_at += sent > 0 ? (size_t)sent : 0;
	}
	return sent > 0;
}

static bool
pump_read(struct peer_pump *pu)
{
	uint8_t buf[65536];
	ssize_t got = recv(
		pu->fd, buf, pu->in_most > 0 ? pu->in_most : sizeof(buf), 0);

	if (got == -1 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (got == -1)
		PUMP_FAIL("read after %llu bytes: %s",
			(unsigned long long)pu->in.at, strerror(errno));
	if (got == 0) {
		if (pu->in.at != pu->in_total)
			PUMP_FAIL("FIN after %llu bytes of %llu",
				(unsigned long long)pu->in.at,
				(unsigned long long)pu->in_total);
		pu->in_done = true;
		return true;
	}
	if (pu->in.at + (size_t)got > pu->in_total)
		PUMP_FAIL("more than %llu bytes came",
			(unsigned long long)pu->in_total);
	peer_data_check(&pu->in, buf, (size_t)got);
	return true;
}

/* What the pump waits for; 0: it is done. */
static short
pump_events(struct peer_pump *pu)
{
	if (!pu->out_done && pu->out.at == pu->out_total &&
		pu->kept_at == pu->kept) {
		pu->out_done = true;
		if (pu->out_fin)
			peer_half_close(pu->fd);
	}
	if (!pu->in_fin && pu->in.at == pu->in_total)
		pu->in_done = true;
	return (short)((pu->out_done ? 0 : POLLOUT) |
		       (pu->in_done ? 0 : POLLIN));
}
