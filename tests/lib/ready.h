/* ready.h - the lines that weir writes to its ready descriptor. */
#ifndef LIB_READY_H
#define LIB_READY_H

#include <sys/types.h>

#include <stddef.h>

#define READY_ADDRESS 256

/* Reads fd to its end and closes it; NULL when that takes longer than ms or
 * something fails.  Caller frees. */
char *ready_read(int fd, int ms);
/* Address of the index-th listener of that server; NULL: there is none. */
const char *ready_address(const char *lines, const char *server, unsigned index,
	char address[static READY_ADDRESS]);
/* Pid of the worker of that slot that a log last called ready; 0: none. */
pid_t ready_worker(const char *log, unsigned slot);

#endif
