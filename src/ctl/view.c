/* view.c - commands that only show what the API answers. */
#include "ctl/command.h"
#include "ctl/table.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define VIEW(path, list, columns)                                              \
	{                                                                      \
		path, list, columns, COUNT(columns)                            \
	}

static const struct column status_columns[] = {
	{ "version", "version", CELL_PLAIN, 0, 0 },
	{ "pid", "pid", CELL_PLAIN, 0, 0 },
	{ "generation", "generation", CELL_PLAIN, 0, 0 },
	{ "workers", "workers", CELL_PLAIN, 0, 0 },
	{ "channels", "channels", CELL_PLAIN, 0, 0 },
	{ "copied", "copied_bytes", CELL_BYTES, 0, 0 },
	{ "spliced", "spliced_bytes", CELL_BYTES, 0, 0 },
	{ "paused", "paused", CELL_WORDS, 0, 0 },
	{ "keeper", "keeper.pid", CELL_PLAIN, 0, 0 },
	{ "keeper age", "keeper.age_ms", CELL_TIME, 0, 0 },
};
static const struct column worker_columns[] = {
	{ "GEN", "generation", CELL_PLAIN, 0, 0 },
	{ "SLOT", "slot", CELL_PLAIN, 0, 0 },
	{ "PID", "pid", CELL_PLAIN, 0, 0 },
	{ "STATE", "state", CELL_STATE, 0, 0 },
	{ "CHANNELS", "channels", CELL_PLAIN, 0, 0 },
	{ "OLDEST", "oldest_ms", CELL_TIME, 0, 0 },
	{ "COPIED", "copied_bytes", CELL_BYTES, 0, 0 },
	{ "SPLICED", "spliced_bytes", CELL_BYTES, 0, 0 },
	{ "TURNS", "turns", CELL_PLAIN, 0, true },
	{ "ANSWER", "answer_ms", CELL_TIME, 0, true },
};
static const struct column generation_columns[] = {
	{ "GEN", "number", CELL_PLAIN, 0, 0 },
	{ "STATE", "state", CELL_STATE, 0, 0 },
	{ "WORKERS", "workers", CELL_PLAIN, 0, 0 },
	{ "CHANNELS", "channels", CELL_PLAIN, 0, 0 },
	{ "OLDEST", "oldest_ms", CELL_TIME, 0, 0 },
};
static const struct column channel_columns[] = {
	{ "ID", "id", CELL_PLAIN, 0, 0 },
	{ "AGE", "age_ms", CELL_TIME, 0, 0 },
	{ "IDLE", "idle_ms", CELL_TIME, 0, 0 },
	{ "SERVER", "server", CELL_PLAIN, 0, 0 },
	{ "CLIENT", "client", CELL_PLAIN, true, 0 },
	{ "BACKEND", "backend", CELL_PLAIN, true, 0 },
	{ "STATE", "state", CELL_STATE, 0, 0 },
	{ "UP", "up.bytes", CELL_BYTES, 0, 0 },
	{ "DOWN", "down.bytes", CELL_BYTES, 0, 0 },
	{ "UP/S", "up.rate", CELL_BYTES, 0, true },
	{ "DOWN/S", "down.rate", CELL_BYTES, 0, true },
	{ "HOW", NULL, CELL_WAYS, 0, true },
	{ "HOLDER", "holder", CELL_HOLDER, 0, true },
};
/* The rates are what it is about. */
static const struct column top_columns[] = {
	{ "ID", "id", CELL_PLAIN, 0, 0 },
	{ "SERVER", "server", CELL_PLAIN, true, 0 },
	{ "CLIENT", "client", CELL_PLAIN, true, 0 },
	{ "BACKEND", "backend", CELL_PLAIN, true, 0 },
	{ "UP/S", "up.rate", CELL_BYTES, 0, 0 },
	{ "DOWN/S", "down.rate", CELL_BYTES, 0, 0 },
	{ "UP", "up.bytes", CELL_BYTES, 0, 0 },
	{ "DOWN", "down.bytes", CELL_BYTES, 0, 0 },
	{ "AGE", "age_ms", CELL_TIME, 0, 0 },
	{ "IDLE", "idle_ms", CELL_TIME, 0, true },
	{ "STATE", "state", CELL_STATE, 0, true },
	{ "HOW", NULL, CELL_WAYS, 0, true },
	{ "HOLDER", "holder", CELL_HOLDER, 0, true },
};
static const struct column listener_columns[] = {
	{ "SERVER", "server", CELL_PLAIN, 0, 0 },
	{ "ADDRESS", "address", CELL_PLAIN, true, 0 },
	{ "STATE", "state", CELL_STATE, 0, 0 },
	{ "BACKLOG", "backlog", CELL_PLAIN, 0, 0 },
};
static const struct column table_columns[] = {
	{ "NAME", "name", CELL_PLAIN, 0, 0 },
	{ "KEYS", "keys", CELL_PLAIN, 0, 0 },
	{ "MEMORY", "bytes", CELL_BYTES, 0, 0 },
	{ "COLUMNS", "columns", CELL_TYPES, true, 0 },
};
static const struct column config_columns[] = {
	{ "SETTING", "path", CELL_PLAIN, 0, 0 },
	{ "VALUE", "value", CELL_PLAIN, true, 0 },
	{ "DEFAULT", "default", CELL_PLAIN, true, true },
	{ "ORIGIN", "origin", CELL_PLAIN, true, 0 },
};

const struct view view_status = VIEW("/v1/status", NULL, status_columns);
const struct view view_workers = VIEW("/v1/workers", "workers", worker_columns);
const struct view view_generations =
	VIEW("/v1/generations", "generations", generation_columns);
const struct view view_channels =
	VIEW("/v1/channels", "channels", channel_columns);
const struct view view_top = VIEW("/v1/channels", "channels", top_columns);
const struct view view_listeners =
	VIEW("/v1/listeners", "listeners", listener_columns);
const struct view view_tables = VIEW("/v1/tables", "tables", table_columns);
const struct view view_config = VIEW("/v1/config", "settings", config_columns);

static void view_total(const struct ctl *c, const json_t *json);

int
view_run(struct ctl *c)
{
	const struct view *v = c->command->view;
	struct api_answer answer;
	struct text path = { 0 };
	struct api_request request = {
		.limit_ms = c->options.number[OPTION_RATE] + API_WAIT_MS
	};
	int status;

	text_add(&path, v->path);
	options_query(&c->options, &path);
	request.path = text_of(&path);
	status = ctl_ask(c, &request, &answer);
	if (status == CTL_FINE && !ctl_is_json(c)) {
		if (v->list == NULL)
			table_show_one(
				&c->style, answer.json, v->columns, v->n);
		else
			table_show(&c->style,
				json_object_get(answer.json, v->list),
				v->columns, v->n);
		view_total(c, answer.json);
	}
	api_answer_free(&answer);
	text_free(&path);
	return status;
}

/* Nobody has asked for fewer. */
static void
view_total(const struct ctl *c, const json_t *json)
{
	json_int_t total = json_integer_value(json_object_get(json, "total"));
	size_t n =
		json_array_size(json_object_get(json, c->command->view->list));

	if (!option_given(&c->options, OPTION_LIMIT) && total > (json_int_t)n)
		ctl_say("%zu of %lld are shown; --limit says how many", n,
			(long long)total);
}
