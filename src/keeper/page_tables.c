/* page_tables.c - tables in shared memory, shown to people. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/buffer.h>

#include "heritage.h"
#include "keeper/keeper.h"
#include "keeper/page.h"
#include "keeper/route.h"
#include "keeper/table_json.h"
#include "shm/table.h"

#define ROWS	  1000 /* without a limit */
#define ROWS_MOST 10000

/* Rows that are copied while their part of the table is locked. */
struct copying {
	const struct weir_table *t;
	const char *prefix;
	size_t prefix_len;
	struct row **v;
	size_t n, most;
	uint64_t total; /* that begin like that */
	bool scant;	/* memory ran out */
};

static const char *const types[] = {
#define X(id, word) word,
	WEIR_COLUMN_TYPES(X)
#undef X
};

static struct weir_table *
request_table(struct weir_request *r)
{
	const struct heritage *h = r->keeper->heritage;
	size_t i;

	for (i = 0; i < h->ntables; i++)
		if (!h->tables[i].hidden &&
			strcmp(h->tables[i].name, r->parts[0].p) == 0)
			return h->tables[i].table;
	request_refuse(r, 404, "there is no table \"%.64s\"", r->parts[0].p);
	return NULL;
}

static json_t *
columns_json(const struct weir_table *t)
{
	json_t *list = json_array();
	unsigned i;

	for (i = 0; i < t->shape.n; i++) {
		const struct weir_column *c = &t->shape.columns[i];

		(void)json_array_append_new(
			list, json_pack("{s:s,s:s}", "name", c->name, "type",
				      types[c->type]));
	}
	return list;
}

void
page_tables(struct weir_request *r)
{
	const struct heritage *h = r->keeper->heritage;
	json_t *list = json_array();
	uint64_t keys;
	size_t i;

	for (i = 0; i < h->ntables; i++) {
		struct weir_table *t = h->tables[i].table;

		if (h->tables[i].hidden)
			continue;
		keys = table_count(t);
		(void)json_array_append_new(
			list, json_pack("{s:o,s:I,s:o,s:I,s:I}", "name",
				      text_json(h->tables[i].name,
					      strlen(h->tables[i].name)),
				      "keys", (json_int_t)keys, "columns",
				      columns_json(t), "bytes",
				      (json_int_t)(keys * t->shape.size),
				      "size", (json_int_t)t->options.size));
	}
	request_answer(r, 200, json_pack("{s:o}", "tables", list));
}

/* Only copies, for others wait for the lock. */
static bool
row_told(void *arg, const struct row *row)
{
	struct copying *c = arg;
	struct row *copy;

	if (row->key_len < c->prefix_len ||
		memcmp(row->bytes, c->prefix, c->prefix_len) != 0)
		return true;
	c->total++;
	if (c->n == c->most)
		return true;
	copy = malloc(c->t->shape.size);
	if (copy == NULL) {
		c->scant = true;
		return false;
	}
	memcpy(copy, row, c->t->shape.size);
	c->v[c->n++] = copy;
	return true;
}

/* The rows that were copied, which are freed. */
static struct evbuffer *
rows_body(struct copying *c, const char *fault)
{
	struct evbuffer *body = evbuffer_new();
	json_t *end = json_pack(
		"{s:I,s:s?}", "total", (json_int_t)c->total, "fault", fault);
	char *text = json_dumps(end, JSON_COMPACT);
	bool fine = body != NULL && text != NULL && !c->scant;
	size_t i;

	if (fine)
		(void)evbuffer_add_printf(body, "{\"rows\":[");
	for (i = 0; i < c->n; i++) {
		if (fine)
			fine = request_list_add(
				body, row_json(c->t, c->v[i]), i == 0);
		free(c->v[i]);
	}
	if (fine)
		fine = evbuffer_add_printf(body, "],%s\n", text + 1) != -1;
	free(text);
	json_decref(end);
	if (!fine && body != NULL)
		evbuffer_free(body);
	return fine ? body : NULL;
}

void
page_rows(struct weir_request *r)
{
	struct weir_table *t = request_table(r);
	struct copying c = { .t = t };
	uint64_t limit = ROWS;
	const char *fault = NULL;
	struct evbuffer *body;

	if (t == NULL || !request_number(r, "limit", ROWS_MOST, &limit))
		return;
	c.prefix = weir_request_value(r, "prefix");
	if (c.prefix == NULL)
		c.prefix = "";
	c.prefix_len = strlen(c.prefix);
	c.most = limit;
	c.v = calloc(limit + 1, sizeof(struct row *));
	if (c.v == NULL) {
		request_refuse(r, 500, "%s", strerror(ENOMEM));
		return;
	}
	(void)table_walk(t, row_told, &c);
	/* A stripe at a time is locked, and no longer than for the walk. */
	if (request_flag(r, "check"))
		fault = table_check(t);
	body = rows_body(&c, fault);
	free(c.v);
	if (body == NULL) {
		request_refuse(r, 500, "%s", strerror(ENOMEM));
		return;
	}
	request_send(r, 200, "application/json", body);
	evbuffer_free(body);
}

