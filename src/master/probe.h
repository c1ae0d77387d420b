/* probe.h - options of sockets, tried before connections need them. */
#ifndef MASTER_PROBE_H
#define MASTER_PROBE_H

struct conf;
struct sockopts;

/* Logs each server whose sockets to backends could not have their options, and
 * warns of what would be less than was asked for, and of source addresses that
 * nobody has; -1 when there is one that could not. */
int probe_backends(const struct conf *conf);
/* The same for a check without a start, after rights_check(), and for sockets
 * that would listen: what may not be done counts for root only, as it may be
 * root who starts weir. */
int probe_check(const struct conf *conf);
/* Warns of what o, which is set on that socket, does not do: buffers that are
 * smaller, fast open that the system does not allow; where: whose it is. */
void probe_set(int fd, const struct sockopts *o, const char *where);

#endif
