/* texts.c - the files of a configuration as they were read once. */
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "conf/texts.h"

#define TEXTS_MOST ((size_t)8 << 20) /* of what was written */

/* How each file stands in what is written, its name and bytes behind it. */
struct head {
	uint64_t name_len, len, dev, ino;
};

void
texts_done(struct texts *ts)
{
	arena_free(&ts->arena);
	*ts = (struct texts){ .first = NULL };
}

static const struct text *
texts_find(const struct texts *ts, const char *file)
{
	const struct text *t = ts->first;

	while (t != NULL && strcmp(t->file, file) != 0)
		t = t->next;
	return t;
}

/* An empty text in front of the others; bytes of a NUL more than len. */
static struct text *
texts_add(struct texts *ts, size_t name_len, size_t len)
{
	struct text *t = arena_alloc(&ts->arena, sizeof(*t));

	t->file = arena_alloc(&ts->arena, name_len + 1);
	t->bytes = arena_alloc(&ts->arena, len + 1);
	t->len = len;
	t->next = ts->first;
	ts->first = t;
	return t;
}

/* As if it had just been read. */
static const char *
text_take(
	const struct text *t, struct source *in, const char *file, size_t room)
{
	if (t->len > room)
		return "makes more than 1 MB, includes counted";
	in->file = file;
	in->p = t->bytes;
	in->end = in->p + t->len;
	in->dev = t->dev;
	in->ino = t->ino;
	return NULL;
}

const char *
texts_source(struct texts *ts, struct source *in, const char *file, size_t room,
	struct arena *a)
{
	const struct text *kept;
	const char *why;
	struct text *t;

	if (ts == NULL)
		return source_read(in, file, room, a);
	kept = texts_find(ts, file);
	if (kept != NULL)
		return text_take(kept, in, file, room);
	if (ts->whole)
		return "was not read before";
	why = source_read(in, file, room, a);
	if (why != NULL)
		return why;
	t = texts_add(ts, strlen(file), (size_t)(in->end - in->p));
	memcpy(t->file, file, strlen(file));
	memcpy(t->bytes, in->p, t->len);
	t->dev = in->dev;
	t->ino = in->ino;
	return NULL;
}

static int
write_all(int fd, const void *p, size_t n)
{
	const char *at = p;

	while (n > 0) {
		ssize_t done = write(fd, at, n);

		if (done == -1 && errno == EINTR)
			continue;
		if (done <= 0)
			return -1;
		at += done;
		n -= (size_t)done;
	}
	return 0;
}

int
texts_write(const struct texts *ts, int fd)
{
	const struct text *t;

	for (t = ts->first; t != NULL; t = t->next) {
		struct head h = { .name_len = strlen(t->file),
			.len = t->len,
			.dev = t->dev,
			.ino = t->ino };

		if (write_all(fd, &h, sizeof(h)) == -1 ||
			write_all(fd, t->file, h.name_len) == -1 ||
			write_all(fd, t->bytes, h.len) == -1)
			return -1;
	}
	return 0;
}

/* Exactly n bytes: 1, 0 at the end of the file, or -1 with errno. */
static int
read_all(int fd, void *p, size_t n)
{
	size_t got = 0;

	while (got < n) {
		ssize_t done = read(fd, (char *)p + got, n - got);

		if (done == -1 && errno == EINTR)
			continue;
		if (done == -1)
			return -1;
		if (done == 0)
			break;
		got += (size_t)done;
	}
	if (got == n)
		return 1;
	errno = EBADMSG;
	return got == 0 ? 0 : -1;
}

int
texts_read(struct texts *ts, int fd)
{
	struct head h;
	size_t most = TEXTS_MOST;
	int rc;

	if (lseek(fd, 0, SEEK_SET) == -1)
		return -1;
	while ((rc = read_all(fd, &h, sizeof(h))) == 1) {
		struct text *t;

		if (h.name_len > most || h.len > most - h.name_len) {
			errno = EBADMSG;
			return -1;
		}
		most -= h.name_len + h.len;
		t = texts_add(ts, h.name_len, h.len);
		t->dev = (dev_t)h.dev;
		t->ino = (ino_t)h.ino;
		if ((h.name_len > 0 &&
			    read_all(fd, t->file, h.name_len) != 1) ||
			(h.len > 0 && read_all(fd, t->bytes, h.len) != 1))
			return -1;
	}
	ts->whole = true;
	return rc;
}
