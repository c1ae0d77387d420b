/* fd.h - what every process does to descriptors. */
#ifndef BASE_FD_H
#define BASE_FD_H

#include <stddef.h>

/* Turns O_NONBLOCK on (fcntl(2)); 0, or -1 with errno. */
int fd_nonblock(int fd);
/* Turns FD_CLOEXEC on; 0, or -1 with errno. */
int fd_cloexec(int fd);
/* Closes fd unless it is -1 already, and makes it -1; keeps errno. */
void fd_close(int *fd);
/* Lets old be what fd is (dup3(2)), close-on-exec, and closes fd in any case;
 * 0, or -1 with errno: old stays what it was. */
int fd_replace(int old, int fd);
/* Closes every descriptor from first on but keep (-1: none); close_range(2). */
void fd_close_from(int first, int keep);
/* How many descriptors with a number below that are open: of /proc/self/fd
 * (proc(5)), or where that cannot be read of the first 65536. */
size_t fd_count(size_t below);
/* Opens /dev/null where stdin, stdout or stderr is closed, so that no later
 * descriptor becomes one of them; 0, or -1 with errno. */
int fd_stdio_open(void);
/* Points stdin, stdout and stderr at /dev/null; 0, or -1 with errno. */
int fd_stdio_null(void);

#endif
