/* adopt.c - who serves the sockets of a slot that has no worker. */
#include "base/log.h"
#include "master/listeners.h"
#include "master/workers.h"

/* Does it accept? */
static bool
worker_serves(const struct worker *w)
{
	return w->state == WORKER_READY && !w->leaves;
}

void
workers_cover(struct workers *ws)
{
	struct worker *w, *other;
	unsigned slot, i;

	if (!ws->listeners->shares || ws->mode != WORKERS_KEPT || !ws->going)
		return;
	for (slot = 0; slot < ws->n; slot++) {
		w = &ws->v[slot];
		other = w->adopter == 0 ? NULL : &ws->v[w->adopter - 1];
		/* Whoever is there now has not been told. */
		if (other != NULL && other->pid != w->adopter_pid)
			other = NULL;
		if (other != NULL && !worker_serves(other))
			other = NULL;
		if (worker_serves(w) && other != NULL)
			(void)msg_send(other->control_fd, MSG_RETURN, slot);
		if (worker_serves(w))
			w->adopter = 0;
		if (worker_serves(w) || other != NULL)
			continue;
		w->adopter = 0;
		for (i = 1; i < ws->n && w->adopter == 0; i++) {
			other = &ws->v[(slot + i) % ws->n];
			if (!worker_serves(other) ||
				msg_send(other->control_fd, MSG_ADOPT, slot) ==
					-1)
				continue;
			w->adopter = (slot + i) % ws->n + 1;
			w->adopter_pid = other->pid;
			log_info("worker %u serves the sockets of worker %u",
				w->adopter - 1, slot);
		}
	}
}
