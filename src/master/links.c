/* links.c - sockets between the keeper and every worker. */
#include <errno.h>
#include <string.h>

#include "base/fd.h"
#include "base/log.h"
#include "master/workers.h"

#define LINK_AGAIN_MS 1000 /* until what failed is tried again */

/* Is one to be made, once its time has come? */
static bool
worker_is_unlinked(const struct worker *w, const struct worker *keeper)
{
	return w->state == WORKER_READY && w->control_fd != -1 &&
	       w->linked != keeper->pid;
}

static bool
keeper_is_there(const struct worker *keeper)
{
	return keeper->state == WORKER_READY && keeper->control_fd != -1;
}

static void
worker_link(struct worker *w, struct worker *keeper, uint64_t now_ms)
{
	int fds[2];

	if (msg_pair(fds) == -1) {
		log_error("cannot link the keeper: %s", strerror(errno));
		keeper->link_ms = now_ms + LINK_AGAIN_MS;
		return;
	}
	/* The keeper first, as it is the one that has many of them.  When the
	 * other end goes nowhere, it sees that and says so. */
	if (msg_send_fd(keeper->control_fd, MSG_LINK, (uint32_t)w->pid,
		    fds[1]) == -1)
		keeper->link_ms = now_ms + LINK_AGAIN_MS;
	else if (msg_send_fd(w->control_fd, MSG_LINK, 0, fds[0]) == -1)
		w->link_ms = now_ms + LINK_AGAIN_MS;
	else
		w->linked = keeper->pid;
	fd_close(&fds[0]);
	fd_close(&fds[1]);
}

void
workers_link(struct workers *ws, struct worker *keeper, uint64_t now_ms)
{
	struct worker *w;

	for (w = ws->v; w < ws->v + ws->n; w++)
		if (keeper_is_there(keeper) && now_ms >= keeper->link_ms &&
			now_ms >= w->link_ms && worker_is_unlinked(w, keeper))
			worker_link(w, keeper, now_ms);
}

uint64_t
workers_link_next(const struct workers *ws, const struct worker *keeper)
{
	uint64_t next = UINT64_MAX, due;
	const struct worker *w;

	if (!keeper_is_there(keeper))
		return next;
	for (w = ws->v; w < ws->v + ws->n; w++) {
		due = w->link_ms > keeper->link_ms ? w->link_ms
						   : keeper->link_ms;
		if (worker_is_unlinked(w, keeper) && due < next)
			next = due;
	}
	return next;
}

bool
workers_unlink(struct workers *ws, pid_t pid, pid_t keeper, uint64_t now_ms)
{
	struct worker *w;

	for (w = ws->v; w < ws->v + ws->n; w++) {
		if (w->pid != pid)
			continue;
		/* It may just be leaving. */
		if (keeper == 0 || w->linked == keeper) {
			w->linked = 0;
			w->link_ms = now_ms + LINK_AGAIN_MS;
		}
		return true;
	}
	return false;
}

void
workers_admit(struct workers *keepers, uint64_t now_ms)
{
	struct worker *k = keepers->v;

	if (!keepers->going || !keeper_is_there(k) || k->admitted)
		return;
	k->admitted = msg_send(k->control_fd, MSG_GO, 0) == 0;
	if (!k->admitted)
		k->link_ms = now_ms + LINK_AGAIN_MS;
}

uint64_t
workers_admit_next(const struct workers *keepers)
{
	const struct worker *k = keepers->v;

	return keepers->going && keeper_is_there(k) && !k->admitted
		       ? k->link_ms
		       : UINT64_MAX;
}
