/* target.c - where log lines go: stderr, the syslog daemon or a file. */
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/syslog.h"
#include "base/target.h"

static ssize_t stderr_write(const void *p, size_t n);

enum target_kind
target_kind(const char *text)
{
	if (strcmp(text, "stderr") == 0)
		return TARGET_STDERR;
	return strcmp(text, "syslog") == 0 ? TARGET_SYSLOG : TARGET_FILE;
}

int
target_open(const char *text)
{
	switch (target_kind(text)) {
	case TARGET_STDERR:
		return STDERR_FILENO;
	case TARGET_SYSLOG:
		return syslog_open();
	default:
		return open(text,
			O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW |
				O_NONBLOCK | O_NOCTTY,
			0640);
	}
}

const char *
target_why(const char *text, int err)
{
	static char why[160];

	if (target_kind(text) == TARGET_SYSLOG &&
		(err == ENOENT || err == ECONNREFUSED)) {
		snprintf(why, sizeof(why), "no syslog daemon listens on %s",
			syslog_path());
		return why;
	}
	if (err == ELOOP)
		return "it is a symbolic link, and links are not followed; for "
		       "the terminal or a service manager write \"stderr\"";
	if (err == ENXIO)
		return "it is a FIFO or socket that no process reads from";
	return strerror(err);
}

ssize_t
target_write(int fd, enum target_kind kind, const void *p, size_t n)
{
	ssize_t done;

	if (kind == TARGET_SYSLOG)
		return syslog_send(fd, p, n);
	do
		done = kind == TARGET_STDERR ? stderr_write(p, n)
					     : write(fd, p, n);
	while (done == -1 && errno == EINTR);
	return done;
}

/* stderr is shared with others and may be a blocking pipe, socket or terminal.
 * When poll(2) says yes PIPE_BUF bytes fit, unless another process fills them
 * just now: where the kernel can be told not to wait, it is. */
static ssize_t
stderr_write(const void *p, size_t n)
{
	struct pollfd pfd = { .fd = STDERR_FILENO, .events = POLLOUT };
	struct iovec iov = { .iov_base = (void *)(uintptr_t)p, .iov_len = n };
	struct stat st;
	ssize_t done = -1;

	if (poll(&pfd, 1, 0) != 1 || (pfd.revents & POLLOUT) == 0) {
		errno = EAGAIN;
		return -1;
	}
	if (fstat(STDERR_FILENO, &st) == -1)
		return -1;
	if (S_ISSOCK(st.st_mode))
		return send(STDERR_FILENO, p, n, MSG_DONTWAIT | MSG_NOSIGNAL);
	errno = EOPNOTSUPP;
	if (S_ISFIFO(st.st_mode))
		done = pwritev2(STDERR_FILENO, &iov, 1, -1, RWF_NOWAIT);
	/* Pipes know that flag since Linux 6.4. */
	return done == -1 && errno == EOPNOTSUPP ? write(STDERR_FILENO, p, n)
						 : done;
}
