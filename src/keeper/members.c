/* members.c - the keeper's ends of its pairs with workers. */
#include <sys/socket.h>

#include <errno.h>
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "keeper/ask.h"
#include "keeper/keeper.h"
#include "keeper/members.h"

#define READS_A_TURN 16	 /* packets of one, before others have their turn */
#define LETTERS_MOST 512 /* that wait for a worker that hangs */

/* A packet that waits for room. */
struct letter {
	TAILQ_ENTRY(letter) link;
	size_t n;
	uint8_t bytes[];
};

static void
member_close(struct member *m)
{
	struct letter *l;

	TAILQ_REMOVE(&m->keeper->members, m, link);
	asks_forget(m->keeper, m);
	while ((l = TAILQ_FIRST(&m->letters)) != NULL) {
		TAILQ_REMOVE(&m->letters, l, link);
		free(l);
	}
	if (m->reads != NULL)
		event_free(m->reads);
	if (m->writes != NULL)
		event_free(m->writes);
	fd_close(&m->fd);
	free(m);
}

static void
member_lost(struct weir_keeper *k, int32_t pid)
{
	/* Who drains asks nobody any more. */
	if (k->drain_ms == 0 && control_unlinked(&k->control, pid) == -1)
		log_error("cannot tell the master: %s", strerror(errno));
}

/* Its worker is gone, or cannot be asked over this one. */
static void
member_lose(struct member *m)
{
	struct weir_keeper *k = m->keeper;
	int32_t pid = m->pid;

	member_close(m);
	member_lost(k, pid);
}

/* False: what it says is no hello that is understood. */
static bool
member_hello(struct member *m, const void *p, size_t n)
{
	const struct link_hello *hello = p;

	if (!link_fits(p, n, LINK_HELLO) || hello->version != LINK_VERSION)
		return false;
	m->known = true;
	m->generation = hello->generation;
	m->slot = hello->slot;
	m->pid = hello->pid;
	asks_join(m->keeper, m);
	return true;
}

static void
member_readable(evutil_socket_t fd, short what, void *arg)
{
	alignas(8) uint8_t packet[LINK_PACKET];
	struct member *m = arg;
	ssize_t n;
	int i;

	(void)what;
	clock_update();
	if (m->full) {
		log_error("worker (pid %d) reads no questions: its link ends",
			(int)m->pid);
		member_lose(m);
		return;
	}
	for (i = 0; i < READS_A_TURN; i++) {
		n = recv(fd, packet, sizeof(packet), MSG_DONTWAIT);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1 && errno == EAGAIN)
			return;
		if (n <= 0) {
			member_lose(m);
			return;
		}
		if (m->known) {
			asks_told(m->keeper, m, packet, (size_t)n);
		} else if (!member_hello(m, packet, (size_t)n)) {
			log_warn("a worker of another version cannot be asked");
			member_close(m);
			return;
		}
	}
}

static void
member_writable(evutil_socket_t fd, short what, void *arg)
{
	struct member *m = arg;
	struct letter *l;

	(void)what;
	clock_update();
	while ((l = TAILQ_FIRST(&m->letters)) != NULL) {
		/* That it is gone, the next read tells. */
		if (send(fd, l->bytes, l->n, MSG_DONTWAIT | MSG_NOSIGNAL) ==
				-1 &&
			(errno == EAGAIN || errno == EINTR))
			return;
		TAILQ_REMOVE(&m->letters, l, link);
		m->nletters--;
		free(l);
	}
	(void)event_del(m->writes);
}

int
member_send(struct member *m, const void *p, size_t n)
{
	struct letter *l;

	if (m->nletters == 0 &&
		send(m->fd, p, n, MSG_DONTWAIT | MSG_NOSIGNAL) != -1)
		return 0;
	/* What it misses, it would miss for ever: another link begins anew. */
	if (m->nletters >= LETTERS_MOST) {
		m->full = true;
		event_active(m->reads, EV_TIMEOUT, 1);
		errno = ENOBUFS;
		return -1;
	}
	l = malloc(sizeof(*l) + n);
	if (l == NULL || event_add(m->writes, NULL) == -1) {
		free(l);
		errno = ENOMEM;
		return -1;
	}
	l->n = n;
	memcpy(l->bytes, p, n);
	TAILQ_INSERT_TAIL(&m->letters, l, link);
	m->nletters++;
	return 0;
}

void
members_add(struct weir_keeper *k, int fd, int32_t pid)
{
	struct member *m = fd == -1 ? NULL : calloc(1, sizeof(*m)), *old;

	if (m == NULL) {
		log_error("the socket to worker (pid %d) got lost: %s",
			(int)pid, strerror(fd == -1 ? EMFILE : ENOMEM));
		fd_close(&fd);
		member_lost(k, pid);
		return;
	}
	/* One link is enough: what is said of another one's end came late. */
	TAILQ_FOREACH(old, &k->members, link)
	{
		if (old->pid == pid) {
			member_close(old);
			break;
		}
	}
	*m = (struct member){ .keeper = k, .fd = fd, .pid = pid };
	TAILQ_INIT(&m->letters);
	TAILQ_INSERT_TAIL(&k->members, m, link);
	m->reads = event_new(
		k->base, fd, EV_READ | EV_PERSIST, member_readable, m);
	m->writes = event_new(
		k->base, fd, EV_WRITE | EV_PERSIST, member_writable, m);
	if (m->reads == NULL || m->writes == NULL ||
		event_add(m->reads, NULL) == -1) {
		log_error("cannot ask a worker: %s", strerror(ENOMEM));
		member_lose(m);
	}
}

void
members_done(struct weir_keeper *k)
{
	while (!TAILQ_EMPTY(&k->members))
		member_close(TAILQ_FIRST(&k->members));
}

struct member *
members_find(const struct weir_keeper *k, uint32_t generation, uint32_t slot)
{
	struct member *m, *found = NULL;

	/* The last one is who lives, if the keeper is not told of the other's
	 * end yet. */
	TAILQ_FOREACH(m, &k->members, link)
	{
		if (m->known && m->generation == generation && m->slot == slot)
			found = m;
	}
	return found;
}
