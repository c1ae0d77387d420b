/* target.c - where log lines go: stderr, the syslog daemon or a file. */
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/syslog.h"
#include "base/target.h"

#define PART_LOOKS 8 /* at a file that others write to all the time */

static int file_open(const char *path);
static int file_check(const char *path);
static bool has_part(int fd, bool torn);
static ssize_t
lines_write(int fd, enum target_kind kind, struct iovec *iov, int n);
static ssize_t stderr_write(struct iovec *iov, int n);
static size_t lines_whole(const char *p, size_t n);

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
		return file_open(text);
	}
}

int
target_check(const char *text)
{
	int fd;

	switch (target_kind(text)) {
	case TARGET_STDERR:
		return 0;
	case TARGET_SYSLOG:
		fd = syslog_open();
		break;
	default:
		return file_check(text);
	}
	if (fd == -1)
		return -1;
	close(fd);
	return 0;
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
target_lines(int fd, enum target_kind kind, bool *torn, const char *p, size_t n)
{
	struct iovec iov[2] = { { (void *)(uintptr_t) "\n", 1 },
		{ (void *)(uintptr_t)p, n } };
	size_t head, whole;
	ssize_t done;

	if (kind == TARGET_SYSLOG)
		return syslog_send(fd, p, n);
	head = has_part(fd, *torn) ? 1 : 0;
	done = lines_write(fd, kind, iov + 1 - head, 1 + (int)head);
	if (done == -1)
		return -1;
	done -= (ssize_t)head;
	whole = lines_whole(p, (size_t)done);
	*torn = whole < (size_t)done;
	return (ssize_t)whole;
}

/* Writers that share a file see what the others left in it. */
static int
file_open(const char *path)
{
	const int flags = O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW |
			  O_NONBLOCK | O_NOCTTY;
	struct stat st;
	int fd = -1;

	/* A FIFO must not be opened by a reader of our own. */
	if (lstat(path, &st) == -1 ? errno == ENOENT : S_ISREG(st.st_mode))
		fd = open(path, O_RDWR | flags, 0640);
	return fd != -1 ? fd : open(path, O_WRONLY | flags, 0640);
}

/* What is no plain file is not opened: its other end would notice. */
static int
file_check(const char *path)
{
	char dir[PATH_MAX];
	const char *slash = strrchr(path, '/');
	struct stat st;

	if (lstat(path, &st) == 0) {
		errno = S_ISDIR(st.st_mode)    ? EISDIR
			: S_ISLNK(st.st_mode)  ? ELOOP
			: S_ISSOCK(st.st_mode) ? ENXIO
					       : 0;
		return errno != 0 ? -1
				  : faccessat(AT_FDCWD, path, W_OK, AT_EACCESS);
	}
	if (errno != ENOENT)
		return -1;
	/* A name with a slash at its end is a directory's. */
	errno = slash != NULL && slash[1] == '\0' ? EISDIR : ENAMETOOLONG;
	if (slash != NULL &&
		(slash[1] == '\0' || slash - path >= (ptrdiff_t)sizeof(dir)))
		return -1;
	snprintf(dir, sizeof(dir), "%.*s",
		slash == NULL || slash == path ? 1 : (int)(slash - path),
		slash != NULL ? path : ".");
	return faccessat(AT_FDCWD, dir, W_OK | X_OK, AT_EACCESS);
}

/* Is a part of a line the last that is there?  A file that can be read tells,
 * of others only what this process wrote is known.  A line that is just being
 * written looks like a part too: fallocate(2) waits for its writer, and here
 * does nothing else. */
static bool
has_part(int fd, bool torn)
{
	struct stat st;
	off_t before = -1;
	char last;
	int i;

	for (i = 0; i < PART_LOOKS; i++) {
		if (fstat(fd, &st) == -1 || !S_ISREG(st.st_mode))
			return torn;
		if (st.st_size == 0)
			return false;
		if (pread(fd, &last, 1, st.st_size - 1) != 1)
			return torn;
		if (last == '\n' || st.st_size == before)
			return last != '\n';
		before = st.st_size;
		(void)fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 1);
	}
	return false;
}

static ssize_t
lines_write(int fd, enum target_kind kind, struct iovec *iov, int n)
{
	ssize_t done;

	do
		done = kind == TARGET_STDERR ? stderr_write(iov, n)
					     : writev(fd, iov, n);
	while (done == -1 && errno == EINTR);
	return done;
}

/* stderr is shared with others and may be a blocking pipe, socket or terminal.
 * When poll(2) says yes PIPE_BUF bytes fit, unless another process fills them
 * just now: where the kernel can be told not to wait, it is. */
static ssize_t
stderr_write(struct iovec *iov, int n)
{
	struct pollfd pfd = { .fd = STDERR_FILENO, .events = POLLOUT };
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = (size_t)n };
	struct stat st;
	ssize_t done = -1;

	if (poll(&pfd, 1, 0) != 1 || (pfd.revents & POLLOUT) == 0) {
		errno = EAGAIN;
		return -1;
	}
	if (fstat(STDERR_FILENO, &st) == -1)
		return -1;
	if (S_ISSOCK(st.st_mode))
		return sendmsg(
			STDERR_FILENO, &msg, MSG_DONTWAIT | MSG_NOSIGNAL);
	errno = EOPNOTSUPP;
	if (S_ISFIFO(st.st_mode))
		done = pwritev2(STDERR_FILENO, iov, n, -1, RWF_NOWAIT);
	/* Pipes know that flag since Linux 6.4. */
	return done == -1 && errno == EOPNOTSUPP ? writev(STDERR_FILENO, iov, n)
						 : done;
}

static size_t
lines_whole(const char *p, size_t n)
{
	const char *end = memrchr(p, '\n', n);

	return end != NULL ? (size_t)(end - p) + 1 : 0;
}
