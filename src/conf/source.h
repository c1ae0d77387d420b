/* source.h - one file of a configuration, as text. */
#ifndef CONF_SOURCE_H
#define CONF_SOURCE_H

#include <sys/types.h>

#include <stddef.h>

#include "base/arena.h"

/* A NUL stands at end; p moves on while it is read. */
struct source {
	const char *file;
	const char *p;
	const char *end;
	unsigned line;
	unsigned nesting;
	dev_t dev;
	ino_t ino;
	const struct source *parent; /* the file that includes it */
};

/* Reads all of file, at most room bytes.  NULL, or what is wrong with it ("is
 * a directory"); all of it lives in a. */
const char *
source_read(struct source *in, const char *file, size_t room, struct arena *a);
/* What shows that in is no text (NUL, control characters, no UTF-8), with the
 * lines before it added to *line; or NULL. */
const char *
source_why(const struct source *in, unsigned *line, struct arena *a);
/* Bytes of the UTF-8 character (RFC 3629) at p, 0 when it is none. */
size_t source_char(const struct source *in);

#endif
