/* syslog.c - the syslog daemon of this machine: datagrams that never block. */
#include <sys/socket.h>
#include <sys/un.h>

#include <bsd/string.h>
#include <errno.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/syslog.h"

#define SYSLOG_DAEMON (3 << 3) /* RFC 5424, table 1: system daemons */

static const char *path = "/dev/log";

int
syslog_open(void)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int fd;

	if (strlcpy(un.sun_path, path, sizeof(un.sun_path)) >=
		sizeof(un.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd != -1 && connect(fd, (struct sockaddr *)&un, sizeof(un)) == -1)
		fd_close(&fd);
	return fd;
}

size_t
syslog_head(char head[static SYSLOG_HEAD], int priority)
{
	char stamp[32];
	time_t now = time(NULL);
	struct tm tm;

	localtime_r(&now, &tm);
	strftime(stamp, sizeof(stamp), "%b %e %H:%M:%S", &tm);
	return (size_t)snprintf(head, SYSLOG_HEAD,
		"<%d>%.20s weir[%d]: ", SYSLOG_DAEMON | priority, stamp,
		(int)getpid());
}

ssize_t
syslog_send(int fd, const void *p, size_t n)
{
	ssize_t sent = send(fd, p, n, MSG_NOSIGNAL);
	int again;

	if (sent != -1 || errno == EAGAIN || errno == ENOBUFS ||
		errno == EMSGSIZE)
		return sent;
	/* The daemon was restarted: its old socket is dead. */
	again = syslog_open();
	if (again == -1 || fd_replace(fd, again) == -1)
		return -1;
	return send(fd, p, n, MSG_NOSIGNAL);
}

const char *
syslog_path(void)
{
	return path;
}

void
syslog_attach(const char *other)
{
	path = other;
}
