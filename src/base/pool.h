/* pool.h - blocks of one size, many to a slab, reused at once. */
#ifndef BASE_POOL_H
#define BASE_POOL_H

#include <sys/queue.h>

#include <stddef.h>

struct slab;

struct pool {
	size_t size;		/* of a block */
	LIST_HEAD(, slab) open; /* slabs with room, none empty */
	LIST_HEAD(, slab) full; /* and without */
	struct slab *empty;	/* kept for the next one; or NULL */
};

/* Blocks of that size, aligned to 16 bytes. */
void pool_init(struct pool *pool, size_t size);
/* A block of zeros; NULL with ENOMEM.  End it with pool_put(). */
void *pool_get(struct pool *pool);
void pool_put(struct pool *pool, void *block);
/* Gives back what no block is in. */
void pool_trim(struct pool *pool);

#endif
