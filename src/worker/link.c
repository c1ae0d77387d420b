/* link.c - the worker's ends of its pairs with keepers. */
#include <sys/socket.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/board.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "engine/channel.h"
#include "engine/engine.h"
#include "heritage.h"
#include "shm/pause.h"
#include "worker/accept.h"
#include "worker/ask.h"
#include "worker/link.h"

#define LINKS_MOST   4	/* keepers at a time; the oldest has to go */
#define READS_A_TURN 16 /* packets */

struct link {
	LIST_ENTRY(link) entry;
	struct links *links;
	int fd;
	struct event *reads, *writes;
	bool writing; /* writes is in the set */
	unsigned nasks;
	TAILQ_HEAD(asks, ask) asks;
	struct packet packet; /* that the socket did not take yet, if len > 0 */
};

/* An answer that is one packet. */
struct plain {
	struct ask ask; /* first */
	struct link_head q;
};

static void link_close(struct link *l);

static void
link_wake(struct link *l)
{
	if (l->writing)
		return;
	if (event_add(l->writes, NULL) == -1) {
		log_error("cannot answer a keeper: %s", strerror(errno));
		return;
	}
	l->writing = true;
}

void
ask_wake(struct ask *a)
{
	a->sleeps = false;
	if (a->link != NULL)
		link_wake(a->link);
}

void
ask_say(const struct ask *a, struct packet *out, int err, uint32_t channels)
{
	out->len = sizeof(out->done);
	out->done = (struct link_done){
		.head = { LINK_DONE, a->number }, .err = err, .n = channels
	};
}

static void
ask_end(struct ask *a)
{
	TAILQ_REMOVE(&a->link->asks, a, next);
	a->link->nasks--;
	a->end(a);
}

/* The age of the oldest channel. */
static uint64_t
links_oldest(const struct links *ls)
{
	const struct weir_channel *ch;
	uint64_t oldest_ms = clock_ms();
	size_t i;

	for (i = 0; i < ls->nengines; i++) {
		ch = TAILQ_FIRST(&ls->engines[i].channels);
		if (ch != NULL && ch->opened_ms < oldest_ms)
			oldest_ms = ch->opened_ms;
	}
	return clock_ms() - oldest_ms;
}

static void
links_figures(const struct links *ls, uint32_t number, struct packet *out)
{
	const struct heritage *h = ls->heritage;
	const struct acceptor *a = ls->acceptor;

	out->len = sizeof(out->figures);
	out->figures = (struct link_figures){ .head = { LINK_FIGURES, number },
		.channels = ls->loop->channels,
		.oldest_ms = links_oldest(ls),
		.copied_bytes = ls->loop->copied_bytes,
		.spliced_bytes = ls->loop->spliced_bytes,
		.turns = h->board == NULL ? 0 : h->board->lines[h->slot].turns,
		.state = a->closed ? LINK_STATE_DRAINS
			 : a->open ? LINK_STATE_ACCEPTS
				   : LINK_STATE_READY };
}

/* Is a word of the master on its way that this worker is to drain?  Nobody is
 * told then that it accepts. */
static bool
links_are_told(const struct links *ls)
{
	const struct heritage *h = ls->heritage;

	return h->board != NULL && h->board->lines[h->slot].told &&
	       !ls->acceptor->closed;
}

static enum ask_turn
plain_turn(struct ask *a, struct packet *out)
{
	const struct plain *p = (const struct plain *)a;

	if (p->q.type == LINK_FIGURES && links_are_told(a->link->links))
		return ASK_GOES_ON;
	if (p->q.type == LINK_FIGURES) {
		links_figures(a->link->links, a->number, out);
	} else {
		ask_say(a, out, 0, 0);
	}
	return ASK_IS_DONE;
}

static void
plain_end(struct ask *a)
{
	free(a);
}

static struct ask *
plain_new(const struct link_head *q)
{
	struct plain *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return NULL;
	p->ask.turn = plain_turn;
	p->ask.end = plain_end;
	p->q = *q;
	return &p->ask;
}

/* A question of n bytes; NULL with EPROTO: it is none, or ENOMEM. */
static struct ask *
link_question(const struct links *ls, const struct packet *in)
{
	static const size_t sizes[LINK_TYPE_COUNT] = {
		[LINK_FIGURES] = sizeof(struct link_head),
		[LINK_LIST] = sizeof(struct link_list),
		[LINK_KILL] = sizeof(struct link_name),
		[LINK_TRACE] = sizeof(struct link_trace),
		[LINK_LOOK] = sizeof(struct link_head),
		[LINK_LISTENERS] = sizeof(struct link_head),
		[LINK_END] = sizeof(struct link_head)
	};
	const void *p = in->bytes;

	errno = EPROTO;
	if (in->len < sizeof(in->head) || in->head.type >= LINK_TYPE_COUNT ||
		sizes[in->head.type] != in->len)
		return NULL;
	switch (in->head.type) {
	case LINK_LIST:
		if (((const struct link_list *)p)->sort >= LINK_SORT_COUNT)
			return NULL;
		return listing_new(p, ls->heritage);
	case LINK_KILL:
		return killing_new(p);
	case LINK_LISTENERS:
		return listening_new(ls->acceptor);
	case LINK_TRACE:
		return tracing_new(p, ls->loop);
	default:
		return plain_new(p);
	}
}

