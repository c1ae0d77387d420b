/* hole.c - an address on loopback from which no answer comes. */
#include <sys/socket.h>

#include <netinet/in.h>
#include <stddef.h>
#include <unistd.h>

#include "lib/hole.h"
#include "lib/peer.h"

#define FILLERS (sizeof(((struct hole *)0)->filler) / sizeof(int))

void
hole_dig(struct hole *hole)
{
	struct sockaddr_in to = { .sin_family = AF_INET };
	size_t i;

	hole->listen_fd = peer_listen_backlog(&hole->port, 0);
	to.sin_port = htons(hole->port);
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	for (i = 0; i < FILLERS; i++) {
		hole->filler[i] =
			socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		connect(hole->filler[i], (struct sockaddr *)&to, sizeof(to));
	}
}

void
hole_fill(struct hole *hole)
{
	size_t i;

	for (i = 0; i < FILLERS; i++)
		close(hole->filler[i]);
	close(hole->listen_fd);
}
