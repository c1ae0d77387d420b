/* links.c - sockets between the keeper and every worker. */
#include <errno.h>
#include <string.h>

#include "base/fd.h"
#include "base/log.h"
#include "master/workers.h"

void
workers_link(struct workers *ws, struct worker *keeper)
{
	struct worker *w;
	int fds[2];

	if (keeper->state != WORKER_READY || keeper->control_fd == -1)
		return;
	for (w = ws->v; w < ws->v + ws->n; w++) {
		if (w->state != WORKER_READY || w->control_fd == -1 ||
			w->linked == keeper->pid)
			continue;
		if (msg_pair(fds) == -1) {
			log_error(
				"cannot link the keeper: %s", strerror(errno));
			return;
		}
		/* One of them may be full, or gone: then both see the end, and
		 * it is tried again. */
		if (msg_send_fd(w->control_fd, MSG_LINK, 0, fds[0]) == 0 &&
			msg_send_fd(keeper->control_fd, MSG_LINK,
				(uint32_t)w->pid, fds[1]) == 0)
			w->linked = keeper->pid;
		fd_close(&fds[0]);
		fd_close(&fds[1]);
	}
}
