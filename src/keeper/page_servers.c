/* page_servers.c - servers: paused, resumed, and what they listen at. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/conf.h"
#include "heritage.h"
#include "keeper/keeper.h"
#include "keeper/page.h"
#include "keeper/route.h"
#include "shm/pause.h"

struct looking {
	struct weir_request *r;
	struct ask *ask;
	const struct conf_server *server;
	bool paused;
};

static bool
looking_told(struct ask *a, const struct owed *from, const struct link_head *p,
	size_t n)
{
	(void)a;
	(void)from;
	return link_fits(p, n, LINK_DONE);
}

static void
looking_over(struct ask *a)
{
	struct looking *l = a->arg;
	const char *name = l->server->name;

	request_answer(l->r, 200,
		json_pack("{s:o,s:s,s:o}", "server",
			text_json(name, strlen(name)), "state",
			l->paused ? "paused" : "open", "silent",
			ask_silent(a)));
}

static void
looking_end(struct weir_request *r)
{
	struct looking *l = r->job;

	if (l->ask != NULL)
		ask_end(l->ask);
}

static const struct conf_server *
request_server(struct weir_request *r)
{
	const struct conf *conf = r->keeper->heritage->conf;
	char names[384] = "none";
	size_t i, n = 0;

	for (i = 0; i < conf->servers.n; i++)
		if (strcmp(conf_server_at(conf, i)->name, r->parts[0].p) == 0)
			return conf_server_at(conf, i);
	for (i = 0; i < conf->servers.n && n < sizeof(names); i++)
		n += (size_t)snprintf(names + n, sizeof(names) - n, "%s%s",
			i == 0 ? "" : ", ", conf_server_at(conf, i)->name);
	request_refuse(r, 404, "there is no server \"%.64s\": there is %s",
		r->parts[0].p, names);
	return NULL;
}

/* Notes it for all who come, then tells those who are there to look. */
static void
server_pause(struct weir_request *r, bool paused)
{
	const struct link_head question = { LINK_LOOK, 0 };
	const struct heritage *h = r->keeper->heritage;
	const struct conf_server *server = request_server(r);
	struct looking *l;

	if (server == NULL)
		return;
	if (pauses_set(h->pauses, h->shm, server->name, paused) == -1) {
		request_refuse(r, 409,
			"%d servers are paused, which is the most that there "
			"may be",
			PAUSES);
		return;
	}
	l = request_job(r, sizeof(*l), looking_end);
	if (l == NULL)
		return;
	l->r = r;
	l->server = server;
	l->paused = paused;
	l->ask = ask_begin(
		r->keeper, &(struct ask_options){ .question = &question,
				   .size = sizeof(question),
				   .ms = ASK_MS,
				   .most = ASKS_URGENT,
				   .told = looking_told,
				   .over = looking_over,
				   .arg = l });
	if (l->ask == NULL)
		request_failed(r, errno);
}

void
page_pause(struct weir_request *r)
{
	server_pause(r, true);
}

void
page_resume(struct weir_request *r)
{
	server_pause(r, false);
}

/* ---- listeners ----------------------------------------------------------- */

struct listening {
	struct weir_request *r;
	struct ask *ask;
	json_t *list;
	uint32_t slot; /* of the worker whose answer it is */
	bool begun, whole;
};

static json_t *
listener_json(const struct link_listener *l)
{
	return json_pack("{s:o,s:o,s:o,s:s,s:o}", "server",
		text_json(l->server, strnlen(l->server, sizeof(l->server))),
		"address",
		text_json(l->address, strnlen(l->address, sizeof(l->address))),
		"listen",
		text_json(l->listen, strnlen(l->listen, sizeof(l->listen))),
		"state",
		l->paused   ? "paused"
		: l->closed ? "closed"
			    : "open",
		"backlog",
		l->queued == UINT32_MAX ? json_null()
					: json_integer((json_int_t)l->queued));
}

/* All workers have the same sockets: the first whole answer counts. */
static bool
listening_told(struct ask *a, const struct owed *from,
	const struct link_head *p, size_t n)
{
	struct listening *l = a->arg;
	const struct link_listeners *ls = (const void *)p;
	uint32_t i;

	if (!link_fits(p, n, LINK_LISTENERS) ||
		n != sizeof(*ls) + ls->n * sizeof(struct link_listener))
		return false;
	if (!l->begun &&
		from->generation == l->r->keeper->heritage->generation) {
		l->begun = true;
		l->slot = from->slot;
	}
	for (i = 0; i < ls->n && l->begun && l->slot == from->slot &&
		    from->generation == l->r->keeper->heritage->generation;
		i++)
		(void)json_array_append_new(l->list, listener_json(&ls->v[i]));
	if (ls->last == 0)
		return false;
	if (l->begun && l->slot == from->slot)
		l->whole = true;
	return true;
}

static void
listening_over(struct ask *a)
{
	struct listening *l = a->arg;

	if (!l->whole) {
		request_refuse(l->r, 504, "no worker answers in time");
		return;
	}
	request_answer(l->r, 200, json_pack("{s:O}", "listeners", l->list));
}

static void
listening_end(struct weir_request *r)
{
	struct listening *l = r->job;

	if (l->ask != NULL)
		ask_end(l->ask);
	json_decref(l->list);
}

void
page_listeners(struct weir_request *r)
{
	const struct link_head question = { LINK_LISTENERS, 0 };
	struct listening *l = request_job(r, sizeof(*l), listening_end);

	if (l == NULL)
		return;
	l->r = r;
	l->list = json_array();
	l->ask = ask_begin(
		r->keeper, &(struct ask_options){ .question = &question,
				   .size = sizeof(question),
				   .ms = ASK_MS,
				   .most = request_asks(r),
				   .told = listening_told,
				   .over = listening_over,
				   .arg = l });
	if (l->ask == NULL)
		request_failed(r, errno);
}
