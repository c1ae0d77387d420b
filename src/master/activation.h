/* activation.h - listening sockets that a service manager opened for weir:
 * sd_listen_fds(3), without it. */
#ifndef MASTER_ACTIVATION_H
#define MASTER_ACTIVATION_H

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>

#include "api/channel.h"

#define ACTIVATION_NAME 256 /* FileDescriptorName= has 255 bytes at most */

struct activated {
	int fd; /* -1: no socket that one can accept from */
	bool taken;
	dev_t dev; /* what all copies of it have in common */
	ino_t ino;
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
/* A configuration begins to take: nobody has any of them. */
void activation_plan(struct activation *a);
/* It has fd already; if that is a copy of one of them, that is taken. */
void activation_had(struct activation *a, int fd);
/* A copy of the socket that listens on address, or when address is NULL, of the
 * next of that name: non-blocking, close-on-exec, the caller's; -1 when there
 * is none left, or no copy can be made (logged).  For all listeners ask by
 * address first, then by name: so no name takes what another one's address
 * says. */
int activation_take(struct activation *a, const struct weir_addr *address,
	const char *name);
/* Warns of each that was not taken. */
void activation_report(const struct activation *a);
/* Closes all but the copies; also in a child. */
void activation_close(struct activation *a);

#endif
