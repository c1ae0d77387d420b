/* generation.c - one configuration that was loaded, and all that runs it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "conf/conf.h"
#include "master/generation.h"

#define KEEPER_LEAVE_MS 5000

static void generation_man(struct generation *g, struct workers *ws);
static bool keeper_wanted(const struct conf *conf);

struct generation *
generation_new(unsigned number, struct conf *conf, bool owned)
{
	struct generation *g = calloc(1, sizeof(*g));

	if (g == NULL)
		return NULL;
	g->number = number;
	g->conf = conf;
	g->deadline_ms = UINT64_MAX;
	g->left_ms = g->keeper_ms = UINT64_MAX;
	if (workers_init(&g->workers, conf->process.workers) == -1 ||
		(keeper_wanted(conf) && workers_init(&g->keeper, 1) == -1) ||
		board_init(&g->board, g->workers.n) == -1 ||
		listeners_init(&g->listeners, conf, g->workers.n) == -1) {
		generation_free(g);
		return NULL;
	}
	g->owned = owned;
	generation_man(g, &g->workers);
	generation_man(g, &g->keeper);
	g->keeper.keeper = true;
	return g;
}

/* What both kinds of processes need to know of it. */
static void
generation_man(struct generation *g, struct workers *ws)
{
	ws->generation = g->number;
	ws->conf = g->conf;
	ws->listeners = &g->listeners;
	ws->logs = &g->logs;
	ws->board = &g->board;
	ws->tables = &g->tables;
}

/* Is there something that one process must do for all? */
static bool
keeper_wanted(const struct conf *conf)
{
	const struct conf_extension *ext;
	struct weir_table_spec spec;
	size_t i;

	if (conf->api.listen.n > 0)
		return true;
	for (i = 0; i < conf->extensions.n; i++) {
		ext = conf_extension_at(conf, i);
		if (ext->type->keep != NULL ||
			(ext->type->table != NULL &&
				ext->type->table(ext->conf, 0, &spec)))
			return true;
	}
	return false;
}

void
generation_staff(struct generation *g, const struct drop *drop,
	const struct generation_runs *runs, void *arg)
{
	g->workers.drop = g->keeper.drop = drop;
	g->workers.shed = g->keeper.shed = runs->shed;
	g->workers.shed_arg = g->keeper.shed_arg = arg;
	g->workers.run = runs->worker;
	g->keeper.run = runs->keeper;
	g->keeper.called = runs->called;
}

int
generation_share(struct generation *g, struct shm *shm)
{
	if (!tables_wanted(g->conf))
		return 0;
	if (shm->head == NULL &&
		shm_init(shm, g->conf->process.shm_max) == -1) {
		log_error("cannot make shared memory (process.shm_max): %s",
			strerror(errno));
		return -1;
	}
	return tables_open(&g->tables, shm, g->conf, g->workers.n);
}

void
generation_turn(struct generation *g, uint64_t now_ms)
{
	workers_turn(&g->workers, now_ms);
	workers_turn(&g->keeper, now_ms);
}

uint64_t
generation_next(const struct generation *g)
{
	uint64_t next = workers_next(&g->workers);
	uint64_t due = workers_next(&g->keeper);

	return due < next ? due : next;
}

bool
generation_hear(struct generation *g, int fd)
{
	return workers_hear(&g->workers, fd) || workers_hear(&g->keeper, fd);
}

bool
generation_reaped(struct generation *g, pid_t pid, int status, uint64_t now_ms)
{
	return workers_reaped(&g->workers, pid, status, now_ms) ||
	       workers_reaped(&g->keeper, pid, status, now_ms);
}

void
generation_go(struct generation *g)
{
	workers_go(&g->workers);
	workers_go(&g->keeper);
}

void
generation_leave(struct generation *g, enum msg_type type, uint32_t arg)
{
	workers_leave(&g->workers, type, arg);
	workers_leave(&g->keeper, type, arg);
}

void
generation_kill(struct generation *g, const char *why)
{
	workers_kill(&g->workers, why);
	workers_kill(&g->keeper, why);
}

unsigned
generation_alive(const struct generation *g)
{
	return workers_alive(&g->workers) + workers_alive(&g->keeper);
}

bool
generation_failed(const struct generation *g)
{
	return g->workers.failed || g->keeper.failed;
}

bool
generation_is_ready(const struct generation *g)
{
	return workers_count(&g->workers, WORKER_READY) == g->workers.n &&
	       workers_count(&g->keeper, WORKER_READY) == g->keeper.n;
}

void
generation_retire_keeper(struct generation *g, uint64_t now_ms)
{
	if (g->keeper.n == 0 || workers_alive(&g->keeper) == 0)
		return;
	if (g->keeper.mode != WORKERS_LEAVING) {
		workers_leave(&g->keeper, MSG_QUIT, KEEPER_RETIRES);
		g->keeper_ms = now_ms + KEEPER_LEAVE_MS;
	} else if (now_ms >= g->keeper_ms) {
		g->keeper_ms = UINT64_MAX;
		workers_kill(&g->keeper, "did not leave within 5 s");
	}
}

void
generation_free(struct generation *g)
{
	listeners_done(&g->listeners);
	workers_done(&g->workers);
	workers_done(&g->keeper);
	tables_done(&g->tables);
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
	n += g->keeper.n;
	for (i = 0; i < g->listeners.n; i++)
		n += !leaves || g->listeners.v[i].fd != -1;
	return n;
}

void
generation_reopen(struct generation *g)
{
	logs_reopen(&g->logs);
	workers_reopen(&g->workers);
	workers_reopen(&g->keeper);
}

void
generation_shed(struct generation *g, const struct workers *own)
{
	workers_shed(&g->workers);
	workers_shed(&g->keeper);
	if (own == &g->workers || own == &g->keeper)
		return;
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
