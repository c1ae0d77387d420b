/* procs.h - processes as /proc shows them, and waiting for them to end. */
#ifndef LIB_PROCS_H
#define LIB_PROCS_H

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Real milliseconds (CLOCK_MONOTONIC). */
int64_t procs_now(void);
/* Fills pids with at most max children of pid, oldest first; how many. */
size_t procs_children(pid_t pid, pid_t *pids, size_t max);
/* How many descriptors pid has open; -1 when it is gone. */
int procs_fds(pid_t pid);
/* Where descriptor fd of pid leads ("socket:[12]"); text stays valid until the
 * next call; NULL when it is not open. */
const char *procs_fd(pid_t pid, int fd);
/* Lets pid open so many more than it has now, about (prlimit(2)); -1 with
 * errno.
 */
int procs_spare_fds(pid_t pid, int more);
/* How many descriptors from 3 on lead to the same in both processes. */
unsigned procs_fds_shared(pid_t a, pid_t b);
/* Value of a field of /proc/PID/status, such as "Uid"; valid until the next
 * call; NULL when there is none. */
const char *procs_status(pid_t pid, const char *field);
/* CPU that pid has used, in user and in system mode, in ms; what /proc/PID/stat
 * says, in ticks of 10 ms. */
int64_t procs_cpu_ms(pid_t pid);
/* Does pid call itself weir's keeper? */
bool procs_is_keeper(pid_t pid);
/* Waits until pid, which need not be a child, has ended; false: it has not. */
bool procs_wait_end(pid_t pid, int ms);
/* Reaps the child pid within ms; false: it lives. */
bool procs_reap(pid_t pid, int *status, int ms);
/* Kills (SIGKILL) and reaps every child, and theirs when they come to us. */
void procs_kill_all(void);

#endif
