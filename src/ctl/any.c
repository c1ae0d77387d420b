/* any.c - JSON that nobody knows, for people. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "ctl/table.h"

static void any_list(const struct style *s, const json_t *list);
static void any_object(const struct style *s, const json_t *object);
static bool is_table(const json_t *list);
static void any_line(const json_t *value);

void
table_show_any(const struct style *s, const json_t *json)
{
	if (json_is_array(json))
		any_list(s, json);
	else if (json_is_object(json))
		any_object(s, json);
	else
		any_line(json);
}

/* The columns are those of the first object. */
static void
any_list(const struct style *s, const json_t *list)
{
	struct column columns[TABLE_COLUMNS] = { 0 };
	json_t *item, *first = json_array_get(list, 0);
	const char *key;
	size_t i, n = 0;

	if (is_table(list)) {
		json_object_foreach(first, key, item)
		{
			if (n < TABLE_COLUMNS)
				columns[n++] = (struct column){ .title = key,
					.path = key };
		}
		table_show(s, list, columns, n);
		return;
	}
	json_array_foreach((json_t *)(uintptr_t)list, i, item) any_line(item);
}

/* What is single comes first, then the lists. */
static void
any_object(const struct style *s, const json_t *object)
{
	struct column columns[TABLE_COLUMNS] = { 0 };
	const char *key;
	json_t *item;
	size_t n = 0;

	json_object_foreach((json_t *)(uintptr_t)object, key, item)
	{
		if (!json_is_array(item) && n < TABLE_COLUMNS)
			columns[n++] =
				(struct column){ .title = key, .path = key };
	}
	table_show_one(s, object, columns, n);
	json_object_foreach((json_t *)(uintptr_t)object, key, item)
	{
		if (!json_is_array(item) || json_array_size(item) == 0)
			continue;
		if (json_object_size(object) > 1)
			printf("%s%s:\n", n > 0 ? "\n" : "", key);
		any_list(s, item);
	}
}

static bool
is_table(const json_t *list)
{
	const json_t *item;
	size_t i;

	json_array_foreach((json_t *)(uintptr_t)list, i, item)
	{
		if (!json_is_object(item) || json_object_size(item) == 0)
			return false;
	}
	return json_array_size(list) > 0;
}

static void
any_line(const json_t *value)
{
	struct text line = { 0 };

	cell_add(&line, value, CELL_PLAIN);
	puts(text_of(&line));
	text_free(&line);
}
