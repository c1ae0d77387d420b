/* seg.c - pieces of memory for bytes that must be kept, from a pool of this
 * process: sizes from 4 to 64 kB, each twice that before. */
#include <stdlib.h>

#include "base/poison.h"
#include "base/seg.h"

#define SIZES	   5
#define LEAST_SIZE ((size_t)4096)
#define KEPT_MOST  32 /* of a size */

static struct shelf {
	struct seg *free;
	unsigned n;
	unsigned least; /* that there were since the last trim */
} shelves[SIZES];
static unsigned kept; /* on all of them */

static size_t
shelf_room(unsigned i)
{
	return (LEAST_SIZE << i) - sizeof(struct seg);
}

/* Where a segment of that size belongs; NULL: it is none of the pool's. */
static struct shelf *
shelf_of(size_t cap)
{
	unsigned i;

	for (i = 0; i < SIZES; i++)
		if (shelf_room(i) == cap)
			return &shelves[i];
	return NULL;
}

struct seg *
seg_new(size_t n)
{
	struct shelf *shelf;
	struct seg *s;
	unsigned i = 0;

	while (i < SIZES - 1 && shelf_room(i) < n)
		i++;
	shelf = &shelves[i];
	s = shelf->free;
	if (s == NULL)
		return seg_new_big(shelf_room(i));
	shelf->free = s->next;
	shelf->n--;
	kept--;
	if (shelf->n < shelf->least)
		shelf->least = shelf->n;
	memory_poison(s->data, s->cap, false);
	s->next = NULL;
	s->start = s->end = 0;
	return s;
}

struct seg *
seg_new_big(size_t n)
{
	struct seg *s = malloc(sizeof(*s) + n);

	if (s != NULL)
		*s = (struct seg){ .cap = (uint32_t)n };
	return s;
}

void
seg_free(struct seg *s)
{
	struct shelf *shelf = s == NULL ? NULL : shelf_of(s->cap);

	if (shelf == NULL || shelf->n >= KEPT_MOST) {
		free(s);
		return;
	}
	memory_poison(s->data, s->cap, true);
	s->next = shelf->free;
	shelf->free = s;
	shelf->n++;
	kept++;
}

static void
shelf_trim(struct shelf *shelf)
{
	struct seg *s;

	for (; shelf->least > 0; shelf->least--) {
		s = shelf->free;
		shelf->free = s->next;
		shelf->n--;
		kept--;
		memory_poison(s->data, s->cap, false);
		free(s);
	}
	shelf->least = shelf->n;
}

bool
segs_are_kept(void)
{
	return kept > 0;
}

bool
segs_trim(void)
{
	unsigned i;

	for (i = 0; i < SIZES; i++)
		shelf_trim(&shelves[i]);
	return segs_are_kept();
}
