/* share.c - several sockets at one address, one for each worker. */
#include <sys/socket.h>

#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "conf/conf.h"
#include "master/listeners.h"
#include "master/share.h"

static const char *
share_text(const struct listeners *ls, size_t i)
{
	return conf_listen_of(ls->conf, ls->v[i].server, ls->v[i].listen)->text;
}

int
share_open(struct listeners *ls, size_t i)
{
	socklen_t len = sizeof(int);
	int fd = ls->v[i].fd, on = 0;

	if (getsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, &len) == -1)
		return -1;
	if (on != 0)
		return 0;
	on = 1;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) == -1)
		return -1;
	ls->info[i].opened = true;
	return 0;
}

void
share_shut(struct listeners *ls, size_t i)
{
	const int off = 0;

	if (ls->info[i].opened &&
		setsockopt(ls->v[i].fd, SOL_SOCKET, SO_REUSEPORT, &off,
			sizeof(off)) == -1)
		log_alert("%s: cannot turn SO_REUSEPORT off: %s",
			share_text(ls, i), strerror(errno));
	ls->info[i].opened = false;
}

/* Closes the gap in the list. */
static void
share_remove(struct listeners *ls, size_t i)
{
	size_t j, behind = --ls->n - i;

	memmove(&ls->v[i], &ls->v[i + 1], behind * sizeof(*ls->v));
	memmove(&ls->info[i], &ls->info[i + 1], behind * sizeof(*ls->info));
	for (j = i; j < ls->n; j++)
		ls->info[j].head -= ls->info[j].head > i;
}

void
share_end(struct listeners *ls, size_t head, const char *why)
{
	size_t i;

	log_warn("server \"%s\": no worker gets a socket of its own at %s, all "
		 "share the one that was inherited: none can be bound beside "
		 "it: %s",
		conf_name_of(ls->conf, ls->v[head].server),
		share_text(ls, head), why);
	share_shut(ls, head);
	ls->shares = false;
	for (i = ls->n; i-- > 0;) {
		if (ls->info[i].head == head)
			ls->v[i].share = 0;
		if (ls->info[i].head == head && ls->v[i].fd == -1)
			share_remove(ls, i);
		else
			ls->shares |= ls->v[i].share != 0;
	}
}
