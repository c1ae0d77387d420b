/* pause.h - servers that are paused, over the end of any process and over
 * reloads: numbers of their names in a zone. */
#ifndef SHM_PAUSE_H
#define SHM_PAUSE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "shm/shm.h"

#define PAUSES 512 /* servers at a time */

/* In the segment; one store makes or ends a pause. */
struct pauses {
	_Atomic uint64_t names[PAUSES]; /* siphash; 0: nobody's */
};

/* The segment's, made when there are none; for the master.  NULL with errno. */
struct pauses *pauses_open(struct shm *shm);
/* Is the server of that name paused? */
bool
pauses_have(const struct pauses *ps, const struct shm *shm, const char *server);
/* Pauses it, or ends that; -1 with ENOSPC: too many are. */
int pauses_set(struct pauses *ps, const struct shm *shm, const char *server,
	bool paused);

#endif
