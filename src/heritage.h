/* heritage.h - the one struct that crosses the fork from master to worker. */
#ifndef HERITAGE_H
#define HERITAGE_H

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct board;
struct conf;
struct pauses;
struct shm;

#define HERITAGE_API (~0u) /* server of a listener that is the keeper's */

struct heritage_listener {
	int fd;
	unsigned server; /* index into conf->servers, or HERITAGE_API */
	unsigned listen; /* index into that server's listen list */
	unsigned share;	 /* 0: all workers accept; n: it is the n-th of several
			  * at one address, see heritage_slot() */
};

struct heritage {
	const struct conf *conf;
	const struct heritage_listener *listeners; /* all bound, non-blocking */
	size_t nlisteners;
	const int *logs; /* opened, in order of the conf's logfiles */
	int control_fd;	 /* the worker's end of its control pair */
	unsigned slot;
	unsigned workers;      /* slots in all */
	struct board *board;   /* a line a slot; NULL: none */
	struct shm *shm;       /* NULL: none */
	struct pauses *pauses; /* in there; NULL: none */
	unsigned generation;
	pid_t master_pid;
	bool background; /* once ready, stdio is /dev/null */
};

/* Whose a listener is that not all have (its share is not 0). */
static inline unsigned
heritage_slot(const struct heritage_listener *l, unsigned workers)
{
	return workers == 0 ? 0 : (l->share - 1) % workers;
}

/* Runs a worker until it was told to leave; never returns.  The child has
 * closed every control fd but its own and dropped its privileges; SIGTERM and
 * SIGQUIT are blocked until the worker handles them.  Exits 0, or 2 when it
 * cannot start and a respawn would not help. */
_Noreturn void worker_main(const struct heritage *h);

#endif
