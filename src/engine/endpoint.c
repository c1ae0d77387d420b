/* endpoint.c - one connected socket of a channel. */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <linux/sockios.h>

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/endpoint.h"

#define PATH_OFFSET offsetof(struct sockaddr_un, sun_path)

void
endpoint_init(struct endpoint *ep, enum weir_side side)
{
	*ep = (struct endpoint){ .fd = -1, .side = (uint8_t)side };
}

int
endpoint_set_peer(struct endpoint *ep, const struct weir_addr *peer)
{
	endpoint_done(ep);
	ep->family = peer->sa.sa_family;
	if (ep->family == AF_INET) {
		ep->port = peer->in.sin_port;
		ep->peer.in = peer->in.sin_addr;
	} else if (ep->family == AF_INET6) {
		ep->port = peer->in6.sin6_port;
		ep->peer.in6.addr = peer->in6.sin6_addr;
		ep->peer.in6.scope = peer->in6.sin6_scope_id;
	}
	if (ep->family != AF_UNIX || peer->len <= PATH_OFFSET)
		return 0;
	ep->path_len = (uint8_t)(peer->len - PATH_OFFSET);
	ep->peer.path = malloc(ep->path_len);
	if (ep->peer.path == NULL) {
		ep->path_len = 0;
		ep->family = AF_UNSPEC;
		return -1;
	}
	memcpy(ep->peer.path, peer->un.sun_path, ep->path_len);
	return 0;
}

void
endpoint_peer(const struct endpoint *ep, struct weir_addr *peer)
{
	memset(peer, 0, sizeof(*peer));
	peer->sa.sa_family = ep->family;
	switch (ep->family) {
	case AF_INET:
		peer->in.sin_port = ep->port;
		peer->in.sin_addr = ep->peer.in;
		peer->len = sizeof(peer->in);
		break;
	case AF_INET6:
		peer->in6.sin6_port = ep->port;
		peer->in6.sin6_addr = ep->peer.in6.addr;
		peer->in6.sin6_scope_id = ep->peer.in6.scope;
		peer->len = sizeof(peer->in6);
		break;
	case AF_UNIX:
		if (ep->path_len > 0)
			memcpy(peer->un.sun_path, ep->peer.path, ep->path_len);
		peer->len = (socklen_t)(PATH_OFFSET + ep->path_len);
		break;
	}
}

void
endpoint_local(const struct endpoint *ep, struct weir_addr *local)
{
	memset(local, 0, sizeof(*local));
	local->len = sizeof(local->un);
	if (ep->fd == -1 || getsockname(ep->fd, &local->sa, &local->len) == -1)
		local->len = 0;
}

int
endpoint_close(struct endpoint *ep, bool reset)
{
	static const struct linger abort_at_once = { .l_onoff = 1 };
	int rc;

	if (ep->fd == -1)
		return 0;
	if (reset)
		setsockopt(ep->fd, SOL_SOCKET, SO_LINGER, &abort_at_once,
			sizeof(abort_at_once));
	rc = close(ep->fd);
	ep->fd = -1;
	ep->mask = 0;
	return rc;
}

void
endpoint_push(const struct endpoint *ep)
{
	static const int on = 1;

	if (ep->fd != -1 && !endpoint_is_unix(ep))
		setsockopt(ep->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

void
endpoint_hush(const struct endpoint *ep)
{
	static const int hops = 1;

	if (ep->family == AF_INET6)
		setsockopt(ep->fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, &hops,
			sizeof(hops));
	/* That of a v4-mapped peer as well. */
	setsockopt(ep->fd, IPPROTO_IP, IP_TTL, &hops, sizeof(hops));
}

int
endpoint_unacked(const struct endpoint *ep)
{
	int n = 0;

	if (endpoint_is_unix(ep) || ioctl(ep->fd, SIOCOUTQ, &n) == -1)
		return 0;
	return n;
}

bool
endpoint_is_connecting(const struct endpoint *ep)
{
	struct tcp_info info;
	socklen_t len = sizeof(info);

	return getsockopt(ep->fd, IPPROTO_TCP, TCP_INFO, &info, &len) == 0 &&
	       info.tcpi_state == TCP_SYN_SENT;
}

int
endpoint_take_error(const struct endpoint *ep)
{
	socklen_t len = sizeof(int);
	int err = 0;

	if (getsockopt(ep->fd, SOL_SOCKET, SO_ERROR, &err, &len) == -1)
		return errno;
	return err;
}

void
endpoint_done(struct endpoint *ep)
{
	if (ep->path_len > 0)
		free(ep->peer.path);
	ep->path_len = 0;
	ep->family = AF_UNSPEC;
}
