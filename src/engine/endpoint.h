/* endpoint.h - one connected socket of a channel. */
#ifndef ENGINE_ENDPOINT_H
#define ENGINE_ENDPOINT_H

#include <netinet/in.h>

#include <stdbool.h>
#include <stdint.h>

#include "api/channel.h"

/* What the kernel has said and nobody has used up yet (edges are told once):
 * the bits of epoll_ctl(2). */
#define ENDPOINT_IN    0x001u
#define ENDPOINT_PRI   0x002u /* reads stop short at an urgent byte (tcp(7)) */
#define ENDPOINT_OUT   0x004u
#define ENDPOINT_ERR   0x008u
#define ENDPOINT_HUP   0x010u
#define ENDPOINT_RDHUP 0x2000u
/* And what we know of it: the source ends where the last read ended. */
#define ENDPOINT_ENDS 0x8000u
/* Only who is full is told when he can be written again. */
#define ENDPOINT_OUT_WATCHED 0x4000u
/* It may not be connected yet, though it can be written. */
#define ENDPOINT_FAST 0x1000u
#define ENDPOINT_READABLE                                                      \
	(ENDPOINT_IN | ENDPOINT_ERR | ENDPOINT_HUP | ENDPOINT_RDHUP)

struct endpoint {
	int fd;	 /* -1: none */
	int err; /* errno that ended it, or 0 */
	uint16_t mask;
	uint8_t side;	    /* enum weir_side */
	uint8_t path_len;   /* 0: the peer has no path */
	sa_family_t family; /* of the peer, with what follows */
	in_port_t port;	    /* as in struct sockaddr_in */
	union {
		struct in_addr in;
		struct {
			struct in6_addr addr;
			uint32_t scope;
		} in6;
		char *path; /* of a unix address; owned */
	} peer;
};

void endpoint_init(struct endpoint *ep, enum weir_side side);
/* Remembers the peer's address; -1 with ENOMEM. */
int endpoint_set_peer(struct endpoint *ep, const struct weir_addr *peer);
/* Copies the peer's address out; len 0 when there is none. */
void endpoint_peer(const struct endpoint *ep, struct weir_addr *peer);
/* Address of our own end (getsockname(2)); len 0 when there is none. */
void endpoint_local(const struct endpoint *ep, struct weir_addr *local);
/* Is it of a unix socket, accepted or connected? */
static inline bool
endpoint_is_unix(const struct endpoint *ep)
{
	return ep->family == AF_UNIX;
}

/* Closes the socket, if any; reset: by RST, whatever is queued is lost
 * (SO_LINGER 0, socket(7)).  -1 with errno when close(2) says so: it is closed
 * nevertheless. */
int endpoint_close(struct endpoint *ep, bool reset);
/* Sends what waits for more (MSG_MORE), as TCP_NODELAY does (tcp(7)). */
void endpoint_push(const struct endpoint *ep);
/* What is sent from now on, a reset too, does not get past the first router
 * (IP_TTL, ip(7)). */
void endpoint_hush(const struct endpoint *ep);
/* Bytes written that the peer has not acknowledged (SIOCOUTQ, tcp(7)); 0 for
 * sockets that have no such thing. */
int endpoint_unacked(const struct endpoint *ep);
/* Does its handshake still go on (TCP_INFO, tcp(7))? */
bool endpoint_is_connecting(const struct endpoint *ep);
/* Takes the pending error of the socket (SO_ERROR), 0 for none. */
int endpoint_take_error(const struct endpoint *ep);
void endpoint_done(struct endpoint *ep);

#endif
