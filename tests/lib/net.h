/* net.h - a network of a test's own. */
#ifndef LIB_NET_H
#define LIB_NET_H

/* Moves this process into a network (network_namespaces(7)) in which there is
 * nothing but loopback; who is not root gets it in a user namespace, as the
 * same user, with all rights there.  Fails the test where that cannot be. */
void net_make(void);
/* In it: ports that the kernel chooses from, first and last. */
void net_ports(unsigned first, unsigned last);
/* In it: TCP fast open for clients and for servers (tcp_fastopen of tcp(7)). */
void net_fastopen(void);
/* In it: seconds of tcp_keepalive_time and tcp_keepalive_intvl of tcp(7). */
void net_keepalive(unsigned idle_s, unsigned interval_s);
/* In it: segments of TCP have so many bytes at most, options included. */
void net_segments(unsigned bytes);

#endif
