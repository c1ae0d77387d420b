/* page_channels.c - channels of all workers: listed, killed. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/buffer.h>

#include "api/option.h"
#include "base/gather.h"
#include "keeper/keeper.h"
#include "keeper/page.h"
#include "keeper/route.h"

#define ROWS	  10000	 /* without a limit */
#define ROWS_MOST 100000 /* of any */
#define ROWS_ALL  20000	 /* of all lists that are being made, but for one */
#define ID_TEXT	  48

static const char sort_words[] =
#define X(id, word) word " "
	LINK_SORTS(X)
#undef X
	;

/* One to be killed. */
struct killing {
	struct weir_request *r;
	struct ask *ask;
	bool done;
	int err;
};

struct listing {
	struct weir_request *r;
	struct ask *ask;
	struct gather rows;
	uint64_t total;
	bool scant; /* memory ran out */
	bool busy;  /* others, who go on, have too many rows */
};

static json_t *
row_flow(const struct link_row *row, const char *state, int dir)
{
	return json_pack("{s:s,s:I,s:I,s:I,s:b}", "state", state, "bytes",
		(json_int_t)row->bytes[dir], "rate",
		(json_int_t)row->rates[dir], "held", (json_int_t)row->held[dir],
		"splice", (int)row->splice[dir]);
}

static json_t *
row_text(const char *const *texts, enum link_text i)
{
	return text_json(texts[i], strlen(texts[i]));
}

static json_t *
row_holder(const struct link_row *row, const char *const *texts)
{
	if (texts[LINK_TEXT_HOLDER][0] == '\0')
		return json_null();
	return json_pack("{s:o,s:I,s:s}", "middleware",
		row_text(texts, LINK_TEXT_HOLDER), "since_ms",
		(json_int_t)row->holder_ms, "hook", texts[LINK_TEXT_HOOK]);
}

static json_t *
row_json(const struct link_row *row)
{
	const char *texts[LINK_TEXT_COUNT];
	char id[ID_TEXT];

	if (!link_row_texts(row, row->size, texts))
		return NULL;
	snprintf(id, sizeof(id), "%u.%u.%" PRIu64, row->generation, row->slot,
		row->id);
	return json_pack("{s:s,s:I,s:I,s:o,s:o,s:o,s:o,s:o,s:s,s:o,s:o,s:o}",
		"id", id, "age_ms", (json_int_t)row->age_ms, "idle_ms",
		(json_int_t)row->idle_ms, "server",
		row_text(texts, LINK_TEXT_SERVER), "listen",
		row_text(texts, LINK_TEXT_LISTEN), "client",
		row_text(texts, LINK_TEXT_CLIENT), "local",
		row_text(texts, LINK_TEXT_LOCAL), "backend",
		row_text(texts, LINK_TEXT_BACKEND), "state",
		texts[LINK_TEXT_STATE], "up",
		row_flow(row, texts[LINK_TEXT_UP_STATE], 0), "down",
		row_flow(row, texts[LINK_TEXT_DOWN_STATE], 1), "holder",
		row_holder(row, texts));
}

/* Row by row: thousands of them as one tree would take much memory. */
static struct evbuffer *
listing_body(struct listing *l)
{
	struct evbuffer *buf = evbuffer_new();
	json_t *silent = ask_silent(l->ask);
	char *text = json_dumps(silent, JSON_COMPACT);
	bool fine = buf != NULL && text != NULL;
	size_t i;

	if (fine)
		(void)evbuffer_add_printf(buf, "{\"channels\":[");
	for (i = 0; i < l->rows.n && fine; i++)
		fine = request_list_add(buf, row_json(l->rows.v[i]), i == 0);
	if (fine)
		fine = evbuffer_add_printf(buf,
			       "],\"total\":%" PRIu64 ",\"silent\":%s}\n",
			       l->total, text) != -1;
	free(text);
	json_decref(silent);
	if (!fine && buf != NULL)
		evbuffer_free(buf);
	return fine ? buf : NULL;
}

