/* seg.h - pieces of memory for bytes that must be kept, from a pool of this
 * process. */
#ifndef BASE_SEG_H
#define BASE_SEG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SEG_MOST ((size_t)65536 - sizeof(struct seg))

struct seg {
	struct seg *next;
	uint32_t start, end, cap; /* data[start..end) is filled */
	uint8_t data[];
};

/* One with room for n bytes, or for SEG_MOST if that is less; NULL with ENOMEM.
 * End it with seg_free(). */
struct seg *seg_new(size_t n);
/* One with room for n bytes, however many, that is in no pool yet. */
struct seg *seg_new_big(size_t n);
/* NULL is nothing. */
void seg_free(struct seg *s);
/* Has the pool any? */
bool segs_are_kept(void);
/* Gives back the memory of those that nobody has needed since the last call;
 * true: the pool has more. */
bool segs_trim(void);

#endif
