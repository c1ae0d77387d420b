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
	return conf_listen_at(
		conf_server_at(ls->conf, ls->v[i].server), ls->v[i].listen)
		->text;
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
