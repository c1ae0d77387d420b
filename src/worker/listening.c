/* listening.c - the sockets that a worker takes connections from, for a keeper.
 */
#include <sys/socket.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include <bsd/string.h>
#include <stdlib.h>
#include <string.h>

#include "conf/conf.h"
#include "worker/accept.h"
#include "worker/ask.h"

struct listening {
	struct ask ask; /* first */
	const struct acceptor *acceptor;
	size_t next;
};

/* How many wait: what the kernel has in that field of a socket that listens
 * (tcp_get_info() of Linux). */
static uint32_t
listener_queued(int fd, const struct weir_addr *a)
{
	struct tcp_info info;
	socklen_t len = sizeof(info);

	if (a->sa.sa_family == AF_UNIX ||
		getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) == -1 ||
		info.tcpi_state != TCP_LISTEN)
		return UINT32_MAX;
	return info.tcpi_unacked;
}

static void
listener_tell(const struct listener *l, struct link_listener *to)
{
	const struct conf_server *server = l->engine->server;
	const struct conf_listen *listen = conf_listen_at(server, l->listen);
	struct weir_addr a = { .len = sizeof(a.un) };

	memset(to, 0, sizeof(*to));
	(void)strlcpy(to->server, server->name, sizeof(to->server));
	(void)strlcpy(to->listen, listen->text, sizeof(to->listen));
	to->paused = l->waits;
	to->closed = l->fd == -1;
	to->queued = UINT32_MAX;
	if (l->fd == -1 || getsockname(l->fd, &a.sa, &a.len) == -1) {
		(void)strlcpy(to->address, listen->text, sizeof(to->address));
		return;
	}
	(void)weir_addr_text(&a, to->address);
	to->queued = listener_queued(l->fd, &a);
}

static enum ask_turn
listening_turn(struct ask *a, struct packet *out)
{
	struct listening *l = (struct listening *)a;
	struct link_listeners *to = (void *)out->bytes;
	size_t most = (sizeof(out->bytes) - sizeof(*to)) / sizeof(*to->v);

	*to = (struct link_listeners){ .head = { LINK_LISTENERS, a->number } };
	while (l->next < l->acceptor->n && to->n < most)
		listener_tell(
			&l->acceptor->listeners[l->next++], &to->v[to->n++]);
	to->last = l->next == l->acceptor->n;
	out->len = sizeof(*to) + to->n * sizeof(*to->v);
	return to->last != 0 ? ASK_IS_DONE : ASK_GOES_ON;
}

static void
listening_end(struct ask *a)
{
	free(a);
}

struct ask *
listening_new(const struct acceptor *acceptor)
{
	struct listening *l = calloc(1, sizeof(*l));

	if (l == NULL)
		return NULL;
	l->ask.turn = listening_turn;
	l->ask.end = listening_end;
	l->acceptor = acceptor;
	return &l->ask;
}
