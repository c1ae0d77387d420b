/* buf.c - bytes that must be kept: a queue of segments, empty while idle. */
#include <sys/socket.h>
#include <sys/uio.h>

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

#define SEND_SEGS 16

static void
buf_push(struct buf *b, struct seg *s)
{
	if (b->tail == NULL)
		b->head = s;
	else
		b->tail->next = s;
	b->tail = s;
}

/* New segments for n bytes as a chain of their own, or NULL. */
static int
buf_reserve(struct buf *fresh, size_t n)
{
	while (n > 0) {
		struct seg *s = seg_new(n);

		if (s == NULL) {
			buf_clear(fresh);
			return -1;
		}
		buf_push(fresh, s);
		n -= n < s->cap ? n : s->cap;
	}
	return 0;
}

static size_t
seg_fill(struct seg *s, const uint8_t *p, size_t n)
{
	size_t room = s->cap - s->end;

	if (n > room)
		n = room;
	memcpy(s->data + s->end, p, n);
	s->end += (uint32_t)n;
	return n;
}

int
buf_append(struct buf *b, const void *p, size_t n)
{
	struct buf fresh = { 0 };
	const uint8_t *from = p;
	size_t room = b->tail == NULL ? 0 : b->tail->cap - b->tail->end;
	size_t took = 0;
	struct seg *s;

	if (n == 0)
		return 0;
	if (n > room && buf_reserve(&fresh, n - room) == -1)
		return -1;
	if (room > 0)
		took = seg_fill(b->tail, from, n);
	for (s = fresh.head; s != NULL; s = s->next)
		took += seg_fill(s, from + took, n - took);
	fresh.len = took; /* buf_move adds it; what went to the tail too */
	if (fresh.head == NULL) {
		b->len += took;
		return 0;
	}
	buf_move(b, &fresh);
	return 0;
}

void
buf_add_seg(struct buf *b, struct seg *s)
{
	size_t n = s->end - s->start;

	b->len += n;
	if (b->tail != NULL && n <= b->tail->cap - b->tail->end) {
		seg_fill(b->tail, s->data + s->start, n);
		seg_free(s);
		return;
	}
	s->next = NULL;
	buf_push(b, s);
}

void
buf_move(struct buf *b, struct buf *from)
{
	if (from->head == NULL)
		return;
	if (b->tail == NULL)
		b->head = from->head;
	else
		b->tail->next = from->head;
	b->tail = from->tail;
	b->len += from->len;
	*from = (struct buf){ 0 };
}

void
buf_move_front(struct buf *b, struct buf *from)
{
	buf_move(from, b);
	*b = *from;
	*from = (struct buf){ 0 };
}

void
buf_unshift(struct buf *b, struct seg *s)
{
	s->next = b->head;
	b->head = s;
	if (b->tail == NULL)
		b->tail = s;
	b->len += s->end - s->start;
}

int
buf_pullup(struct buf *b)
{
	struct seg *all, *s;

	if (b->head == b->tail)
		return 0;
	all = seg_new_big(2 * b->len);
	if (all == NULL)
		return -1;
	for (s = b->head; s != NULL; s = s->next)
		seg_fill(all, s->data + s->start, s->end - s->start);
	buf_clear(b);
	buf_unshift(b, all);
	return 0;
}

void
buf_cut(struct buf *b, size_t n)
{
	b->len -= n;
	while (n > 0) {
		struct seg *s = b->head;
		size_t have = s->end - s->start;

		if (n < have) {
			s->start += (uint32_t)n;
			return;
		}
		n -= have;
		b->head = s->next;
		if (b->head == NULL)
			b->tail = NULL;
		seg_free(s);
	}
}

struct seg *
buf_shift(struct buf *b)
{
	struct seg *s = b->head;

	if (s == NULL)
		return NULL;
	b->head = s->next;
	if (b->head == NULL)
		b->tail = NULL;
	b->len -= s->end - s->start;
	s->next = NULL;
	return s;
}

void
buf_clear(struct buf *b)
{
	struct seg *s;

	while ((s = b->head) != NULL) {
		b->head = s->next;
		seg_free(s);
	}
	*b = (struct buf){ 0 };
}

size_t
buf_sendable(const struct buf *b)
{
	const struct seg *s;
	size_t n = 0, segs = 0;

	for (s = b->head; s != NULL && segs++ < SEND_SEGS; s = s->next)
		n += s->end - s->start;
	return n;
}

ssize_t
buf_send(struct buf *b, int fd, int flags)
{
	struct iovec iov[SEND_SEGS];
	struct msghdr m = { .msg_iov = iov };
	const struct seg *s;
	ssize_t n;

	for (s = b->head; s != NULL && m.msg_iovlen < SEND_SEGS; s = s->next) {
		iov[m.msg_iovlen].iov_base = (void *)(s->data + s->start);
		iov[m.msg_iovlen++].iov_len = s->end - s->start;
	}
	n = sendmsg(fd, &m, flags);
	if (n > 0)
		buf_cut(b, (size_t)n);
	return n;
}
