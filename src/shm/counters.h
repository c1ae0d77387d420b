/* counters.h - series of 64-bit figures in the segment: a directory of them, to
 * which the master adds, and cells for each process, by the place of its id. */
#ifndef SHM_COUNTERS_H
#define SHM_COUNTERS_H

#include <stddef.h>
#include <stdint.h>

#include "api/counter.h"
#include "shm/shm.h"

#define COUNTERS_DIRECTORY ((size_t)1 << 20) /* bytes, of all series */
#define COUNTERS_CHUNKS	   1024		     /* of a process, at most */

struct series;
struct chunk;

struct weir_counters {
	struct shm *shm;
	struct shm_zone *zone;
	struct directory *directory; /* in the segment */
	uint64_t me;		     /* owner of the cells; 0: none */
	const struct series **all;   /* that are known here */
	unsigned n, room;
	uint32_t *index; /* of those, by hash: number + 1 */
	unsigned nindex; /* a power of two, or 0 */
	uint32_t seen;	 /* bytes of the directory */
	uint32_t spare;	 /* an extent of ours without a number; 0: none */
	uint32_t own[COUNTERS_CHUNKS]; /* extents; 0: none yet */
	uint32_t *others;	       /* extents of all processes, by chunk */
	uint32_t first[COUNTERS_CHUNKS + 2]; /* of each chunk, of those */
};

/* Opens the directory, or makes it; for the master.  -1 with errno.  End with
 * counters_done(). */
int counters_init(struct weir_counters *c, struct shm *shm);
void counters_done(struct weir_counters *c);
/* This process, from here on, is that owner (src/shm/owner.h): it goes on with
 * the cells of whoever had its place, but for gauges, which begin with 0. */
void counters_own(struct weir_counters *c, uint64_t me);

#endif
