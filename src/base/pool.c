/* pool.c - blocks of one size, many to a slab, reused at once. */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/poison.h"
#include "base/pool.h"

#define SLAB_SIZE ((size_t)524288) /* and alignment, so blocks find it */

struct slab {
	LIST_ENTRY(slab) link;
	void *free;	/* blocks, each starts with the next */
	uint32_t used;	/* blocks that are given out */
	uint32_t fresh; /* offset of the first that never was */
};

#define SLAB_HEAD ((sizeof(struct slab) + 15) & ~(size_t)15)

static size_t
pool_slab_size(const struct pool *pool)
{
	size_t size = SLAB_SIZE;

	while (size < SLAB_HEAD + pool->size)
		size *= 2;
	return size;
}

static struct slab *
slab_of(const struct pool *pool, void *block)
{
	return (void *)((uintptr_t)block &
			~((uintptr_t)pool_slab_size(pool) - 1));
}

static bool
slab_is_full(const struct pool *pool, const struct slab *s)
{
	return s->free == NULL && s->fresh + pool->size > pool_slab_size(pool);
}

void
pool_init(struct pool *pool, size_t size)
{
	*pool = (struct pool){ .size = (size + 15) & ~(size_t)15 };
	LIST_INIT(&pool->open);
	LIST_INIT(&pool->full);
}

/* A slab with room. */
static struct slab *
pool_slab(struct pool *pool)
{
	size_t size = pool_slab_size(pool);
	struct slab *s = LIST_FIRST(&pool->open);

	if (s != NULL)
		return s;
	s = pool->empty;
	pool->empty = NULL;
	if (s == NULL && (s = aligned_alloc(size, size)) != NULL)
		*s = (struct slab){ .fresh = SLAB_HEAD };
	if (s != NULL)
		LIST_INSERT_HEAD(&pool->open, s, link);
	return s;
}

void *
pool_get(struct pool *pool)
{
	struct slab *s = pool_slab(pool);
	void *block;

	if (s == NULL)
		return NULL;
	if (s->free != NULL) {
		block = s->free;
		memory_poison(block, pool->size, false);
		memcpy(&s->free, block, sizeof(s->free));
	} else {
		block = (uint8_t *)s + s->fresh;
		s->fresh += (uint32_t)pool->size;
	}
	s->used++;
	if (slab_is_full(pool, s)) {
		LIST_REMOVE(s, link);
		LIST_INSERT_HEAD(&pool->full, s, link);
	}
	return memset(block, 0, pool->size);
}

static void
slab_free(const struct pool *pool, struct slab *s)
{
	memory_poison(s, pool_slab_size(pool), false);
	free(s);
}

void
pool_put(struct pool *pool, void *block)
{
	struct slab *s = slab_of(pool, block);

	if (slab_is_full(pool, s)) {
		LIST_REMOVE(s, link);
		LIST_INSERT_HEAD(&pool->open, s, link);
	}
	memcpy(block, &s->free, sizeof(s->free));
	s->free = block;
	memory_poison(block, pool->size, true);
	if (--s->used > 0)
		return;
	LIST_REMOVE(s, link);
	if (pool->empty == NULL)
		pool->empty = s;
	else
		slab_free(pool, s);
}

void
pool_trim(struct pool *pool)
{
	if (pool->empty != NULL)
		slab_free(pool, pool->empty);
	pool->empty = NULL;
}