static void
listing_forget(struct listing *l)
{
	l->r->keeper->nrows -= l->rows.n;
	gather_done(&l->rows);
}

/* Of many lists at a time the longest go on. */
static void
listing_add(struct listing *l, const struct link_row *row)
{
	struct weir_keeper *k = l->r->keeper;
	size_t before = l->rows.n;

	if (l->busy)
		return;
	if (k->nrows >= ROWS_ALL && before <= k->nrows / 2) {
		l->busy = true;
		listing_forget(l);
		return;
	}
	l->scant |= gather_add(&l->rows, row) == -1;
	k->nrows += l->rows.n - before;
}

static bool
listing_told(struct ask *a, const struct owed *from, const struct link_head *p,
	size_t n)
{
	struct listing *l = a->arg;
	const struct link_rows *rows = (const void *)p;
	const char *texts[LINK_TEXT_COUNT];
	const struct link_row *row;
	size_t at = sizeof(*rows);
	uint32_t i;

	(void)from;
	if (!link_fits(p, n, LINK_LIST))
		return false;
	for (i = 0; i < rows->n; i++) {
		row = (const void *)((const uint8_t *)p + at);
		if (!link_row_texts(row, n - at, texts))
			return false;
		listing_add(l, row);
		at += row->size;
	}
	if (rows->last != 0)
		l->total += rows->total;
	return rows->last != 0;
}

static void
listing_over(struct ask *a)
{
	struct listing *l = a->arg;
	size_t before = l->rows.n;
	struct evbuffer *body;

	if (l->busy) {
		request_failed(l->r, ENOBUFS);
		return;
	}
	gather_sort(&l->rows);
	l->r->keeper->nrows -= before - l->rows.n;
	body = l->scant ? NULL : listing_body(l);
	if (body == NULL) {
		request_refuse(l->r, 500, "%s", strerror(ENOMEM));
		return;
	}
	request_send(l->r, 200, "application/json", body);
	evbuffer_free(body);
}

static void
listing_end(struct weir_request *r)
{
	struct listing *l = r->job;

	if (l->ask != NULL)
		ask_end(l->ask);
	listing_forget(l);
}

bool
request_network(struct weir_request *r, const char *name, struct weir_cidr *c)
{
	const char *text = weir_request_value(r, name), *why;

	if (text == NULL || weir_cidr_parse(c, text, &why) == 0)
		return true;
	request_refuse(
		r, 400, "parameter \"%s\" = \"%.64s\": %s", name, text, why);
	return false;
}

/* What to ask for; false after an answer. */
static bool
listing_parse(struct weir_request *r, struct link_list *q)
{
	const char *sort = weir_request_value(r, "sort");
	uint64_t limit = ROWS, rate_ms = 0;
	int found = LINK_SORT_ID;

	if (sort != NULL && (found = link_sort_find(sort)) == -1) {
		request_refuse(r, 400, "parameter \"sort\" wants one of: %s",
			sort_words);
		return false;
	}
	*q = (struct link_list){ .head = { LINK_LIST, 0 },
		.client.all = true,
		.sort = (uint8_t)found };
	if (!request_number(r, "min_age_ms", INT64_MAX, &q->min_age_ms) ||
		!request_number(r, "min_idle_ms", INT64_MAX, &q->min_idle_ms) ||
		!request_number(r, "limit", ROWS_MOST, &limit) ||
		!request_number(r, "rate_ms", LINK_RATE_MOST, &rate_ms) ||
		!request_text(r, "state", q->state, sizeof(q->state)) ||
		!request_text(r, "server", q->server, sizeof(q->server)) ||
		!request_text(r, "backend", q->backend, sizeof(q->backend)) ||
		!request_network(r, "client", &q->client))
		return false;
	q->limit = (uint32_t)limit;
	q->rate_ms = (uint32_t)rate_ms;
	q->reverse = request_flag(r, "reverse");
	return true;
}

