/* watch.c - waiting for text in the files of one directory. */
#include <sys/inotify.h>

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/procs.h"
#include "lib/watch.h"

struct watch {
	char *dir;
	int fd;
};

struct watch *
watch_new(const char *dir)
{
	struct watch *w = calloc(1, sizeof(*w));

	if (w == NULL)
		return NULL;
	w->dir = strdup(dir);
	w->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (w->dir != NULL && w->fd != -1 &&
		inotify_add_watch(
			w->fd, dir, IN_MODIFY | IN_CREATE | IN_MOVED_TO) != -1)
		return w;
	watch_free(w);
	return NULL;
}

void
watch_free(struct watch *w)
{
	if (w->fd != -1)
		close(w->fd);
	free(w->dir);
	free(w);
}

char *
watch_read(const struct watch *w, const char *file)
{
	char path[4096], chunk[4096], *text = NULL;
	size_t n, len = 0;
	FILE *f, *out;

	snprintf(path, sizeof(path), "%s/%s", w->dir, file);
	f = fopen(path, "re");
	out = open_memstream(&text, &len);
	while (f != NULL && (n = fread(chunk, 1, sizeof(chunk), f)) > 0)
		fwrite(chunk, 1, n, out);
	if (f != NULL)
		fclose(f);
	fclose(out);
	return text;
}

bool
watch_wait(struct watch *w, const char *file, const char *text, size_t *from,
	int ms)
{
	struct pollfd pfd = { .fd = w->fd, .events = POLLIN };
	int64_t end = procs_now() + ms;
	char events[4096], *all, *found;
	bool is_last = false;

	for (;;) {
		/* What happens from here on wakes the next poll up. */
		while (read(w->fd, events, sizeof(events)) > 0)
			continue;
		all = watch_read(w, file);
		found = strlen(all) < *from ? NULL : strstr(all + *from, text);
		if (found != NULL)
			*from = (size_t)(found - all) + strlen(text);
		free(all);
		if (found != NULL || is_last)
			return found != NULL;
		ms = (int)(end - procs_now());
		is_last = ms <= 0 || poll(&pfd, 1, ms) == 0;
	}
}
