/* pidfile.h - one master for each pidfile, and how -s finds it. */
#ifndef MASTER_PIDFILE_H
#define MASTER_PIDFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct pidfh; /* libbsd, pidfile(3bsd) */

#define PIDFILE_WHY 256 /* bytes that any reason takes */

/* Locks path, for this user alone, and writes the pid of this process into it.
 * NULL with the reason in why; *held says whether another one holds the lock.
 * End it with pidfile_end(), in a child with pidfile_close(3bsd). */
struct pidfh *
pidfile_take(const char *path, bool *held, char why[static PIDFILE_WHY]);
/* Removes it, if path is still that file: another weir may have put its own
 * there since. */
void pidfile_end(struct pidfh *pfh, const char *path);
/* Pid of the weir that holds the lock on path, as the kernel has it (F_GETLK of
 * fcntl(2)), or -1 with the reason in why. */
pid_t pidfile_holder(const char *path, char why[static PIDFILE_WHY]);

#endif