void
page_channels(struct weir_request *r)
{
	struct link_list q;
	struct listing *l;

	if (!listing_parse(r, &q))
		return;
	l = request_job(r, sizeof(*l), listing_end);
	if (l == NULL)
		return;
	l->r = r;
	gather_init(&l->rows, q.limit, q.reverse);
	l->ask = ask_begin(r->keeper, &(struct ask_options){ .question = &q,
					      .size = sizeof(q),
					      .ms = ASK_MS + q.rate_ms,
					      .most = request_asks(r),
					      .told = listing_told,
					      .over = listing_over,
					      .arg = l });
	if (l->ask == NULL)
		request_failed(r, errno);
}

/* ---- one of them --------------------------------------------------------- */

bool
channel_parse(const char *text, struct channel_name *name)
{
	char *end;
	uint64_t numbers[3];
	int i;

	for (i = 0; i < 3; i++) {
		if (*text < '0' || *text > '9')
			return false;
		errno = 0;
		numbers[i] = strtoull(text, &end, 10);
		if (errno != 0 || *end != (i < 2 ? '.' : '\0') ||
			(i < 2 && numbers[i] > UINT32_MAX))
			return false;
		text = end + 1;
	}
	*name = (struct channel_name){ (uint32_t)numbers[0],
		(uint32_t)numbers[1], numbers[2] };
	return numbers[2] != 0;
}

struct member *
request_channel(
	struct weir_request *r, const char *text, struct channel_name *name)
{
	struct member *m;

	if (!channel_parse(text, name)) {
		request_refuse(r, 400,
			"\"%.64s\" is no id of a channel: GENERATION.SLOT."
			"NUMBER is wanted, as \"2.0.17\"",
			text);
		return NULL;
	}
	m = members_find(r->keeper, name->generation, name->slot);
	if (m == NULL)
		request_refuse(r, 404,
			"there is no channel %s: generation %u has no worker "
			"%u",
			text, name->generation, name->slot);
	return m;
}

static bool
kill_told(struct ask *a, const struct owed *from, const struct link_head *p,
	size_t n)
{
	struct killing *k = a->arg;

	(void)from;
	if (!link_fits(p, n, LINK_DONE))
		return false;
	k->done = true;
	k->err = ((const struct link_done *)p)->err;
	return true;
}

static void
kill_over(struct ask *a)
{
	struct killing *k = a->arg;
	struct weir_request *r = k->r;

	if (k->done && k->err == 0)
		request_answer(
			r, 200, json_pack("{s:s}", "killed", r->parts[0].p));
	else if (k->done)
		request_refuse(r, 404, "there is no channel %s", r->parts[0].p);
	else if (TAILQ_FIRST(&a->owed)->member == NULL)
		request_refuse(r, 404,
			"there is no channel %s: its worker has ended",
			r->parts[0].p);
	else
		request_refuse(r, 504,
			"the worker of channel %s does not answer: the "
			"channel may live still",
			r->parts[0].p);
}

static void
kill_end(struct weir_request *r)
{
	struct killing *k = r->job;

	if (k->ask != NULL)
		ask_end(k->ask);
}

void
page_kill(struct weir_request *r)
{
	struct channel_name name;
	struct member *m = request_channel(r, r->parts[0].p, &name);
	struct link_name q;
	struct killing *k;

	if (m == NULL)
		return;
	k = request_job(r, sizeof(*k), kill_end);
	if (k == NULL)
		return;
	k->r = r;
	q = (struct link_name){ { LINK_KILL, 0 }, name.number };
	k->ask = ask_begin(r->keeper, &(struct ask_options){ .question = &q,
					      .size = sizeof(q),
					      .only = m,
					      .ms = ASK_MS,
					      .most = request_asks(r),
					      .told = kill_told,
					      .over = kill_over,
					      .arg = k });
	if (k->ask == NULL)
		request_failed(r, errno);
}
