/* generation.c - one configuration that was loaded, and all that runs it. */
#include <stdlib.h>

#include "conf/conf.h"
#include "master/generation.h"

struct generation *
generation_new(unsigned number, struct conf *conf, bool owned)
{
	struct generation *g = calloc(1, sizeof(*g));

	if (g == NULL)
		return NULL;
	g->number = number;
	g->conf = conf;
	g->deadline_ms = UINT64_MAX;
	if (listeners_init(&g->listeners, conf) == -1 ||
		workers_init(&g->workers, conf->process.workers) == -1) {
		generation_free(g);
		return NULL;
	}
	g->owned = owned;
	g->workers.generation = number;
	g->workers.conf = conf;
	g->workers.listeners = &g->listeners;
	g->workers.logs = &g->logs;
	return g;
}

void
generation_free(struct generation *g)
{
	listeners_done(&g->listeners);
	workers_done(&g->workers);
	logs_done(&g->logs);
	if (g->owned)
		conf_free(g->conf);
	free(g);
}

void
generation_reopen(struct generation *g)
{
	logs_reopen(&g->logs);
	workers_reopen(&g->workers);
}

void
generation_shed(struct generation *g)
{
	workers_shed(&g->workers);
	listeners_close(&g->listeners);
	logs_done(&g->logs);
}