/* Takes a question; -1 with errno: the link must end. */
static int
link_asked(struct link *l, const struct packet *in)
{
	struct ask *a, *next;

	if (in->len == sizeof(in->head) && in->head.type == LINK_END) {
		for (a = TAILQ_FIRST(&l->asks); a != NULL; a = next) {
			next = TAILQ_NEXT(a, next);
			if (a->number == in->head.ask)
				ask_end(a);
		}
		return 0;
	}
	errno = EMFILE;
	if (l->nasks >= LINK_ASKS)
		return -1;
	a = link_question(l->links, in);
	if (a == NULL)
		return -1;
	/* At once: the keeper may not have waited for one who hung. */
	if (in->head.type == LINK_LOOK)
		links_look(l->links);
	a->link = l;
	a->loop = l->links->loop;
	a->number = in->head.ask;
	TAILQ_INSERT_TAIL(&l->asks, a, next);
	l->nasks++;
	link_wake(l);
	return 0;
}

static void
link_readable(evutil_socket_t fd, short what, void *arg)
{
	struct link *l = arg;
	struct packet in;
	ssize_t n;
	int i;

	(void)what;
	clock_update();
	for (i = 0; i < READS_A_TURN; i++) {
		n = recv(fd, in.bytes, sizeof(in.bytes), MSG_DONTWAIT);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1 && errno == EAGAIN)
			return;
		if (n <= 0) {
			log_debug("a keeper has left");
			link_close(l);
			return;
		}
		in.len = (size_t)n;
		if (link_asked(l, &in) == -1) {
			log_error("a keeper's question ends its link: %s",
				strerror(errno));
			link_close(l);
			return;
		}
	}
}

/* One slice of the next question that has anything to say. */
static void
link_turn(struct link *l)
{
	enum ask_turn turn;
	struct ask *a;

	TAILQ_FOREACH(a, &l->asks, next)
	{
		if (!a->sleeps)
			break;
	}
	if (a == NULL) {
		(void)event_del(l->writes);
		l->writing = false;
		return;
	}
	turn = a->turn(a, &l->packet);
	if (turn == ASK_IS_DONE) {
		ask_end(a);
		return;
	}
	a->sleeps = turn == ASK_SLEEPS;
	TAILQ_REMOVE(&l->asks, a, next);
	TAILQ_INSERT_TAIL(&l->asks, a, next);
}

static void
link_writable(evutil_socket_t fd, short what, void *arg)
{
	struct link *l = arg;

	(void)what;
	clock_update();
	if (l->packet.len == 0)
		link_turn(l);
	if (l->packet.len == 0)
		return;
	if (send(fd, l->packet.bytes, l->packet.len,
		    MSG_DONTWAIT | MSG_NOSIGNAL) != -1)
		l->packet.len = 0;
	else if (errno != EAGAIN && errno != EINTR && errno != ENOBUFS)
		link_close(l);
}

static void
link_close(struct link *l)
{
	struct ask *a;

	while ((a = TAILQ_FIRST(&l->asks)) != NULL)
		ask_end(a);
	if (l->reads != NULL)
		event_free(l->reads);
	if (l->writes != NULL)
		event_free(l->writes);
	fd_close(&l->fd);
	LIST_REMOVE(l, entry);
	l->links->n--;
	free(l);
}

void
links_init(struct links *ls, struct loop *loop, const struct heritage *h,
	struct acceptor *acceptor, struct engine *engines, size_t nengines)
{
	*ls = (struct links){ .loop = loop,
		.heritage = h,
		.acceptor = acceptor,
		.engines = engines,
		.nengines = nengines };
	LIST_INIT(&ls->all);
	links_look(ls);
}

void
links_look(struct links *ls)
{
	const struct heritage *h = ls->heritage;
	size_t i;

	for (i = 0; h->pauses != NULL && i < ls->nengines; i++)
		acceptor_hold(ls->acceptor, &ls->engines[i],
			pauses_have(h->pauses, h->shm,
				ls->engines[i].server->name));
}

void
links_done(struct links *ls)
{
	while (!LIST_EMPTY(&ls->all))
		link_close(LIST_FIRST(&ls->all));
}

/* The one that was added first. */
static struct link *
links_oldest_link(const struct links *ls)
{
	struct link *l, *last = NULL;

	LIST_FOREACH(l, &ls->all, entry)
	{
		last = l;
	}
	return last;
}

void
links_add(struct links *ls, int fd)
{
	const struct heritage *h = ls->heritage;
	struct link *l = calloc(1, sizeof(*l));

	if (l == NULL) {
		close(fd);
		return;
	}
	if (ls->n >= LINKS_MOST)
		link_close(links_oldest_link(ls));
	l->links = ls;
	l->fd = fd;
	TAILQ_INIT(&l->asks);
	LIST_INSERT_HEAD(&ls->all, l, entry);
	ls->n++;
	l->reads = event_new(
		ls->loop->base, fd, EV_READ | EV_PERSIST, link_readable, l);
	l->writes = event_new(
		ls->loop->base, fd, EV_WRITE | EV_PERSIST, link_writable, l);
	if (l->reads == NULL || l->writes == NULL ||
		event_add(l->reads, NULL) == -1) {
		log_error("cannot answer a keeper: %s", strerror(ENOMEM));
		link_close(l);
		return;
	}
	l->packet.len = sizeof(l->packet.hello);
	l->packet.hello = (struct link_hello){ .head = { LINK_HELLO, 0 },
		.version = LINK_VERSION,
		.generation = h->generation,
		.slot = h->slot,
		.pid = (int32_t)getpid() };
	/* One that was killed may not have told what it had done. */
	links_look(ls);
	link_wake(l);
}
