/* respawn.c - when a slot gets its next process. */
#include "base/log.h"
#include "master/workers.h"
#include "master/workers_private.h"

#define WORKERS_SECOND_MS   1000
#define WORKERS_BACKOFF_MS  100 /* after the first death before READY */
#define WORKERS_BACKOFF_TOP 10000
#define WORKERS_LAST_MS	    1000 /* the longest that no worker at all is due */

void
worker_again(struct workers *ws, unsigned slot, uint64_t now_ms)
{
	struct worker *w = &ws->v[slot];
	uint64_t oldest = w->starts[w->nstarts % WORKERS_BURST];
	char name[WORKER_NAME];
	uint64_t delay_ms = 0;
	unsigned i;

	if (w->failures > 0) {
		delay_ms = WORKERS_BACKOFF_MS;
		for (i = 1; i < w->failures && delay_ms < WORKERS_BACKOFF_TOP;
			i++)
			delay_ms *= 2;
		if (delay_ms > WORKERS_BACKOFF_TOP)
			delay_ms = WORKERS_BACKOFF_TOP;
	}
	w->state = WORKER_NONE;
	w->due_ms = now_ms + delay_ms;
	if (w->nstarts >= WORKERS_BURST &&
		w->due_ms < oldest + WORKERS_SECOND_MS)
		w->due_ms = oldest + WORKERS_SECOND_MS;
	if (w->due_ms > now_ms)
		log_notice("%s is started again in %llu ms",
			worker_name(ws, slot, name),
			(unsigned long long)(w->due_ms - now_ms));
}

void
workers_hurry(struct workers *ws, uint64_t now_ms)
{
	struct worker *w, *first = NULL;

	for (w = ws->v; w < ws->v + ws->n; w++)
		if (w->state == WORKER_NONE &&
			(first == NULL || w->due_ms < first->due_ms))
			first = w;
	if (first != NULL && first->due_ms > now_ms + WORKERS_LAST_MS)
		first->due_ms = now_ms + WORKERS_LAST_MS;
}
