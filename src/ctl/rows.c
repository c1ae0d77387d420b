/* rows.c - weirctl table: the rows of one table. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/near.h"
#include "base/units.h"
#include "ctl/command.h"
#include "ctl/table.h"

struct verb {
	const char *name;
	unsigned least, most; /* arguments behind it */
	uint32_t options;     /* that mean something to it */
	int (*run)(struct ctl *c, struct text *path);
};

static int rows_show(struct ctl *c, struct text *path);
static int rows_get(struct ctl *c, struct text *path);
static int rows_set(struct ctl *c, struct text *path);
static int rows_delete(struct ctl *c, struct text *path);
static int rows_clear(struct ctl *c, struct text *path);
static int rows_ask(struct ctl *c, const char *method, const struct text *path,
	const char *body, struct api_answer *answer);
static void rows_key(struct ctl *c, struct text *path);
static int verb_check(const struct ctl *c, const struct verb *verb);
static json_t *types_ask(struct ctl *c, int *status);
static bool types_is_value(const json_t *types, const char *column, size_t n);
static int columns_read(struct ctl *c, const json_t *types, json_t *columns);

static const struct verb verbs[] = {
	{ "show", 0, 0, OPTION(LIMIT) | OPTION(PREFIX), rows_show },
	{ "get", 1, 1, 0, rows_get },
	{ "set", 2, COMMAND_ANY, OPTION(TTL), rows_set },
	{ "del", 1, 1, 0, rows_delete },
	{ "clear", 0, 0, 0, rows_clear },
};
#define VERBS (sizeof(verbs) / sizeof(verbs[0]))

static const struct column row_columns[] = {
	{ "KEY", "key", CELL_PLAIN, true, 0 },
	{ "EXPIRES", "expires_ms", CELL_TIME, 0, 0 },
	{ "COLUMNS", "columns", CELL_COLUMNS, 0, 0 },
};

int
table_run(struct ctl *c)
{
	struct near near = { .word = c->args[1] };
	struct text path = { 0 };
	size_t i;
	int status;

	for (i = 0; i < VERBS; i++) {
		if (strcmp(verbs[i].name, c->args[1]) == 0)
			break;
		near_try(&near, verbs[i].name);
	}
	if (i == VERBS)
		return near.best == NULL
			       ? ctl_usage(c->command, "unknown word \"%s\"",
					 c->args[1])
			       : ctl_usage(c->command,
					 "unknown word \"%s\" (did you mean "
					 "\"%s\"?)",
					 c->args[1], near.best);
	status = verb_check(c, &verbs[i]);
	if (status != CTL_FINE)
		return status;
	text_add(&path, "/v1/tables/");
	text_add_part(&path, c->args[0]);
	status = verbs[i].run(c, &path);
	text_free(&path);
	return status;
}

const char *
table_verb(size_t i)
{
	return i < VERBS ? verbs[i].name : NULL;
}

static int
verb_check(const struct ctl *c, const struct verb *verb)
{
	uint32_t wrong =
		c->options.given & c->command->options & ~verb->options;
	size_t n = c->nargs - 2, i;

	if (n < verb->least)
		return ctl_usage(c->command, "table %s needs %s", verb->name,
			verb->least == 1 ? "a KEY" : "a KEY and COLUMN=VALUE");
	if (n > verb->most)
		return ctl_usage(c->command, "unexpected argument \"%s\"",
			c->args[2 + verb->most]);
	if (wrong != 0)
		return ctl_usage(c->command, "table %s takes no --%s",
			verb->name, option_rows[__builtin_ctz(wrong)].name);
	if (n > 0 && c->args[2][0] == '\0')
		return ctl_usage(c->command, "the key is empty");
	for (i = 3; verb->run == rows_set && i < c->nargs; i++)
		if (strchr(c->args[i], '=') == NULL || c->args[i][0] == '=')
			return ctl_usage(c->command,
				"COLUMN=VALUE is wanted, not \"%s\"",
				c->args[i]);
	return CTL_FINE;
}

static int
rows_show(struct ctl *c, struct text *path)
{
	struct api_answer answer;
	const json_t *rows;
	json_int_t total;
	int status;

	options_query(&c->options, path);
	status = rows_ask(c, NULL, path, NULL, &answer);
	if (status == CTL_FINE && !ctl_is_json(c)) {
		rows = json_object_get(answer.json, "rows");
		table_show(&c->style, rows, row_columns, 3);
		total = json_integer_value(
			json_object_get(answer.json, "total"));
		if (total > (json_int_t)json_array_size(rows))
			ctl_say("%zu of %lld are shown; --limit says how many",
				json_array_size(rows), (long long)total);
	}
	api_answer_free(&answer);
	return status;
}

