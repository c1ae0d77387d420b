/* table.c - JSON as tables for people. */
#include <stdint.h>
#include <string.h>

#include "ctl/table.h"

#define GAP   2	 /* blanks between columns */
#define LEAST 12 /* of a long value that is cut */

static unsigned table_width(const struct table *t);
static void table_fit(struct table *t, unsigned width);
static void cell_put(struct text *line, const char *cell, size_t n,
	unsigned width, bool right);
static enum style_colour row_colour(const struct table *t, const json_t *row);

void
table_lay(struct table *t, const json_t *rows, const struct column *columns,
	size_t n, unsigned width)
{
	struct text cell = { 0 };
	const json_t *row, *value;
	size_t i, j;

	*t = (struct table){ .columns = columns, .n = n };
	for (i = 0; i < n; i++)
		t->widths[i] = (unsigned)strlen(columns[i].title);
	json_array_foreach((json_t *)(uintptr_t)rows, j, row)
	{
		for (i = 0; i < n; i++) {
			value = cell_find(row, columns[i].path);
			text_clear(&cell);
			cell_add(&cell, value, columns[i].kind);
			if (cell.n > t->widths[i])
				t->widths[i] = (unsigned)cell.n;
			t->right[i] |= cell_is_number(columns[i].kind, value);
		}
	}
	text_free(&cell);
	if (width > 0)
		table_fit(t, width);
}

void
table_line(const struct table *t, const json_t *row, struct text *line)
{
	struct text cell = { 0 };
	size_t i;

	for (i = 0; i < t->n; i++) {
		if (t->widths[i] == 0)
			continue;
		text_clear(&cell);
		if (row == NULL)
			text_add(&cell, t->columns[i].title);
		else
			cell_add(&cell, cell_find(row, t->columns[i].path),
				t->columns[i].kind);
		if (line->n > 0)
			text_add_fmt(line, "%*s", GAP, "");
		cell_put(line, text_of(&cell), cell.n, t->widths[i],
			t->right[i]);
	}
	while (line->n > 0 && line->p[line->n - 1] == ' ')
		line->p[--line->n] = '\0';
	text_free(&cell);
}

void
table_show(const struct style *s, const json_t *rows,
	const struct column *columns, size_t n)
{
	struct text line = { 0 };
	const json_t *row;
	struct table t;
	size_t i;

	table_lay(&t, rows, columns, n, s->is_terminal ? s->width : 0);
	table_line(&t, NULL, &line);
	style_set(s, stdout, STYLE_BOLD);
	fputs(text_of(&line), stdout);
	style_set(s, stdout, STYLE_PLAIN);
	putchar('\n');
	json_array_foreach((json_t *)(uintptr_t)rows, i, row)
	{
		enum style_colour colour = row_colour(&t, row);

		text_clear(&line);
		table_line(&t, row, &line);
		if (colour != STYLE_PLAIN)
			style_set(s, stdout, colour);
		fputs(text_of(&line), stdout);
		if (colour != STYLE_PLAIN)
			style_set(s, stdout, STYLE_PLAIN);
		putchar('\n');
	}
	text_free(&line);
}

void
table_show_one(const struct style *s, const json_t *object,
	const struct column *columns, size_t n)
{
	struct text cell = { 0 };
	size_t i, width = 0;

	for (i = 0; i < n; i++)
		if (strlen(columns[i].title) > width)
			width = strlen(columns[i].title);
	for (i = 0; i < n; i++) {
		text_clear(&cell);
		cell_add(&cell, cell_find(object, columns[i].path),
			columns[i].kind);
		style_set(s, stdout, STYLE_BOLD);
		printf("%-*s", (int)width + GAP, columns[i].title);
		style_set(s, stdout, STYLE_PLAIN);
		puts(text_of(&cell));
	}
	text_free(&cell);
}

static unsigned
table_width(const struct table *t)
{
	unsigned width = 0;
	size_t i;

	for (i = 0; i < t->n; i++)
		if (t->widths[i] > 0)
			width += t->widths[i] + (width > 0 ? GAP : 0);
	return width;
}

/* Long values lose first; then, if they would have to be too short, spare
 * columns go from the right, which may give them their room back. */
static void
table_fit(struct table *t, unsigned width)
{
	unsigned least = table_width(t), over;
	size_t i, longest;

	for (i = 0; i < t->n; i++)
		if (t->columns[i].is_long && t->widths[i] > LEAST)
			least -= t->widths[i] - LEAST;
	for (i = t->n; i-- > 0 && least > width;) {
		if (!t->columns[i].is_spare)
			continue;
		least -= (t->columns[i].is_long && t->widths[i] > LEAST
					 ? LEAST
					 : t->widths[i]) +
			 GAP;
		t->widths[i] = 0;
	}
	while ((over = table_width(t)) > width) {
		for (i = 0, longest = t->n; i < t->n; i++)
			if (t->columns[i].is_long && t->widths[i] > LEAST &&
				(longest == t->n ||
					t->widths[i] > t->widths[longest]))
				longest = i;
		if (longest == t->n)
			return;
		t->widths[longest]--;
	}
}

/* Addresses differ at both ends: the middle is what can be missed. */
static void
cell_put(struct text *line, const char *cell, size_t n, unsigned width,
	bool right)
{
	size_t head;

	if (n > width) {
		head = (width - 1) / 2;
		text_add_bytes(line, cell, head);
		text_add(line, "~");
		text_add(line, cell + n - (width - 1 - head));
	} else
		text_add_fmt(line, right ? "%*s" : "%-*s", (int)width, cell);
}

/* What is not as it should be, or will not last. */
static enum style_colour
row_colour(const struct table *t, const json_t *row)
{
	static const struct {
		const char *word;
		enum style_colour colour;
	} states[] = {
		{ "drains", STYLE_YELLOW },
		{ "paused", STYLE_YELLOW },
		{ "closing", STYLE_YELLOW },
		{ "closed", STYLE_RED },
		{ "absent", STYLE_RED },
	};
	const char *word = NULL;
	size_t i;

	for (i = 0; i < t->n; i++)
		if (t->columns[i].kind == CELL_STATE)
			word = json_string_value(
				cell_find(row, t->columns[i].path));
	for (i = 0; word != NULL && i < sizeof(states) / sizeof(states[0]); i++)
		if (strcmp(states[i].word, word) == 0)
			return states[i].colour;
	return STYLE_PLAIN;
}
