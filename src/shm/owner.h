/* owner.h - who holds things in shared memory: a process, until it is gone.
 *
 * What a process holds is written down with its id.  The master ends that id
 * when the process is gone; from then on what is written with it is void,
 * whoever reads it. */
#ifndef SHM_OWNER_H
#define SHM_OWNER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "shm/shm.h"

#define OWNERS		 1024 /* processes at a time */
#define OWNER_BITS	 40   /* of an id */
#define OWNER_COUNT_MOST ((1u << (64 - OWNER_BITS)) - 1)

/* A place and how often it has been given: odd while somebody has it. */
struct owners {
	_Atomic uint32_t turns[OWNERS];
};

/* The segment's. */
struct owners *shm_owners(const struct shm *shm);
/* For the master, before it forks: an id that nobody has, never 0; 0 with
 * EAGAIN when there are too many. */
uint64_t owner_begin(struct owners *owners);
/* For the master, after the process is gone (or has never been). */
void owner_end(struct owners *owners, uint64_t id);
/* Which place that is, below OWNERS. */
unsigned owner_place(uint64_t id);
/* Is the process still there? */
bool owner_lives(const struct owners *owners, uint64_t id);

#endif
