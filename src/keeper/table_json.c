/* table_json.c - rows of tables as the API shows them. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "keeper/table_json.h"
#include "shm/table.h"

/* As it stands in a path: what is not a printable byte, or means something
 * there, is %XX. */
static json_t *
key_json(const struct row *row)
{
	char text[3 * WEIR_KEY_MOST + 1], *p = text;
	uint32_t i;

	for (i = 0; i < row->key_len && i < WEIR_KEY_MOST; i++) {
		uint8_t c = row->bytes[i];

		if (c > ' ' && c < 127 && strchr("%/?#", c) == NULL)
			*p++ = (char)c;
		else
			p += snprintf(p, 4, "%%%02X", c);
	}
	return json_stringn(text, (size_t)(p - text));
}

/* Bytes that are no text are {"hex":"..."}. */
static json_t *
value_json(const uint8_t *p, size_t n)
{
	json_t *json = json_stringn((const char *)p, n);
	char text[2 * WEIR_CELL_MOST + 1] = "";
	size_t i;

	if (json != NULL)
		return json;
	for (i = 0; i < n && i < WEIR_CELL_MOST; i++)
		snprintf(text + 2 * i, 3, "%02x", p[i]);
	return json_pack("{s:s}", "hex", text);
}

static json_t *
cell_json(const struct weir_table *t, const struct row *row, unsigned i)
{
	uint8_t value[WEIR_CELL_MOST];
	size_t n;

	if (t->shape.columns[i].type == WEIR_COLUMN_VALUE) {
		n = row_get(&t->shape, row, i, value, sizeof(value));
		return value_json(value, n < sizeof(value) ? n : sizeof(value));
	}
	return json_integer((json_int_t)row_read(
		&t->shape, row, i, shm_owners(t->shm), clock_ms()));
}

/* When it ends; null: never. */
static json_t *
row_expires(const struct weir_table *t, const struct row *row)
{
	uint64_t left_ms = row_left(row, t->options.ttl_ms, clock_ms());

	return left_ms == UINT64_MAX ? json_null()
				     : json_integer((json_int_t)left_ms);
}

json_t *
row_json(const struct weir_table *t, const struct row *row)
{
	json_t *columns = json_object();
	unsigned i;

	for (i = 0; i < t->shape.n; i++)
		(void)json_object_set_new(columns, t->shape.columns[i].name,
			cell_json(t, row, i));
	return json_pack("{s:o,s:o,s:o}", "key", key_json(row), "expires_ms",
		row_expires(t, row), "columns", columns);
}

json_t *
cells_json(struct weir_table *t, struct weir_bytes key)
{
	json_t *columns = json_object(), *value;
	uint8_t bytes[WEIR_CELL_MOST];
	uint64_t now = 0;
	size_t len;
	unsigned i;
	int rc = 0, err;

	for (i = 0; i < t->shape.n && rc == 0; i++) {
		bool is_value = t->shape.columns[i].type == WEIR_COLUMN_VALUE;

		rc = is_value ? weir_table_get(
					t, key, i, bytes, sizeof(bytes), &len)
			      : weir_table_read(t, key, i, &now);
		if (rc == -1)
			break;
		value = is_value ? value_json(bytes, len)
				 : json_integer((json_int_t)now);
		(void)json_object_set_new(
			columns, t->shape.columns[i].name, value);
	}
	if (rc == 0)
		return columns;
	err = errno;
	json_decref(columns);
	errno = err;
	return NULL;
}

/* The column of that name; -1: there is none. */
static int
column_find(const struct weir_table *t, const char *name)
{
	unsigned i;

	for (i = 0; i < t->shape.n; i++)
		if (strcmp(t->shape.columns[i].name, name) == 0)
			return (int)i;
	return -1;
}

/* A text, or {"hex":"..."}, of at most size bytes into p; -1: it is neither. */
static int
value_parse(const json_t *value, uint8_t *p, size_t size)
{
	const json_t *hex = json_object_get(value, "hex");
	const char *text = json_string_value(hex == NULL ? value : hex);
	size_t n = json_string_length(hex == NULL ? value : hex), i;
	char two[3] = "", *end;

	if (text == NULL || (hex != NULL && n % 2 != 0) ||
		(hex == NULL ? n : n / 2) > size)
		return -1;
	if (hex == NULL) {
		memcpy(p, text, n);
		return (int)n;
	}
	for (i = 0; i < n / 2; i++) {
		memcpy(two, text + 2 * i, 2);
		p[i] = (uint8_t)strtoul(two, &end, 16);
		if (*end != '\0' || *two == '-' || *two == '+' || *two == ' ')
			return -1;
	}
	return (int)(n / 2);
}

const char *
cell_check(const struct weir_table *t, const char *name, const json_t *value)
{
	uint8_t bytes[WEIR_CELL_MOST];
	int i = column_find(t, name);

	if (i == -1)
		return "the table has none of that name";
	switch (t->shape.columns[i].type) {
	case WEIR_COLUMN_COUNT:
		return json_is_integer(value) && json_integer_value(value) >= 0
			       ? NULL
			       : "a number from 0 on is wanted";
	case WEIR_COLUMN_VALUE:
		return value_parse(value, bytes, t->shape.columns[i].size) != -1
			       ? NULL
			       : "a text that is short enough is wanted, or "
				 "{\"hex\":\"...\"}";
	default:
		return "only counts and values can be set";
	}
}

int
cell_set(struct weir_table *t, struct weir_bytes key, const char *name,
	const json_t *value)
{
	unsigned i = (unsigned)column_find(t, name);
	uint8_t bytes[WEIR_CELL_MOST];
	uint64_t now;
	int n;

	if (t->shape.columns[i].type == WEIR_COLUMN_VALUE) {
		n = value_parse(value, bytes, sizeof(bytes));
		return weir_table_set(t, key, i,
			(struct weir_bytes){ bytes, (size_t)n, true });
	}
	/* What others add meanwhile is kept. */
	if (weir_table_add(t, key, i, 0, &now) == -1)
		return -1;
	return weir_table_add(
		t, key, i, (uint64_t)json_integer_value(value) - now, NULL);
}
