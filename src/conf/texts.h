/* texts.h - the files of a configuration as they were read once, so that two
 * processes load the very same text. */
#ifndef CONF_TEXTS_H
#define CONF_TEXTS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "conf/source.h"

struct text {
	struct text *next;
	char *file;
	char *bytes;
	size_t len;
	dev_t dev;
	ino_t ino;
};

/* Starts zeroed; ends with texts_done(). */
struct texts {
	struct arena arena;
	struct text *first;
	bool whole; /* files are taken from here, none is read any more */
};

void texts_done(struct texts *ts);
/* source_read() that keeps what it has read, or takes what was kept; ts NULL:
 * source_read() itself. */
const char *texts_source(struct texts *ts, struct source *in, const char *file,
	size_t room, struct arena *a);
/* Writes all to a file (memfd_create(2)); 0, or -1 with errno. */
int texts_write(const struct texts *ts, int fd);
/* Reads what texts_write() wrote, whole from then on; 0, or -1 with errno
 * (EBADMSG: that is something else). */
int texts_read(struct texts *ts, int fd);

#endif
