/* daemon.h - going to the background, and telling the caller how it went. */
#ifndef MASTER_DAEMON_H
#define MASTER_DAEMON_H

#include <stdbool.h>

/* Forks.  In the background process: true, in a session of its own, its stderr
 * shown by the caller until daemon_ready(); *status_fd is to be closed by
 * children.  In the caller: waits, then false, with the exit status for it in
 * *status: 0 once ready, 1 when the start failed. */
bool daemon_fork(int *status_fd, int *status);
/* Lets the caller go with 0; from here on stdio is /dev/null. */
void daemon_ready(int *status_fd);

#endif
