/* sockopt.h - options of a socket, as a list that is set in its order. */
#ifndef BASE_SOCKOPT_H
#define BASE_SOCKOPT_H

#include <sys/socket.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include <stdbool.h>
#include <stddef.h>

/* id, what a configuration calls it, sockets that have it, level, option */
#define SOCKOPTS(X)                                                            \
	X(NODELAY, "nodelay", TCP, IPPROTO_TCP, TCP_NODELAY)                   \
	X(SNDBUF, "sndbuf", ALL, SOL_SOCKET, SO_SNDBUF)                        \
	X(RCVBUF, "rcvbuf", ALL, SOL_SOCKET, SO_RCVBUF)                        \
	X(KEEPALIVE, "keepalive", TCP, SOL_SOCKET, SO_KEEPALIVE)               \
	X(KEEPIDLE, "keepalive_idle", TCP, IPPROTO_TCP, TCP_KEEPIDLE)          \
	X(KEEPINTVL, "keepalive_interval", TCP, IPPROTO_TCP, TCP_KEEPINTVL)    \
	X(KEEPCNT, "keepalive_count", TCP, IPPROTO_TCP, TCP_KEEPCNT)           \
	X(USER_TIMEOUT, "user_timeout", TCP, IPPROTO_TCP, TCP_USER_TIMEOUT)    \
	X(DEFER_ACCEPT, "defer_accept", TCP, IPPROTO_TCP, TCP_DEFER_ACCEPT)    \
	X(FASTOPEN, "fastopen", TCP, IPPROTO_TCP, TCP_FASTOPEN)                \
	X(FASTOPEN_CONNECT, "fastopen", TCP, IPPROTO_TCP,                      \
		TCP_FASTOPEN_CONNECT)                                          \
	X(MARK, "mark", TCP, SOL_SOCKET, SO_MARK)                              \
	X(TRANSPARENT, "transparent", IPV4, IPPROTO_IP, IP_TRANSPARENT)        \
	X(TRANSPARENT6, "transparent", IPV6, IPPROTO_IPV6, IPV6_TRANSPARENT)   \
	X(NO_PORT, "source", TCP, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT)

enum sockopt_id {
	SOCKOPT_NONE,
#define X(id, key, sockets, level, option) SOCKOPT_##id,
	SOCKOPTS(X)
#undef X
		SOCKOPT_COUNT
};

struct sockopt {
	enum sockopt_id id;
	int value;
};

struct sockopts {
	size_t n;
	struct sockopt v[SOCKOPT_COUNT];
};

#define SOCKOPT_WHY 192 /* bytes of what sockopt_why() writes */

/* Adds that option, unless it has the value 0: the kernel's own. */
void sockopts_add(struct sockopts *o, enum sockopt_id id, int value);
bool sockopts_equal(const struct sockopts *a, const struct sockopts *b);
/* Sets one (socket(7), tcp(7), ip(7)), or does nothing where sockets of that
 * family do not have it; -1 with errno. */
int sockopt_set(int fd, sa_family_t family, enum sockopt_id id, int value);
/* Sets all; -1 with errno and in *failed which one could not be.  NODELAY is
 * tried, no more. */
int sockopts_set(int fd, sa_family_t family, const struct sockopts *o,
	enum sockopt_id *failed);
/* The same for a socket that has the others so far: what those have and these
 * do not gets the value that new sockets have.  Goes on after one that cannot
 * be: -1 with errno of the first one, and all of them in *failed, each with its
 * errno for a value. */
int sockopts_change(int fd, sa_family_t family, const struct sockopts *were,
	const struct sockopts *o, struct sockopts *failed);
/* The setting of the system (sysctl(8)) for which a buffer is smaller than was
 * asked for in o, which is set on fd; NULL: none is. */
const char *sockopts_capped(int fd, const struct sockopts *o);
/* Why that one could not be set, and what would help; returns text. */
const char *
sockopt_why(enum sockopt_id id, int err, char text[static SOCKOPT_WHY]);

#endif
