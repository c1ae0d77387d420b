/* notify.c - tells a service manager how weir is: sd_notify(3), without it. */
#include <sys/socket.h>

#include <bsd/string.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/fd.h"
#include "base/log.h"
#include "master/notify.h"

#define NOTIFY_VARIABLE "NOTIFY_SOCKET"
#define NOTIFY_RETRY_MS 100

static void notify_add(struct notify *n, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
static void notify_flush(struct notify *n);
static bool notify_send(const struct notify *n, const char *text);
static void notify_text(char text[static NOTIFY_TEXT], const char *fmt,
	va_list ap) __attribute__((format(printf, 2, 0)));

void
notify_init(struct notify *n)
{
	const char *path = getenv(NOTIFY_VARIABLE);
	size_t len = path != NULL ? strlen(path) : 0;

	*n = (struct notify){ .to.sun_family = AF_UNIX,
		.retry_ms = UINT64_MAX };
	if (len > 1 && len < sizeof(n->to.sun_path) &&
		(*path == '/' || *path == '@')) {
		memcpy(n->to.sun_path, path, len);
		n->len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) +
				     len);
		/* An abstract name (unix(7)) has no end but its length. */
		if (*path == '@')
			n->to.sun_path[0] = '\0';
		else
			n->len++;
	} else if (path != NULL) {
		log_warn(NOTIFY_VARIABLE
			" \"%s\" is neither an absolute path nor an abstract "
			"socket (\"@name\"): nobody is told that weir is "
			"ready",
			path);
	}
	unsetenv(NOTIFY_VARIABLE);
}

void
notify_ready(struct notify *n, pid_t master, const char *fmt, ...)
{
	char text[NOTIFY_TEXT];
	va_list ap;

	va_start(ap, fmt);
	notify_text(text, fmt, ap);
	va_end(ap);
	notify_add(n, "READY=1\nMAINPID=%d\nSTATUS=%s", (int)master, text);
}

void
notify_reloading(struct notify *n)
{
	struct timespec ts;

	/* Of now, also if it is sent later: that is how the manager knows that
	 * it is not an answer to an older request. */
	clock_gettime(CLOCK_MONOTONIC, &ts);
	notify_add(n,
		"RELOADING=1\nMONOTONIC_USEC=%" PRIu64 "\nSTATUS=reloading",
		(uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000);
}

void
notify_stopping(struct notify *n)
{
	notify_add(n, "STOPPING=1\nSTATUS=stopping");
}

void
notify_status(struct notify *n, const char *fmt, ...)
{
	char text[NOTIFY_TEXT];
	va_list ap;

	/* Room is for what must not be lost, and each of that has a status. */
	if (n->n > 0)
		return;
	va_start(ap, fmt);
	notify_text(text, fmt, ap);
	va_end(ap);
	notify_add(n, "STATUS=%s", text);
}

uint64_t
notify_next(const struct notify *n)
{
	return n->retry_ms;
}

void
notify_turn(struct notify *n, uint64_t now_ms)
{
	if (n->n == 0 || now_ms < n->retry_ms)
		return;
	notify_flush(n);
	if (n->n > 0)
		n->retry_ms = now_ms + NOTIFY_RETRY_MS;
}

/* One line: a second one would be an assignment of its own. */
static void
notify_text(char text[static NOTIFY_TEXT], const char *fmt, va_list ap)
{
	vsnprintf(text, NOTIFY_TEXT, fmt, ap);
	for (; *text != '\0'; text++)
		if ((unsigned char)*text < 0x20)
			*text = ' ';
}

/* Sends it, or keeps it: the order must not change. */
static void
notify_add(struct notify *n, const char *fmt, ...)
{
	va_list ap;

	if (n->len == 0)
		return;
	if (n->n == NOTIFY_QUEUE) {
		log_warn(NOTIFY_VARIABLE " %s is full: a message is lost",
			n->to.sun_path[0] != '\0' ? n->to.sun_path
						  : n->to.sun_path + 1);
		return;
	}
	va_start(ap, fmt);
	vsnprintf(n->queue[n->n], NOTIFY_TEXT, fmt, ap);
	va_end(ap);
	n->n++;
	notify_flush(n);
	/* At once: who adds has no clock. */
	if (n->n > 0 && n->retry_ms == UINT64_MAX)
		n->retry_ms = 0;
}

static void
notify_flush(struct notify *n)
{
	size_t sent = 0;

	while (sent < n->n && notify_send(n, n->queue[sent]))
		sent++;
	n->n -= sent;
	memmove(n->queue, n->queue + sent, n->n * sizeof(n->queue[0]));
	if (n->n == 0)
		n->retry_ms = UINT64_MAX;
}

/* Is it gone, one way or the other?  A socket that is full may have room soon,
 * one that nobody has any more will not come back. */
static bool
notify_send(const struct notify *n, const char *text)
{
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	bool gone = fd != -1 &&
		    sendto(fd, text, strlen(text), MSG_NOSIGNAL,
			    (const struct sockaddr *)&n->to, n->len) != -1;

	if (!gone && errno != EAGAIN && errno != ENOBUFS && errno != EINTR &&
		errno != EMFILE && errno != ENFILE && errno != ENOMEM) {
		log_warn(NOTIFY_VARIABLE " %s: it cannot be told how weir is: "
					 "%s",
			n->to.sun_path[0] != '\0' ? n->to.sun_path
						  : n->to.sun_path + 1,
			strerror(errno));
		gone = true;
	}
	fd_close(&fd);
	return gone;
}
