/* activation.h - listening sockets that a service manager opened for weir:
 * sd_listen_fds(3), without it. */
#ifndef MASTER_ACTIVATION_H
#define MASTER_ACTIVATION_H

#include <stdbool.h>
#include <stddef.h>

#include "api/channel.h"

#define ACTIVATION_NAME 256 /* FileDescriptorName= has 255 bytes at most */

struct activated {
	int fd;	   /* -1: no socket that one can accept from */
	int given; /* the copy that a listener has, -1: none */
	struct weir_addr address;
	char name[ACTIVATION_NAME]; /* "" when it has none */
};

struct activation {
	struct activated *v;
	size_t n;
};

/* Takes LISTEN_PID, LISTEN_FDS and LISTEN_FDNAMES out of the environment, and
 * what they name: descriptors from 3 on, which must be listening stream
 * sockets; others are logged and closed.  Keep those of one, as the caller
 * needs it.  Where they are for another process or not set, n is 0.  -1 with
 * the reason logged when they make no sense. */
int activation_open(struct activation *a, int keep);
/* The first descriptor behind them, 3 when there are none. */
int activation_end(const struct activation *a);
/* A copy of the socket that listens on address, or when address is NULL, of the
 * next of that name: non-blocking, close-on-exec, the caller's; -1 when there
 * is none that nobody has, or no copy can be made (logged).  For all listeners
 * ask by address first, then by name: so no name takes what another one's
 * address says. */
int activation_take(struct activation *a, const struct weir_addr *address,
	const char *name);
/* The listener that has this copy is about to close it; it may be taken again,
 * by a later configuration.  Any other descriptor does nothing. */
void activation_give_back(struct activation *a, int fd);
/* Warns of each that nobody has. */
void activation_report(const struct activation *a);
/* Closes all but the copies; also in a child. */
void activation_close(struct activation *a);

#endif
