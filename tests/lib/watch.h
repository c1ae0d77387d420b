/* watch.h - waiting for text in the files of one directory. */
#ifndef LIB_WATCH_H
#define LIB_WATCH_H

#include <stdbool.h>
#include <stddef.h>

struct watch;

/* Watches the files of dir (inotify(7)); NULL with errno. */
struct watch *watch_new(const char *dir);
void watch_free(struct watch *w);
/* The whole file as text, "" when there is none.  Caller frees. */
char *watch_read(const struct watch *w, const char *file);
/* Waits until file has text at or behind byte *from, and moves *from behind it;
 * false when ms are over. */
bool watch_wait(struct watch *w, const char *file, const char *text,
	size_t *from, int ms);

#endif
