/* crowd.c - clients and servers at both ends of a relay, at random. */
#include <sys/socket.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/chance.h"
#include "lib/crowd.h"
#include "lib/peer.h"
#include "lib/procs.h"
#include "lib/tag.h"

#define CLIENTS	  64		/* at a time */
#define SERVERS	  (4 * CLIENTS) /* some outlive their client */
#define BUFFER	  65536
#define GROWTH	  4 /* clients more in a turn, at most */
#define POLL_MS	  100
#define NAMED	  8 /* bytes that tell whose they are */
#define ENOUGH	  1000
#define PORTION	  4096
#define STALL_MS  2000
#define SILENT_MS 10000 /* one channel, while others go on */
#define SMALL	  16384 /* buffer of some sockets */

enum how { HOW_FIN, HOW_CLOSE, HOW_RESET };

/* One channel, as both its ends see it. */
struct life {
	uint64_t sent[2]; /* by side: the client's is 0 */
	int64_t moved_ms;
	bool fin[2];
	bool broken; /* somebody leaves early: bytes may be lost */
};

struct end {
	int fd; /* -1: none */
	int side;
	uint32_t id;
	bool known; /* whose it is */
	bool said;  /* its own end */
	bool heard; /* the other's */
	bool lazy;
	enum how how;
	uint64_t total, got; /* bytes to send, and that have come */
	size_t most;	     /* bytes at a time */
};

static const struct crowd *plan;
static struct end ends[CLIENTS + SERVERS];
static struct life *lives;
static uint64_t key;
static uint32_t started;
static uint64_t carried, faults;
static int64_t moved_ms;

static uint32_t
end_stream(const struct end *e, bool own)
{
	return 2 * e->id + (uint32_t)(own ? e->side : !e->side);
}

static void
end_start(struct end *e, int fd, int side)
{
	static const int small = SMALL;

	*e = (struct end){ .fd = fd, .side = side };
	e->total = NAMED + chance(1u << chance(plan->bytes_log + 1));
	e->most = 1 + chance(1u << chance(16));
	e->lazy = chance(4) == 0;
	if (chance(8) == 0)
		e->how = chance(2) ? HOW_CLOSE : HOW_RESET;
	if (chance(3) == 0) {
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
	}
}

/* It has a channel from here on. */
static void
end_know(struct end *e, uint32_t id)
{
	e->id = id;
	e->known = true;
	if (e->how != HOW_FIN && !lives[id].broken) {
		lives[id].broken = true;
		faults++;
	}
}

static void
end_close(struct end *e)
{
	close(e->fd);
	e->fd = -1;
}

/* All that it has to say is said. */
static void
end_leave(struct end *e)
{
	struct life *life = &lives[e->id];

	e->said = true;
	life->fin[e->side] = true;
	if (e->how == HOW_FIN && shutdown(e->fd, SHUT_WR) == -1 &&
		!life->broken)
		fail_msg("#%u: shutdown: %s", e->id, strerror(errno));
	if (e->how == HOW_RESET) {
		peer_abort(e->fd);
		e->fd = -1;
	} else if (e->how == HOW_CLOSE) {
		end_close(e);
	}
}

static void
end_failed(struct end *e, const char *what)
{
	if (!lives[e->id].broken)
		fail_msg("#%u: nobody broke it, but %s of its %s: %s", e->id,
			what, e->side == 0 ? "client" : "server",
			strerror(errno));
	end_close(e);
}

static void
end_moved(const struct end *e, size_t n)
{
	carried += n;
	lives[e->id].moved_ms = moved_ms = procs_now();
}

/* How many at a time; after a while not so few, or it takes too long. */
static size_t
end_portion(const struct end *e, uint64_t so_far)
{
	return 1 + chance(so_far > ENOUGH && e->most < PORTION
				   ? PORTION
				   : (unsigned)e->most);
}

static void
end_write(struct end *e)
{
	static uint8_t p[BUFFER];
	struct life *life = &lives[e->id];
	uint64_t left = e->total - life->sent[e->side];
	size_t n = end_portion(e, life->sent[e->side]);
	ssize_t done;

	if (life->sent[e->side] == 0 && n < NAMED)
		n = NAMED;
	if (n > left)
		n = (size_t)left;
	tag_make(key, end_stream(e, true), life->sent[e->side], p, n);
	done = send(e->fd, p, n, MSG_NOSIGNAL);
	if (done == -1 && errno != EAGAIN && errno != EINTR) {
		end_failed(e, "a write");
	} else if (done > 0) {
		life->sent[e->side] += (uint64_t)done;
		end_moved(e, 0);
		if (life->sent[e->side] == e->total)
			end_leave(e);
	}
}

static void
end_check(struct end *e, const uint8_t *p, size_t n)
{
	uint32_t stream = end_stream(e, false), other = 0;
	size_t same = tag_same(key, stream, e->got, p, n);
	uint64_t at = 0;

	if (same == n)
		return;
	if (tag_find(key, p + same, n - same, 2 * plan->channels, &other, &at))
		fail_msg("#%u: byte %llu is byte %llu of #%u", e->id,
			(unsigned long long)(e->got + same),
			(unsigned long long)at, other / 2);
	fail_msg("#%u: byte %llu is nobody's", e->id,
		(unsigned long long)(e->got + same));
}

