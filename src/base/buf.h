/* buf.h - bytes that must be kept: a queue of segments, empty while idle. */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/seg.h"

struct buf {
	struct seg *head, *tail;
	size_t len;
};

/* Appends a copy; -1 with ENOMEM, then nothing was appended. */
int buf_append(struct buf *b, const void *p, size_t n);
/* Appends a segment and owns it from here on; what fits behind the last one is
 * copied there, so that many small ones do not take the room of big ones. */
void buf_add_seg(struct buf *b, struct seg *s);
/* Moves all bytes of from to the end of b. */
void buf_move(struct buf *b, struct buf *from);
/* Moves all bytes of from to the front of b. */
void buf_move_front(struct buf *b, struct buf *from);
/* Puts a segment that is the caller's no more in front. */
void buf_unshift(struct buf *b, struct seg *s);
/* Makes all bytes one segment, with room for as many again; -1 with ENOMEM,
 * then nothing has changed. */
int buf_pullup(struct buf *b);
/* Drops the first n bytes, n <= b->len. */
void buf_cut(struct buf *b, size_t n);
/* Takes the first segment out, or NULL; caller frees it with
 * seg_free(). */
struct seg *buf_shift(struct buf *b);
/* Drops everything. */
void buf_clear(struct buf *b);
/* Bytes that one buf_send() would send at most. */
size_t buf_sendable(const struct buf *b);
/* Sends as much as the socket takes (sendmsg(2), with these flags), and drops
 * it from b: bytes sent, or -1 with errno. */
ssize_t buf_send(struct buf *b, int fd, int flags);

#endif
