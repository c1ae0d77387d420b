/* pidfile.c - one master for each pidfile, and how -s finds it. */
#include <sys/file.h>
#include <sys/stat.h>

#include <bsd/libutil.h>
#include <bsd/stdlib.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "master/pidfile.h"

static pid_t pidfile_read(int fd);

struct pidfh *
pidfile_take(const char *path, bool *held, char why[static PIDFILE_WHY])
{
	struct pidfh *pfh;
	struct stat st;
	pid_t pid = -1;

	*held = false;
	/* pidfile_open(3bsd) would follow a link and empty what it names. */
	if (lstat(path, &st) == 0 && !S_ISREG(st.st_mode)) {
		snprintf(why, PIDFILE_WHY,
			"pidfile %s: it exists and is not a plain file", path);
		return NULL;
	}
	pfh = pidfile_open(path, 0644, &pid);
	if (pfh == NULL && (errno == EEXIST || errno == EAGAIN)) {
		*held = true;
		if (pid > 0)
			snprintf(why, PIDFILE_WHY,
				"already running, pid %d (lock on %s)",
				(int)pid, path);
		else
			snprintf(why, PIDFILE_WHY,
				"already running (lock on %s)", path);
		return NULL;
	}
	if (pfh == NULL || pidfile_write(pfh) == -1) {
		snprintf(why, PIDFILE_WHY, "pidfile %s: cannot write it: %s",
			path, strerror(errno));
		if (pfh != NULL)
			pidfile_remove(pfh);
		return NULL;
	}
	return pfh;
}

pid_t
pidfile_holder(const char *path, char why[static PIDFILE_WHY])
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	pid_t pid;

	if (fd == -1) {
		snprintf(why, PIDFILE_WHY,
			"weir is not running (pidfile %s: %s)", path,
			strerror(errno));
		return -1;
	}
	if (flock(fd, LOCK_SH | LOCK_NB) == 0) {
		snprintf(why, PIDFILE_WHY,
			"weir is not running (no lock on %s)", path);
		fd_close(&fd);
		return -1;
	}
	pid = pidfile_read(fd);
	if (pid == -1)
		snprintf(why, PIDFILE_WHY,
			"%s is locked but names no process: if weir is just "
			"starting, try again",
			path);
	fd_close(&fd);
	return pid;
}

static pid_t
pidfile_read(int fd)
{
	const char *why;
	char text[16];
	ssize_t n = read(fd, text, sizeof(text) - 1);
	pid_t pid;

	if (n <= 0)
		return -1;
	text[n] = '\0';
	text[strcspn(text, "\n")] = '\0';
	/* 0 and -1 mean whole groups of processes to kill(2). */
	pid = (pid_t)strtonum(text, 1, INT_MAX, &why);
	return why == NULL ? pid : -1;
}