static void
end_heard(struct end *e)
{
	const struct life *life = &lives[e->id];

	e->heard = true;
	end_moved(e, 0);
	if (life->broken)
		return;
	if (!life->fin[!e->side] || e->got != life->sent[!e->side])
		fail_msg("#%u: an end after %llu of %llu bytes", e->id,
			(unsigned long long)e->got,
			(unsigned long long)life->sent[!e->side]);
}

static void
end_read(struct end *e)
{
	static uint8_t p[BUFFER];
	ssize_t n = recv(e->fd, p, end_portion(e, e->got), 0);

	if (n > 0) {
		end_check(e, p, (size_t)n);
		e->got += (uint64_t)n;
		end_moved(e, (size_t)n);
	} else if (n == 0) {
		end_heard(e);
	} else if (errno != EAGAIN && errno != EINTR) {
		end_failed(e, "a read");
	}
}

/* The first bytes of a server tell whose it is. */
static void
end_ask(struct end *e)
{
	uint8_t p[NAMED];
	ssize_t n = recv(e->fd, p, sizeof(p), MSG_PEEK);
	uint32_t stream;
	uint64_t at;

	if (n == 0 || (n == -1 && errno != EAGAIN)) {
		end_close(e); /* its client was gone before it was named */
	} else if (n == sizeof(p)) {
		if (!tag_find(key, p, sizeof(p), 2 * plan->channels, &stream,
			    &at) ||
			at != 0 || stream % 2 != 0)
			fail_msg("a server's first bytes are nobody's");
		end_know(e, stream / 2);
	}
}

static void
end_go(struct end *e, int events)
{
	if (!e->known) {
		end_ask(e);
		return;
	}
	if ((events & ~POLLOUT) && !e->heard && (!e->lazy || !chance(8)))
		end_read(e);
	if (e->fd != -1 && (events & POLLOUT) && !e->said)
		end_write(e);
	if (e->fd != -1 && e->said && e->heard)
		end_close(e);
}

static struct end *
end_free(unsigned from, unsigned to)
{
	for (; from < to; from++)
		if (ends[from].fd == -1)
			return &ends[from];
	return NULL;
}

/* More clients, as long as there are to be. */
static void
crowd_grow(void)
{
	struct end *e;
	unsigned i;

	for (i = 0; i < GROWTH && started < plan->channels; i++) {
		e = end_free(0, CLIENTS);
		if (e == NULL)
			return;
		end_start(e, peer_connect(plan->port), 0);
		end_know(e, started++);
		end_moved(e, 0);
	}
}

static void
crowd_accept(void)
{
	struct end *e = end_free(CLIENTS, CLIENTS + SERVERS);
	int fd = accept4(
		plan->backend, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	assert_int_not_equal(fd, -1);
	assert_non_null(e);
	end_start(e, fd, 1);
}

static void
crowd_watch(unsigned open)
{
	unsigned i;

	if (procs_now() - moved_ms > STALL_MS)
		fail_msg("nothing moves, and %u ends are open", open);
	for (i = 0; i < CLIENTS + SERVERS; i++)
		if (ends[i].fd != -1 && ends[i].known &&
			procs_now() - lives[ends[i].id].moved_ms > SILENT_MS)
			fail_msg("#%u does not move", ends[i].id);
}

/* One round; how many ends are open. */
static unsigned
crowd_turn(void)
{
	struct pollfd pfds[CLIENTS + SERVERS + 1];
	unsigned i, open = 0;

	crowd_grow();
	for (i = 0; i < CLIENTS + SERVERS; i++) {
		const struct end *e = &ends[i];

		pfds[i] = (struct pollfd){ .fd = e->fd,
			.events =
				(short)((e->heard ? 0 : POLLIN) |
					(e->said || !e->known ? 0 : POLLOUT)) };
		open += e->fd != -1;
	}
	pfds[i] = (struct pollfd){ .fd = plan->backend, .events = POLLIN };
	poll(pfds, i + 1, POLL_MS);
	if (pfds[i].revents != 0)
		crowd_accept();
	for (i = 0; i < CLIENTS + SERVERS; i++)
		if (ends[i].fd != -1 && pfds[i].revents != 0)
			end_go(&ends[i], pfds[i].revents);
	crowd_watch(open);
	return open;
}

void
crowd_run(const struct crowd *crowd)
{
	unsigned i;

	plan = crowd;
	chance_start("CHAOS_SEED");
	key = (uint64_t)chance(1u << 30) << 34;
	lives = calloc(crowd->channels, sizeof(*lives));
	assert_non_null(lives);
	assert_int_equal(fcntl(crowd->backend, F_SETFL, O_NONBLOCK), 0);
	for (i = 0; i < CLIENTS + SERVERS; i++)
		ends[i].fd = -1;
	started = 0;
	carried = faults = 0;
	moved_ms = procs_now();
	while (crowd_turn() > 0 || started < crowd->channels)
		continue;
	print_message("# %u channels, %llu broken, %llu bytes\n",
		crowd->channels, (unsigned long long)faults,
		(unsigned long long)carried);
	free(lives);
}
