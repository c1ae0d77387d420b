/* fd.c - what every process does to descriptors. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/fd.h"

#define FD_ASKED 65536 /* a limit may be a thousand million */

int
fd_nonblock(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	return flags == -1 ? -1 : fcntl(fd, F_SETFL, flags | O_NONBLOCK);
}

int
fd_cloexec(int fd)
{
	int flags = fcntl(fd, F_GETFD);

	return flags == -1 ? -1 : fcntl(fd, F_SETFD, flags | FD_CLOEXEC);
}

void
fd_close(int *fd)
{
	int err = errno;

	if (*fd != -1)
		close(*fd);
	*fd = -1;
	errno = err;
}

int
fd_replace(int old, int fd)
{
	int rc = dup3(fd, old, O_CLOEXEC);

	fd_close(&fd);
	return rc == -1 ? -1 : 0;
}

void
fd_close_from(int first, int keep)
{
	if (keep >= first) {
		if (keep > first)
			close_range((unsigned)first, (unsigned)keep - 1, 0);
		first = keep + 1;
	}
	close_range((unsigned)first, UINT_MAX, 0);
}

size_t
fd_count(size_t below)
{
	DIR *dir = opendir("/proc/self/fd");
	const struct dirent *entry;
	size_t n = 0, fd;

	if (dir == NULL) {
		for (fd = 0; fd < below && fd < FD_ASKED; fd++)
			n += fcntl((int)fd, F_GETFD) != -1;
		return n;
	}
	while ((entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		fd = strtoul(entry->d_name, NULL, 10);
		n += fd < below && fd != (size_t)dirfd(dir);
	}
	closedir(dir);
	return n;
}

int
fd_stdio_open(void)
{
	int fd;

	for (fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		/* The lowest free number is taken, and that is fd. */
		if (fcntl(fd, F_GETFD) == -1 &&
			open("/dev/null", O_RDWR | O_NOCTTY) == -1)
			return -1;
	return 0;
}

int
fd_stdio_null(void)
{
	int null = open("/dev/null", O_RDWR | O_NOCTTY | O_CLOEXEC);
	int fd, rc = 0;

	if (null == -1)
		return -1;
	for (fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (dup2(null, fd) == -1)
			rc = -1;
	if (null > STDERR_FILENO)
		fd_close(&null);
	return rc;
}
