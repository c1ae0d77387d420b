/* sockfile.h - a unix socket that has a file, and whose file it is. */
#ifndef MASTER_SOCKFILE_H
#define MASTER_SOCKFILE_H

#include <sys/types.h>

#include <stdbool.h>

struct weir_addr;

struct sockfile {
	bool is_ours; /* bound by this process: */
	dev_t dev;    /* unlinked only while it is still that one */
	ino_t ino;
};

/* Binds fd to the path of a, with mode from its first moment on; a file that no
 * process listens on any more is replaced.  0, or -1 with errno: EADDRINUSE
 * when one does, ENOTSOCK when the path is no socket.  The umask is changed
 * meanwhile: for a process without threads. */
int sockfile_bind(
	struct sockfile *sf, int fd, const struct weir_addr *a, mode_t mode);
/* Unlinks the file if it is still the one that was bound.  Before fd is closed,
 * as a later one may get the same inode number. */
void sockfile_unlink(struct sockfile *sf, const struct weir_addr *a);

#endif
