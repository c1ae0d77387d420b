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
struct weir_counters;
struct weir_table;

struct heritage_listener {
	int fd;
	unsigned server; /* index into conf->servers, or CONF_API */
	unsigned listen; /* index into that server's listen list */
	unsigned share;	 /* 0: all workers accept; n: it is the n-th of several
			  * at one address, see heritage_slot() */
};

/* A table of an extension; those of one stand together, in its own order. */
struct heritage_table {
	struct weir_table *table;
	char *name;
	unsigned extension; /* index into conf->extensions */
	const char *file;   /* it is kept there; NULL: nowhere */
	bool hidden;	    /* the API does not show it */
	bool fresh;	    /* the keeper is to fill it from its file */
	uint32_t save_ms;   /* how often it is kept there */
};

struct heritage {
	const struct conf *conf;
	const struct heritage_listener *listeners; /* all bound, non-blocking */
	size_t nlisteners;
	const int *logs; /* opened, in order of the conf's logfiles */
	int control_fd;	 /* the worker's end of its control pair */
	unsigned slot;
	unsigned workers;    /* slots in all */
	struct board *board; /* a line a slot; NULL: none */
	unsigned generation;
	pid_t master_pid;
	struct shm *shm;       /* that all processes share; NULL: none */
	struct pauses *pauses; /* in there */
	uint64_t owner;	       /* of what this process holds there */
	const struct heritage_table *tables;
	size_t ntables;
	struct weir_counters *counters; /* NULL: nobody counts */
	bool background;		/* once ready, stdio is /dev/null */
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
/* The same of the one process that does what must be done once: asks all
 * workers, answers the API, runs what extensions keep.  It serves after MSG_GO,
 * and has no slot. */
_Noreturn void keeper_main(const struct heritage *h);

#endif
