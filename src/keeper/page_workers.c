/* page_workers.c - pages made of the figures of all workers. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "conf/conf.h"
#include "heritage.h"
#include "keeper/keeper.h"
#include "keeper/page.h"
#include "keeper/route.h"
#include "shm/pause.h"

/* Figures of one worker. */
struct figure {
	uint32_t generation, slot;
	int32_t pid;
	uint64_t answer_ms;
	struct link_figures is;
};

struct figures {
	struct weir_request *r;
	struct ask *ask;
	struct figure *v;
	size_t n;
	/* Makes the page, but for "silent". */
	json_t *(*page)(const struct figures *f);
};

static int
figure_compare(const void *left, const void *right)
{
	const struct figure *a = left, *b = right;

	if (a->generation != b->generation)
		return a->generation < b->generation ? -1 : 1;
	return (a->slot > b->slot) - (a->slot < b->slot);
}

static bool
figures_told(struct ask *a, const struct owed *from, const struct link_head *p,
	size_t n)
{
	struct figures *f = a->arg;
	struct figure *v;

	if (!link_fits(p, n, LINK_FIGURES))
		return false;
	v = reallocarray(f->v, f->n + 1, sizeof(*v));
	if (v == NULL)
		return false;
	f->v = v;
	v[f->n++] = (struct figure){ .generation = from->generation,
		.slot = from->slot,
		.pid = from->pid,
		.answer_ms = from->answer_ms,
		.is = *(const struct link_figures *)p };
	return true;
}

static void
figures_over(struct ask *a)
{
	struct figures *f = a->arg;
	json_t *page;

	qsort(f->v, f->n, sizeof(*f->v), figure_compare);
	page = f->page(f);
	(void)json_object_set_new(page, "silent", ask_silent(a));
	request_answer(f->r, 200, page);
}

static void
figures_end(struct weir_request *r)
{
	struct figures *f = r->job;

	if (f->ask != NULL)
		ask_end(f->ask);
	free(f->v);
}

static void
figures_ask(struct weir_request *r, json_t *(*page)(const struct figures *f))
{
	const struct link_head question = { LINK_FIGURES, 0 };
	struct figures *f = request_job(r, sizeof(*f), figures_end);

	if (f == NULL)
		return;
	f->r = r;
	f->page = page;
	f->v = calloc(1, sizeof(*f->v));
	f->ask = ask_begin(
		r->keeper, &(struct ask_options){ .question = &question,
				   .size = sizeof(question),
				   .ms = ASK_MS,
				   .most = request_asks(r),
				   .told = figures_told,
				   .over = figures_over,
				   .arg = f });
	if (f->ask == NULL)
		request_failed(r, errno);
}

/* ---- the pages ----------------------------------------------------------- */

/* Names of servers that are. */
static json_t *
paused_json(const struct heritage *h)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; h->pauses != NULL && i < h->conf->servers.n; i++) {
		const char *name = conf_server_at(h->conf, i)->name;

		if (pauses_have(h->pauses, h->shm, name))
			(void)json_array_append_new(
				list, text_json(name, strlen(name)));
	}
	return list;
}

static json_t *
status_page(const struct figures *f)
{
	const struct heritage *h = f->r->keeper->heritage;
	json_int_t channels = 0, copied = 0, spliced = 0, workers = 0;
	size_t i;

	for (i = 0; i < f->n; i++) {
		channels += (json_int_t)f->v[i].is.channels;
		copied += (json_int_t)f->v[i].is.copied_bytes;
		spliced += (json_int_t)f->v[i].is.spliced_bytes;
		workers += f->v[i].is.state != LINK_STATE_DRAINS;
	}
	return json_pack("{s:s,s:I,s:I,s:I,s:I,s:I,s:I,s:o,s:{s:I,s:I,s:I}}",
		"version", WEIR_VERSION, "pid", (json_int_t)h->master_pid,
		"generation", (json_int_t)h->generation, "workers", workers,
		"channels", channels, "copied_bytes", copied, "spliced_bytes",
		spliced, "paused", paused_json(h), "keeper", "pid",
		(json_int_t)getpid(), "generation", (json_int_t)h->generation,
		"age_ms", (json_int_t)(clock_ms() - f->r->keeper->since_ms));
}

static json_t *
workers_page(const struct figures *f)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < f->n; i++) {
		const struct figure *v = &f->v[i];

		(void)json_array_append_new(list,
			json_pack("{s:I,s:I,s:I,s:s,s:I,s:I,s:I,s:I,s:I,s:I}",
				"generation", (json_int_t)v->generation, "slot",
				(json_int_t)v->slot, "pid", (json_int_t)v->pid,
				"state", link_state_word(v->is.state),
				"channels", (json_int_t)v->is.channels,
				"oldest_ms", (json_int_t)v->is.oldest_ms,
				"copied_bytes", (json_int_t)v->is.copied_bytes,
				"spliced_bytes",
				(json_int_t)v->is.spliced_bytes, "turns",
				(json_int_t)v->is.turns, "answer_ms",
				(json_int_t)v->answer_ms));
	}
	return json_pack("{s:o}", "workers", list);
}

/* Those of one generation stand together. */
static json_t *
generations_page(const struct figures *f)
{
	json_t *list = json_array();
	size_t i, j;

	for (i = 0; i < f->n; i = j) {
		json_int_t channels = 0, oldest_ms = 0;
		bool drains = true;

		for (j = i;
			j < f->n && f->v[j].generation == f->v[i].generation;
			j++) {
			channels += (json_int_t)f->v[j].is.channels;
			drains =
				drains && f->v[j].is.state == LINK_STATE_DRAINS;
			if ((json_int_t)f->v[j].is.oldest_ms > oldest_ms)
				oldest_ms = (json_int_t)f->v[j].is.oldest_ms;
		}
		(void)json_array_append_new(
			list, json_pack("{s:I,s:s,s:I,s:I,s:I}", "number",
				      (json_int_t)f->v[i].generation, "state",
				      drains ? "drains" : "serves", "workers",
				      (json_int_t)(j - i), "channels", channels,
				      "oldest_ms", oldest_ms));
	}
	return json_pack("{s:o}", "generations", list);
}

void
page_status(struct weir_request *r)
{
	figures_ask(r, status_page);
}

void
page_workers(struct weir_request *r)
{
	figures_ask(r, workers_page);
}

void
page_generations(struct weir_request *r)
{
	figures_ask(r, generations_page);
}
