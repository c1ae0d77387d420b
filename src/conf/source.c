/* source.c - one file of a configuration, as text. */
#include <sys/stat.h>
#include <sys/vfs.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conf/source.h"

static bool is_readable(int fd, bool is_first);

const char *
source_read(struct source *in, const char *file, size_t room, struct arena *a)
{
	/* Opening a FIFO would wait for whoever writes to it. */
	int fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	const char *why = NULL;
	ssize_t got = -1;
	struct stat st;
	size_t n = 0;
	char *text;

	if (fd == -1)
		return arena_printf(a, "cannot be opened: %s", strerror(errno));
	if (!is_readable(fd, in->parent == NULL)) {
		close(fd);
		return "is no plain file";
	}
	text = malloc(room + 1);
	if (text != NULL && fstat(fd, &st) == 0)
		do {
			got = read(fd, text + n, room + 1 - n);
			n += got > 0 ? (size_t)got : 0;
		} while ((got > 0 && n <= room) ||
			 (got == -1 && errno == EINTR));
	if (got == -1)
		why = arena_printf(a, "cannot be read: %s", strerror(errno));
	else if (n > room)
		why = "makes more than 1 MB, includes counted";
	else {
		in->file = file;
		in->p = memcpy(arena_alloc(a, n + 1), text, n);
		in->end = in->p + n;
		in->dev = st.st_dev;
		in->ino = st.st_ino;
	}
	free(text);
	close(fd);
	return why;
}

/* A plain file (of a directory read(2) tells); the first one may also be a pipe
 * of the caller, such as /dev/stdin, but nothing else that has no end. */
static bool
is_readable(int fd, bool is_first)
{
	struct statfs fs;
	struct stat st;

	if (fstat(fd, &st) == -1 || S_ISREG(st.st_mode) || S_ISDIR(st.st_mode))
		return true;
	if (!is_first || !S_ISFIFO(st.st_mode) || fstatfs(fd, &fs) == -1 ||
		fs.f_type != PIPEFS_MAGIC)
		return false;
	return fcntl(fd, F_SETFL, 0) != -1;
}

const char *
source_why(const struct source *in, unsigned *line, struct arena *a)
{
	struct source at = *in;
	unsigned char c;
	size_t n;

	for (; at.p < at.end; at.p += n) {
		c = (unsigned char)*at.p;
		n = source_char(&at);
		if (n == 0)
			return arena_printf(a, "byte 0x%02x is not UTF-8", c);
		if (c == 0x7f || c == 0 ||
			(c < ' ' && strchr("\t\n\r", c) == NULL))
			return arena_printf(a, "control character 0x%02x", c);
		*line += c == '\n';
	}
	return NULL;
}

size_t
source_char(const struct source *in)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	const unsigned char *p = (const unsigned char *)in->p;
	size_t n = *p < 0x80   ? 1
		   : *p < 0xc0 ? 0
		   : *p < 0xe0 ? 2
		   : *p < 0xf0 ? 3
		   : *p < 0xf8 ? 4
			       : 0;
	uint32_t code;
	size_t i;

	if (n <= 1)
		return n;
	if ((size_t)(in->end - in->p) < n)
		return 0;
	code = *p & (0x7fu >> n);
	for (i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (p[i] & 0x3fu);
	}
	if (code < least[n] || code > 0x10ffff ||
		(code >= 0xd800 && code < 0xe000))
		return 0;
	return n;
}
