/* table.h - JSON as tables for people. */
#ifndef CTL_TABLE_H
#define CTL_TABLE_H

#include <jansson.h>
#include <stddef.h>

#include "ctl/cell.h"
#include "ctl/style.h"

#define TABLE_COLUMNS 24 /* at most */

/* Writes a heading, and a line for each object of the array to stdout.  On a
 * terminal that is narrow, long values are cut in their middle and columns that
 * are spare left out. */
void table_show(const struct style *s, const json_t *rows,
	const struct column *columns, size_t n);
/* One line for each column of one object: its title, its value. */
void table_show_one(const struct style *s, const json_t *object,
	const struct column *columns, size_t n);
/* The same of JSON that nobody knows: a table for an array of objects, lines
 * for an object, and so on within it. */
void table_show_any(const struct style *s, const json_t *json);

/* The layout of a table: widths, for who draws by himself. */
struct table {
	const struct column *columns;
	size_t n;
	unsigned widths[TABLE_COLUMNS]; /* 0: left out */
	bool right[TABLE_COLUMNS];
};

/* Makes it for these rows; width 0: as wide as it comes. */
void table_lay(struct table *t, const json_t *rows,
	const struct column *columns, size_t n, unsigned width);
/* Appends the heading (row NULL), or a row, without trailing blanks. */
void table_line(const struct table *t, const json_t *row, struct text *line);

#endif
