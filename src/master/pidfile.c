/* pidfile.c - one master for each pidfile, and how -s finds it. */
#include <sys/file.h>
#include <sys/stat.h>

#include <bsd/libutil.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "master/pidfile.h"

#define PIDFILE_MODE 0600
#define PIDFILE_LOOK (O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)

static int pidfile_own(struct pidfh *pfh);
static void pidfile_held(const char *path, char why[static PIDFILE_WHY]);
static pid_t pidfile_locker(int fd);

struct pidfh *
pidfile_take(const char *path, bool *held, char why[static PIDFILE_WHY])
{
	struct pidfh *pfh;
	struct stat st;

	*held = false;
	/* pidfile_open(3bsd) would follow a link and empty what it names. */
	if (lstat(path, &st) == 0 && !S_ISREG(st.st_mode)) {
		snprintf(why, PIDFILE_WHY,
			"pidfile %s: it exists and is not a plain file", path);
		return NULL;
	}
	/* It would not believe a pid with a newline, and wait for one that is
	 * not written yet: whose lock it is, the kernel knows better. */
	pfh = pidfile_open(path, PIDFILE_MODE, NULL);
	if (pfh == NULL && errno == EEXIST) {
		*held = true;
		pidfile_held(path, why);
		return NULL;
	}
	if (pfh == NULL || pidfile_own(pfh) == -1) {
		snprintf(why, PIDFILE_WHY, "pidfile %s: cannot write it: %s",
			path, strerror(errno));
		if (pfh != NULL)
			pidfile_remove(pfh);
		return NULL;
	}
	return pfh;
}

void
pidfile_end(struct pidfh *pfh, const char *path)
{
	struct stat ours, there;

	if (fstat(pidfile_fileno(pfh), &ours) == 0 &&
		lstat(path, &there) == 0 && there.st_dev == ours.st_dev &&
		there.st_ino == ours.st_ino)
		pidfile_remove(pfh);
	else
		pidfile_close(pfh);
}

pid_t
pidfile_holder(const char *path, char why[static PIDFILE_WHY])
{
	int fd = open(path, PIDFILE_LOOK);
	pid_t pid;

	if (fd == -1) {
		snprintf(why, PIDFILE_WHY,
			errno == ENOENT
				? "weir is not running (pidfile %s: %s)"
				: "cannot see whether weir runs (pidfile %s: "
				  "%s)",
			path, strerror(errno));
		return -1;
	}
	pid = pidfile_locker(fd);
	if (pid == -1 && flock(fd, LOCK_SH | LOCK_NB) == 0)
		snprintf(why, PIDFILE_WHY,
			"weir is not running (no lock on %s)", path);
	else if (pid == -1)
		snprintf(why, PIDFILE_WHY,
			"%s is locked, but by no weir that could be found; if "
			"one is just starting, try again",
			path);
	fd_close(&fd);
	return pid;
}

static int
pidfile_own(struct pidfh *pfh)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	/* Nobody else shall open and lock it, also one that was left behind.
	 * The second lock (fcntl(2)) is the one that says whose it is. */
	if (fd_cloexec(pidfile_fileno(pfh)) == -1 ||
		fchmod(pidfile_fileno(pfh), PIDFILE_MODE) == -1 ||
		fcntl(pidfile_fileno(pfh), F_SETLK, &lock) == -1)
		return -1;
	return pidfile_write(pfh);
}

static void
pidfile_held(const char *path, char why[static PIDFILE_WHY])
{
	int fd = open(path, PIDFILE_LOOK);
	pid_t pid = fd != -1 ? pidfile_locker(fd) : -1;

	fd_close(&fd);
	if (pid != -1)
		snprintf(why, PIDFILE_WHY,
			"already running, pid %d (lock on %s)", (int)pid, path);
	else
		snprintf(why, PIDFILE_WHY,
			"already running, or another program has locked %s "
			"(its pid is not known)",
			path);
}

/* Who holds the lock that only a weir takes, or -1.  What is written in the
 * file proves nothing: it may be stale, and then any program can lock it. */
static pid_t
pidfile_locker(int fd)
{
	/* Reading conflicts with write locks alone, for which the file must
	 * have been opened for writing. */
	struct flock lock = { .l_type = F_RDLCK, .l_whence = SEEK_SET };

	/* 0: in a namespace that we do not see; -1: of no process. */
	if (fcntl(fd, F_GETLK, &lock) == -1 || lock.l_type != F_WRLCK ||
		lock.l_pid <= 0)
		return -1;
	return lock.l_pid;
}
