/* sockfile.c - a unix socket that has a file, and whose file it is. */
#include <sys/socket.h>
#include <sys/stat.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "api/channel.h"
#include "base/fd.h"
#include "master/sockfile.h"

static int sockfile_clear(const struct weir_addr *a);
static int sockfile_probe(const struct weir_addr *a);

int
sockfile_bind(
	struct sockfile *sf, int fd, const struct weir_addr *a, mode_t mode)
{
	struct stat st;
	mode_t mask = umask(0777 & ~mode);
	int rc = bind(fd, &a->sa, a->len);

	if (rc == -1 && errno == EADDRINUSE && sockfile_clear(a) == 0)
		rc = bind(fd, &a->sa, a->len);
	umask(mask);
	*sf = (struct sockfile){ .is_ours = false };
	if (rc == 0 && lstat(a->un.sun_path, &st) == 0)
		*sf = (struct sockfile){
			.is_ours = true, .dev = st.st_dev, .ino = st.st_ino
		};
	return rc;
}

void
sockfile_unlink(struct sockfile *sf, const struct weir_addr *a)
{
	struct stat st;

	/* Another weir may have put its own there since. */
	if (sf->is_ours && lstat(a->un.sun_path, &st) == 0 &&
		st.st_dev == sf->dev && st.st_ino == sf->ino)
		unlink(a->un.sun_path);
	sf->is_ours = false;
}

/* Removes a socket file that nobody listens on; 0, or -1 with errno. */
static int
sockfile_clear(const struct weir_addr *a)
{
	const char *path = a->un.sun_path;
	struct stat before, after;

	if (lstat(path, &before) == -1)
		return errno == ENOENT ? 0 : -1;
	if (!S_ISSOCK(before.st_mode)) {
		errno = ENOTSOCK;
		return -1;
	}
	if (sockfile_probe(a) == -1)
		return -1;
	/* The number of one that was removed may be given to the next. */
	if (lstat(path, &after) == -1 || after.st_ino != before.st_ino ||
		after.st_dev != before.st_dev ||
		memcmp(&after.st_ctim, &before.st_ctim,
			sizeof(after.st_ctim)) != 0) {
		errno = EADDRINUSE;
		return -1;
	}
	return unlink(path);
}

/* 0 when no process has that unix socket any more; -1 with errno. */
static int
sockfile_probe(const struct weir_addr *a)
{
	/* Of another type, so that no live server gets a connection: it is
	 * refused by the type if the socket lives (unix(7), EPROTOTYPE). */
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int rc;

	if (fd == -1)
		return -1;
	rc = connect(fd, &a->sa, a->len);
	if (rc == 0 || errno == EPROTOTYPE) {
		errno = EADDRINUSE;
		rc = -1;
	} else if (errno == ECONNREFUSED) {
		rc = 0;
	}
	fd_close(&fd);
	return rc;
}
