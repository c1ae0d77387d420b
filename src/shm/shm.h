/* shm.h - one segment of memory that the master, its workers and their keepers
 * share: extents that belong to somebody, and a directory of named zones. */
#ifndef SHM_SHM_H
#define SHM_SHM_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SHM_EXTENT 16384 /* bytes of an extent */
#define SHM_ZONES  256
#define SHM_NAME   48 /* of a zone, with its NUL */

/* In the segment; the master alone changes it. */
struct shm_zone {
	char name[SHM_NAME]; /* "": none */
	uint64_t layout;     /* whose is another is not read, but made anew */
	uint32_t first;	     /* extent, of those that the zone always has */
	uint32_t n;	     /* of them */
	bool filled;	     /* with what a file had of it */
};

struct shm_head;

struct shm {
	struct shm_head *head; /* NULL: not made */
	size_t size;	       /* of the address range */
	int fd;
	uint64_t full_until_ms; /* nothing is looked for */
};

/* Reserves a range of most bytes, without memory behind it, that children
 * inherit (memfd_create(2)); -1 with errno.  End with shm_done(). */
int shm_init(struct shm *shm, size_t most);
void shm_done(struct shm *shm);
/* The zone of that name and layout, with the extents that it was made with.  If
 * there is none it is fresh: n bytes of zeros.  One of the same name and
 * another layout stays, for those who work with it still.  For the master. NULL
 * with errno (ENOSPC: no room, ENAMETOOLONG). */
struct shm_zone *shm_zone_open(struct shm *shm, const char *name,
	uint64_t layout, size_t n, bool *fresh);
/* Gives back the zone and whatever extents were taken for it: no process works
 * with it any more. */
void shm_zone_drop(struct shm *shm, struct shm_zone *zone);
/* Is there another zone of its name? */
bool shm_zone_other(const struct shm *shm, const struct shm_zone *zone);
/* Its bytes. */
void *shm_zone_data(const struct shm *shm, const struct shm_zone *zone);
/* The i-th of the directory, with a name or without; NULL: there are no more.
 */
struct shm_zone *shm_zone_at(const struct shm *shm, unsigned i);
/* Its place in the directory. */
unsigned shm_zone_index(const struct shm *shm, const struct shm_zone *zone);

/* Who owns extents: part of a zone. */
#define SHM_OWNER(zone, part) (((uint32_t)(zone) + 1) << 16 | (uint32_t)(part))

/* An extent of zeros, with memory behind it (fallocate(2)), for owner; 0 with
 * errno (ENOSPC: no range or no memory is left).  Of any process, without a
 * lock; who dies meanwhile leaves it to its owner. */
uint32_t shm_take(struct shm *shm, uint32_t owner);
/* The same without memory behind it: it is taken for later, see shm_back(). */
uint32_t shm_reserve(struct shm *shm, uint32_t owner);
/* The next extent of owner behind after, 0 to begin with; 0: there is none. */
uint32_t shm_next(const struct shm *shm, uint32_t owner, uint32_t after);
/* Who owns an extent; 0: nobody. */
uint32_t shm_whose(const struct shm *shm, uint32_t extent);
/* Sees to it that there is memory behind an extent, which may not have been so
 * yet; false: there is none. */
bool shm_back(struct shm *shm, uint32_t extent);
/* Gives back the memory of one, which stays its owner's. */
void shm_empty(struct shm *shm, uint32_t extent);
/* Gives one back, and its memory. */
void shm_give(struct shm *shm, uint32_t extent);
/* Extents that belong to somebody. */
uint32_t shm_taken(const struct shm *shm);
/* How many there can be. */
uint32_t shm_extents(const struct shm *shm);
/* A random number of this segment, for hashes of keys that strangers choose. */
const uint64_t *shm_secret(const struct shm *shm);

static inline void *
shm_extent(const struct shm *shm, uint32_t extent)
{
	return (uint8_t *)shm->head + (size_t)extent * SHM_EXTENT;
}

#endif