static int
rows_get(struct ctl *c, struct text *path)
{
	struct api_answer answer;
	int status;

	rows_key(c, path);
	status = rows_ask(c, NULL, path, NULL, &answer);
	if (status == CTL_FINE && !ctl_is_json(c))
		table_show_any(
			&c->style, json_object_get(answer.json, "columns"));
	api_answer_free(&answer);
	return status;
}

static int
rows_set(struct ctl *c, struct text *path)
{
	json_t *body = json_object(), *columns = json_object(), *types;
	struct api_answer answer;
	char *text = NULL;
	int status;

	if (json_object_set_new(body, "columns", columns) == -1)
		ctl_out_of_memory();
	types = types_ask(c, &status);
	if (status == CTL_FINE)
		status = columns_read(c, types, columns);
	if (status == CTL_FINE && option_given(&c->options, OPTION_TTL) &&
		json_object_set_new(body, "ttl_ms",
			json_integer(c->options.number[OPTION_TTL])) == -1)
		ctl_out_of_memory();
	if (status == CTL_FINE) {
		text = json_dumps(body, JSON_COMPACT);
		if (text == NULL)
			ctl_out_of_memory();
		rows_key(c, path);
		status = rows_ask(c, "PUT", path, text, &answer);
		api_answer_free(&answer);
	}
	free(text);
	json_decref(types);
	json_decref(body);
	return status;
}

static int
rows_delete(struct ctl *c, struct text *path)
{
	struct api_answer answer;
	int status;

	rows_key(c, path);
	status = rows_ask(c, "DELETE", path, NULL, &answer);
	api_answer_free(&answer);
	return status;
}

static int
rows_clear(struct ctl *c, struct text *path)
{
	struct api_answer answer;
	int status;

	text_add(path, "/keys");
	status = rows_ask(c, "DELETE", path, NULL, &answer);
	api_answer_free(&answer);
	return status;
}

static int
rows_ask(struct ctl *c, const char *method, const struct text *path,
	const char *body, struct api_answer *answer)
{
	struct api_request request = {
		.method = method, .path = text_of(path), .body = body
	};

	return ctl_ask(c, &request, answer);
}

/* A key is written as show writes it, with %XX for what is no text. */
static void
rows_key(struct ctl *c, struct text *path)
{
	text_add(path, "/keys/");
	text_add_encoded(path, c->args[2]);
}

/* The columns of the table, as the API lists them; NULL after a message, and
 * *status. */
static json_t *
types_ask(struct ctl *c, int *status)
{
	struct api_request request = { .path = "/v1/tables" };
	struct api_answer answer;
	const json_t *item, *name;
	json_t *columns = NULL;
	size_t i;

	*status = api_ask(c->api, &request, &answer);
	json_array_foreach(json_object_get(answer.json, "tables"), i, item)
	{
		name = json_object_get(item, "name");
		if (json_is_string(name) &&
			strcmp(json_string_value(name), c->args[0]) == 0)
			columns = json_incref(json_object_get(item, "columns"));
	}
	if (*status == CTL_FINE && columns == NULL) {
		ctl_say("there is no table \"%s\"; weirctl tables lists them",
			c->args[0]);
		*status = CTL_FAILED;
	}
	api_answer_free(&answer);
	return columns;
}

/* Is the column of these n letters one of text? */
static bool
types_is_value(const json_t *types, const char *column, size_t n)
{
	const json_t *item;
	const char *name, *type;
	size_t i;

	json_array_foreach((json_t *)(uintptr_t)types, i, item)
	{
		name = json_string_value(json_object_get(item, "name"));
		type = json_string_value(json_object_get(item, "type"));
		if (name != NULL && type != NULL && strlen(name) == n &&
			memcmp(name, column, n) == 0)
			return strcmp(type, "value") == 0;
	}
	return false;
}

/* COLUMN=VALUE ... becomes members of columns: numbers, and text where the
 * table has that. */
static int
columns_read(struct ctl *c, const json_t *types, json_t *columns)
{
	const char *equals, *why, *word;
	json_t *value;
	int64_t n;
	size_t i;

	for (i = 3; i < c->nargs; i++) {
		word = c->args[i];
		equals = strchr(word, '=');
		if (!types_is_value(types, word, (size_t)(equals - word)) &&
			units_int(equals + 1, &n, &why) == 0)
			value = json_integer(n);
		else
			value = json_string(equals + 1);
		if (value == NULL ||
			json_object_setn_new(columns, word,
				(size_t)(equals - word), value) == -1)
			return ctl_usage(
				c->command, "\"%s\" is not UTF-8", word);
	}
	return CTL_FINE;
}
