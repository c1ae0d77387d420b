/* hole.h - an address on loopback from which no answer comes. */
#ifndef LIB_HOLE_H
#define LIB_HOLE_H

#include <stdint.h>

/* A listener whose backlog is full: whoever connects now waits for ever. */
struct hole {
	int listen_fd, filler[3];
	uint16_t port;
};

void hole_dig(struct hole *hole);
void hole_fill(struct hole *hole);

#endif
