/* table_json.h - rows of tables as the API shows them. */
#ifndef KEEPER_TABLE_JSON_H
#define KEEPER_TABLE_JSON_H

#include <stddef.h>

#include <jansson.h>

#include "api/table.h"

struct row;

/* {"key","expires_ms","columns"}; NULL without memory. */
json_t *row_json(const struct weir_table *t, const struct row *row);
/* What the table has of a key, by column; NULL with errno. */
json_t *cells_json(struct weir_table *t, struct weir_bytes key);
/* Why that column cannot be made that value; NULL: it can. */
const char *
cell_check(const struct weir_table *t, const char *name, const json_t *value);
/* Makes it that value; -1 with errno. */
int cell_set(struct weir_table *t, struct weir_bytes key, const char *name,
	const json_t *value);

#endif
