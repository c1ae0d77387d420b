/* reopen.c - log files that were opened again, on their way to the workers. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "conf/conf.h"
#include "master/logs.h"
#include "master/workers.h"
#include "master/workers_private.h"

void
worker_reopen(struct workers *ws, unsigned slot)
{
	struct worker *w = &ws->v[slot];
	const struct logs *logs = ws->logs;

	if (w->nreopened == logs->n && w->reopen_again) {
		w->nreopened = 0;
		w->reopen_again = false;
	}
	for (; w->nreopened < logs->n; w->nreopened++) {
		if (logs->fds[w->nreopened] == STDERR_FILENO)
			continue;
		if (msg_send_fd(w->control_fd, MSG_REOPEN,
			    (uint32_t)w->nreopened,
			    logs->fds[w->nreopened]) == 0)
			return;
		/* One that has just died needs nothing more. */
		if (errno != EPIPE)
			log_error("worker %u goes on with the old log file %s: "
				  "%s",
				slot,
				conf_logfile_at(logs->conf, w->nreopened)->text,
				strerror(errno));
	}
}

void
workers_reopen(struct workers *ws)
{
	unsigned slot;

	for (slot = 0; slot < ws->n; slot++) {
		struct worker *w = &ws->v[slot];

		if (w->control_fd == -1)
			continue;
		if (w->nreopened < ws->logs->n) {
			w->reopen_again = true;
		} else {
			w->nreopened = 0;
			worker_reopen(ws, slot);
		}
	}
}
