/* generation.c - one configuration that was loaded, and all that runs it. */
#include <stdio.h>
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
	g->left_ms = UINT64_MAX;
	if (workers_init(&g->workers, conf->process.workers) == -1 ||
		board_init(&g->board, g->workers.n) == -1 ||
		listeners_init(&g->listeners, conf, g->workers.n) == -1) {
		generation_free(g);
		return NULL;
	}
	g->owned = owned;
	g->workers.generation = number;
	g->workers.conf = conf;
	g->workers.listeners = &g->listeners;
	g->workers.logs = &g->logs;
	g->workers.board = &g->board;
	return g;
}

void
generation_free(struct generation *g)
{
	listeners_done(&g->listeners);
	workers_done(&g->workers);
	logs_done(&g->logs);
	board_done(&g->board);
	if (g->owned)
		conf_free(g->conf);
	free(g);
}

size_t
generation_files(const struct generation *g)
{
	bool leaves = g->workers.mode == WORKERS_LEAVING;
	size_t n = g->conf->logfiles.n, i;

	/* Nothing is forked or bound for it any more. */
	n += leaves ? workers_alive(&g->workers) : g->workers.n;
	for (i = 0; i < g->listeners.n; i++)
		n += !leaves || g->listeners.v[i].fd != -1;
	return n;
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

void
generation_text(
	const struct generation *g, uint64_t now_ms, char text[GENERATION_TEXT])
{
	const char *drains =
		g->workers.mode == WORKERS_LEAVING ? ", draining" : "";
	uint64_t oldest_ms = board_oldest(&g->board);
	int n = snprintf(text, GENERATION_TEXT,
		"generation %u: %u of %u workers, %llu channels", g->number,
		workers_alive(&g->workers), g->workers.n,
		(unsigned long long)board_total(&g->board));

	if (oldest_ms == 0)
		snprintf(text + n, GENERATION_TEXT - (size_t)n, "%s", drains);
	else
		snprintf(text + n, GENERATION_TEXT - (size_t)n,
			", the oldest for %llu s%s",
			(unsigned long long)(now_ms > oldest_ms
						     ? now_ms - oldest_ms
						     : 0) /
				1000,
			drains);
}
