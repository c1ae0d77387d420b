/* home.c - the directory that relative paths begin in. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "master/home.h"

void
home_init(struct home *h)
{
	h->path = getcwd(NULL, 0);
}

void
home_done(struct home *h)
{
	free(h->path);
	h->path = NULL;
}

void
home_return(const struct home *h)
{
	char now[PATH_MAX];

	/* ENOENT of getcwd(3) means: it was removed. */
	if (h->path == NULL || getcwd(now, sizeof(now)) != NULL ||
		errno != ENOENT)
		return;
	if (chdir(h->path) == 0)
		log_notice("relative paths begin in the new %s: the one that "
			   "weir was started in was removed",
			h->path);
	else
		log_notice("relative paths lead nowhere: %s, which weir was "
			   "started in, was removed: %s",
			h->path, strerror(errno));
}
