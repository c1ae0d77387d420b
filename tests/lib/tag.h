/* tag.h - streams of bytes that name their connection: any eight of them tell
 * whose they are and where in its stream they stood. */
#ifndef LIB_TAG_H
#define LIB_TAG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes at..at+n of the stream of connection id into p; key keeps the streams
 * of one program from those of another. */
void tag_make(uint64_t key, uint32_t id, uint64_t at, void *p, size_t n);
/* How many of the n bytes at p are those of the stream at that place, up to the
 * first that is not. */
size_t
tag_same(uint64_t key, uint32_t id, uint64_t at, const void *p, size_t n);
/* Are n bytes at p of a connection below ids?  Which, and where, if so. */
bool tag_find(uint64_t key, const void *p, size_t n, uint32_t ids, uint32_t *id,
	uint64_t *at);

#endif