/* Why a table could not do it. */
static void
table_failed(struct weir_request *r, int err)
{
	switch (err) {
	case ENOENT:
		request_refuse(
			r, 404, "table \"%s\" has no such key", r->parts[0].p);
		break;
	case EMSGSIZE:
		request_refuse(r, 413, "this is too long for table \"%s\"",
			r->parts[0].p);
		break;
	case ENOSPC:
		request_refuse(r, 409, "table \"%s\" is full", r->parts[0].p);
		break;
	case ETIMEDOUT:
		request_refuse(r, 503,
			"a process hangs while it changes table \"%s\"; try "
			"again",
			r->parts[0].p);
		break;
	default:
		request_refuse(r, 500, "%s", strerror(err));
	}
}

static struct weir_bytes
request_key(const struct weir_request *r)
{
	return (struct weir_bytes){ (const uint8_t *)r->parts[1].p,
		r->parts[1].n, true };
}

void
page_key(struct weir_request *r)
{
	struct weir_table *t = request_table(r);
	json_t *columns;

	if (t == NULL)
		return;
	columns = cells_json(t, request_key(r));
	if (columns == NULL)
		table_failed(r, errno);
	else
		request_answer(r, 200, json_pack("{s:o}", "columns", columns));
}

/* All is looked at before anything is changed. */
static bool
body_parse(struct weir_request *r, const struct weir_table *t, json_t *body,
	uint64_t *ttl_ms)
{
	json_t *columns = json_object_get(body, "columns"), *value;
	json_t *ttl = json_object_get(body, "ttl_ms");
	const char *name;

	if (!json_is_object(columns) || json_object_size(columns) == 0) {
		request_refuse(r, 400,
			"a body {\"columns\":{NAME:VALUE},\"ttl_ms\":N} is "
			"wanted, with one column at least");
		return false;
	}
	if (ttl != NULL &&
		(!json_is_integer(ttl) || json_integer_value(ttl) <= 0)) {
		request_refuse(r, 400, "\"ttl_ms\" wants a number from 1 on");
		return false;
	}
	*ttl_ms = ttl == NULL ? 0 : (uint64_t)json_integer_value(ttl);
	json_object_foreach(columns, name, value)
	{
		const char *why = cell_check(t, name, value);

		if (why == NULL)
			continue;
		request_refuse(r, 400, "column \"%.64s\": %s", name, why);
		return false;
	}
	return true;
}

void
page_set(struct weir_request *r)
{
	struct weir_table *t = request_table(r);
	struct weir_bytes text, key;
	uint64_t ttl_ms = 0;
	json_error_t error;
	json_t *body, *value;
	const char *name;
	int rc = 0;

	if (t == NULL)
		return;
	key = request_key(r);
	text = weir_request_body(r);
	body = json_loadb(
		(const char *)text.p, text.len, JSON_REJECT_DUPLICATES, &error);
	if (body == NULL) {
		request_refuse(r, 400, "the body is no JSON: %s", error.text);
		return;
	}
	if (!body_parse(r, t, body, &ttl_ms)) {
		json_decref(body);
		return;
	}
	json_object_foreach(json_object_get(body, "columns"), name, value)
	{
		if (rc == 0)
			rc = cell_set(t, key, name, value);
	}
	if (rc == 0 && ttl_ms > 0)
		rc = weir_table_expire(t, key, ttl_ms);
	rc = rc == 0 ? 0 : errno;
	json_decref(body);
	if (rc != 0)
		table_failed(r, rc);
	else
		page_key(r);
}

void
page_remove(struct weir_request *r)
{
	struct weir_table *t = request_table(r);

	if (t == NULL)
		return;
	if (weir_table_delete(t, request_key(r)) == -1)
		table_failed(r, errno);
	else
		request_answer(r, 200, json_pack("{s:b}", "deleted", 1));
}

void
page_clear(struct weir_request *r)
{
	struct weir_table *t = request_table(r);

	if (t == NULL)
		return;
	table_clear(t);
	request_answer(r, 200, json_pack("{s:b}", "cleared", 1));
}
