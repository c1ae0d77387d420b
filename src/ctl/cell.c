/* cell.c - values of the API's JSON as text for people. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/cell.h"
#include "ctl/figure.h"

static void cell_plain(struct text *t, const json_t *value);
static void cell_holder(struct text *t, const json_t *value);
static void cell_ways(struct text *t, const json_t *value);
static void cell_columns(struct text *t, const json_t *value);
static void cell_types(struct text *t, const json_t *value);
static void cell_words(struct text *t, const json_t *value);

const json_t *
cell_find(const json_t *json, const char *path)
{
	size_t n;

	while (path != NULL && json != NULL) {
		n = strcspn(path, ".");
		json = json_object_getn(json, path, n);
		path = path[n] == '.' ? path + n + 1 : NULL;
	}
	return json;
}

void
cell_add(struct text *t, const json_t *value, enum cell_kind kind)
{
	char text[FIGURE_TEXT];

	if (value == NULL || json_is_null(value))
		text_add(t, "-");
	else if (kind == CELL_HOLDER)
		cell_holder(t, value);
	else if (kind == CELL_WAYS)
		cell_ways(t, value);
	else if (kind == CELL_COLUMNS)
		cell_columns(t, value);
	else if (kind == CELL_TYPES)
		cell_types(t, value);
	else if (kind == CELL_WORDS)
		cell_words(t, value);
	else if (!json_is_number(value))
		cell_plain(t, value);
	else if (kind == CELL_BYTES)
		text_add(t, figure_bytes(json_number_value(value), text));
	else if (kind == CELL_RATE)
		text_add_fmt(t, "%s/s",
			figure_bytes(json_number_value(value), text));
	else if (kind == CELL_TIME)
		text_add(t,
			figure_time((int64_t)json_number_value(value), text));
	else
		cell_plain(t, value);
}

bool
cell_is_number(enum cell_kind kind, const json_t *value)
{
	return kind == CELL_BYTES || kind == CELL_RATE || kind == CELL_TIME ||
	       json_is_number(value);
}

static void
cell_plain(struct text *t, const json_t *value)
{
	const json_t *item;
	size_t i;
	char *text;

	switch (json_typeof(value)) {
	case JSON_STRING:
		text_add_plain(
			t, json_string_value(value), json_string_length(value));
		break;
	case JSON_INTEGER:
		text_add_fmt(
			t, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
		break;
	case JSON_REAL:
		text_add_fmt(t, "%.1f", json_real_value(value));
		break;
	case JSON_TRUE:
	case JSON_FALSE:
		text_add(t, json_is_true(value) ? "yes" : "no");
		break;
	case JSON_ARRAY:
		json_array_foreach((json_t *)(uintptr_t)value, i, item)
		{
			text_add(t, i > 0 ? ", " : "");
			cell_plain(t, item);
		}
		break;
	default:
		text = json_dumps(value, JSON_COMPACT);
		if (text != NULL)
			text_add_plain(t, text, strlen(text));
		free(text);
	}
}

/* "acl 3.2s": it has held bytes for so long. */
static void
cell_holder(struct text *t, const json_t *value)
{
	cell_add(t, cell_find(value, "middleware"), CELL_PLAIN);
	text_add(t, " ");
	cell_add(t, cell_find(value, "since_ms"), CELL_TIME);
}

static void
cell_ways(struct text *t, const json_t *value)
{
	text_add(t, json_is_true(cell_find(value, "up.splice")) ? "s" : "c");
	text_add(t, json_is_true(cell_find(value, "down.splice")) ? "s" : "c");
}

static void
cell_columns(struct text *t, const json_t *value)
{
	const char *key, *blank = "";
	json_t *item;

	json_object_foreach((json_t *)(uintptr_t)value, key, item)
	{
		text_add(t, blank);
		text_add_plain(t, key, strlen(key));
		text_add(t, "=");
		cell_add(t, item, CELL_PLAIN);
		blank = " ";
	}
}

static void
cell_types(struct text *t, const json_t *value)
{
	const json_t *item;
	size_t i;

	json_array_foreach((json_t *)(uintptr_t)value, i, item)
	{
		text_add(t, i > 0 ? ", " : "");
		cell_add(t, cell_find(item, "name"), CELL_PLAIN);
		text_add(t, ":");
		cell_add(t, cell_find(item, "type"), CELL_PLAIN);
	}
}

static void
cell_words(struct text *t, const json_t *value)
{
	const json_t *item;
	size_t i;

	json_array_foreach((json_t *)(uintptr_t)value, i, item)
	{
		text_add(t, i > 0 ? ", " : "");
		cell_add(t,
			json_is_string(item) ? item : cell_find(item, "word"),
			CELL_PLAIN);
	}
	if (i == 0)
		text_add(t, "-");
}
