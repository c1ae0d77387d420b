/* listeners.h - every address that a configuration listens on. */
#ifndef MASTER_LISTENERS_H
#define MASTER_LISTENERS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/sockopt.h"
#include "heritage.h"
#include "master/sockfile.h"

struct activation;
struct conf;
struct conf_listen;
struct weir_addr;

/* What the master knows of a listener beyond what workers need. */
struct listener {
	int err;     /* errno of the last try, 0: fine or not tried */
	size_t head; /* number of the first one at its address */
	bool kept;   /* the socket is an older one's, too: */
	size_t from; /* its number there */
	bool opened; /* SO_REUSEPORT is on for the sake of others of this one */
	bool inherited; /* somebody else made the socket */
	bool amiss;	/* got other options, and not all could be set */
	bool changes; /* kept, and gets other options at the commit; so far: */
	const struct sockopts *were; /* the older one's, or NULL: any */
	enum sockopt_id option;	     /* that could not be set, with err */
	struct sockfile file;	     /* of a unix socket */
};

struct listeners {
	const struct conf *conf;
	struct heritage_listener *v; /* fd -1: not bound */
	struct listener *info;
	size_t n;
	bool shares; /* some workers have sockets of their own */
	struct activation *activation; /* sockets to ask for first, or NULL */
};

/* Lists what conf listens on, binds nothing: one socket an address, or with
 * reuseport one for each of so many workers.  0, or -1 with errno.  conf must
 * live as long. */
int
listeners_init(struct listeners *ls, const struct conf *conf, unsigned workers);
/* Takes over all sockets of an older one that listen on an address of this one,
 * even if there are more than are wanted; the older one has them still.  -1
 * with errno. */
int listeners_adopt(struct listeners *ls, const struct listeners *older);
/* What was taken over is this one's alone now and has its options, what was
 * not, is closed; all listen. */
void listeners_commit(struct listeners *ls, struct listeners *older);
/* Closes and unlinks what was not taken over: it was all in vain. */
void listeners_undo(struct listeners *ls);
/* Binds what is not bound yet (bind(2), listen(2), unix(7)) and tries options
 * that sockets are going to get; returns how many could not be.  A unix socket
 * file that nobody listens on is replaced.  Where none can be beside one that
 * was inherited, all workers share that. */
size_t listeners_bind(struct listeners *ls);
/* Are all that could not be bound taken by others, who may be leaving? */
bool listeners_busy(const struct listeners *ls);
/* Logs each that could not be bound: its server, address and the reason. */
void listeners_report(const struct listeners *ls);
/* What the configuration says of listener i. */
const struct conf_listen *listener_conf(const struct listeners *ls, size_t i);
/* The address that listener i really has: the port, where 0 was written. */
int
listeners_address(const struct listeners *ls, size_t i, struct weir_addr *a);
/* In a child: closes those of the API, or all others: they are not its own. */
void listeners_divide(const struct listeners *ls, bool keeper);
/* Closes the descriptors; the files of unix sockets stay. */
void listeners_close(struct listeners *ls);
/* Unlinks the unix socket files that this process made.  Before they are
 * closed, as a later one may get the same inode number. */
void listeners_unlink(struct listeners *ls);
/* Closes, frees; does not unlink. */
void listeners_done(struct listeners *ls);

#endif
