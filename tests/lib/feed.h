/* feed.h - a configuration that comes through a pipe: who loads it waits as
 * long as the test wants, and nobody can read it a second time. */
#ifndef LIB_FEED_H
#define LIB_FEED_H

#include <sys/types.h>

struct daemon;

struct feed {
	struct daemon *d;
	int reader; /* so that the pipe stays */
	int writer; /* -1: who reads comes to the end at once */
};

/* Lets weir.conf of d be a pipe.  For who loads it next daemon_write() fills
 * it: once each. */
void feed_init(struct feed *f, struct daemon *d);
void feed_done(struct feed *f);
/* HUP; pid of the loader, which waits for text. */
pid_t feed_reload(struct feed *f);
/* All that the loader gets. */
void feed_give(struct feed *f, const char *text);

#endif
