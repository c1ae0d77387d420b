/* describe.c - option tables and effective settings, for people. */
#include <err.h>
#include <stdlib.h>
#include <string.h>

/* Which of the two strnvis() there is: neither is used. */
#define LIBBSD_OPENBSD_VIS
#include <bsd/vis.h>

#include "conf/conf.h"
#include "conf/core.h"
#include "conf/describe.h"
#include "conf/value.h"
#include "conf/variable.h"
#include "registry.h"

#define NOT_BUILT "Not built in yet: refused when given."
#define LINE	  60 /* where a line of the manual ends at the next space */
#define WIDE	  40 /* longer values do not widen their column */

/* Columns of -T. */
struct widths {
	int path, value, def;
};

/* Settings that belong together: those of one server, or all before. */
struct block {
	const struct conf_setting *first;
	size_t n;
};

static size_t blocks_find(const struct conf *conf, struct block *blocks);
static int block_compare(const void *left, const void *right);
static struct widths widths_of(const struct conf *conf);
static void width_add(int *width, const char *text);
static void
setting_show(FILE *out, const struct conf_setting *s, const struct widths *w);
static char *shown(const char *text);
static void rows_show(FILE *out, const struct weir_opt *rows, int indent);
static const char *default_of(const struct weir_opt *row);
static void variables_show(FILE *out, const struct weir_middleware *mw);
static void rows_man(FILE *out, const struct weir_opt *rows);
static void row_man(FILE *out, const struct weir_opt *row);
static void
nested_man(FILE *out, const struct weir_opt *rows, const char *path);
static void variables_man(
	FILE *out, const char *head, const struct weir_variable *variables);
static void text_man(FILE *out, const char *text);
static bool is_counted(enum weir_type type);

void
describe_settings(FILE *out, const struct conf *conf)
{
	struct widths w = widths_of(conf);
	struct block *blocks = calloc(conf->servers.n + 1, sizeof(*blocks));
	size_t n, i, j;

	if (blocks == NULL)
		err(1, "showing the configuration");
	n = blocks_find(conf, blocks);
	/* By name, so that the order in the file does not show. */
	qsort(blocks + 1, n - 1, sizeof(*blocks), block_compare);
	for (i = 0; i < n; i++)
		for (j = 0; j < blocks[i].n; j++)
			setting_show(out, blocks[i].first + j, &w);
	free(blocks);
}

void
describe_modules(FILE *out)
{
	const struct weir_middleware *const *mw;

	for (mw = registry_middlewares; *mw != NULL; mw++) {
		fprintf(out, "%s - %s\n", (*mw)->name, (*mw)->help);
		rows_show(out, (*mw)->opts, 1);
		variables_show(out, *mw);
	}
}

void
describe_man(FILE *out)
{
	const struct weir_middleware *const *mw;

	nested_man(out, core_rows, "");
	for (mw = registry_middlewares; *mw != NULL; mw++) {
		fprintf(out, ".Ss Middleware %s\n", (*mw)->name);
		text_man(out, (*mw)->help);
		rows_man(out, (*mw)->opts);
		if ((*mw)->variables != NULL) {
			text_man(out, "It has these variables, the name of its "
				      "entry in front:");
			variables_man(out, (*mw)->name, (*mw)->variables);
		}
		nested_man(out, (*mw)->opts, (*mw)->name);
	}
	fputs(".Ss Variables\n", out);
	text_man(out, "What is known of every channel:");
	variables_man(out, "", variable_rows);
}

/* blocks[0]: what is before the servers; how many blocks there are. */
static size_t
blocks_find(const struct conf *conf, struct block *blocks)
{
	const struct conf_setting *s = conf->settings.v;
	size_t server = 0, i;
	char path[128];

	blocks[0].first = s;
	for (i = 0; i < conf->settings.n; i++, s++) {
		if (server < conf->servers.n) {
			snprintf(path, sizeof(path), "servers.%s.name",
				conf_server_at(conf, server)->name);
			if (strcmp(s->path, path) == 0)
				blocks[++server].first = s;
		}
		blocks[server].n++;
	}
	return server + 1;
}

static int
block_compare(const void *left, const void *right)
{
	const struct block *a = left, *b = right;

	return strcmp(a->first->value, b->first->value);
}

static struct widths
widths_of(const struct conf *conf)
{
	const struct conf_setting *s = conf->settings.v;
	struct widths w = { 0, 0, 0 };
	size_t i;

	for (i = 0; i < conf->settings.n; i++, s++) {
		if ((int)strlen(s->path) > w.path)
			w.path = (int)strlen(s->path);
		width_add(&w.value, s->value);
		width_add(&w.def, s->def);
	}
	return w;
}

static void
width_add(int *width, const char *text)
{
	char *s = shown(text);
	size_t n = strlen(s);

	if (n <= WIDE && (int)n > *width)
		*width = (int)n;
	free(s);
}

static void
setting_show(FILE *out, const struct conf_setting *s, const struct widths *w)
{
	char *value = shown(s->value), *def = shown(s->def);

	fprintf(out, "%-*s  %-*s  %-*s  %s\n", w->path, s->path, w->value,
		value, w->def, def, s->origin);
	free(def);
	free(value);
}

/* Printable, on one line; an empty text shows as a dash.  Caller frees. */
static char *
shown(const char *text)
{
	char *s = NULL;

	if (stravis(&s, *text != '\0' ? text : "-",
		    VIS_NL | VIS_TAB | VIS_CSTYLE | VIS_NOSLASH) == -1)
		err(1, "showing the configuration");
	return s;
}

static void
rows_show(FILE *out, const struct weir_opt *rows, int indent)
{
	struct arena a = { NULL };
	const struct weir_opt *row;
	const char *range;

	for (row = rows; row != NULL && row->key != NULL; row++) {
		range = value_range(&a, row);
		fprintf(out, "%*s%s = %s, %s", 4 * indent, "", row->key,
			value_word(row->type), default_of(row));
		if (row->type == WEIR_T_CHOICE)
			fprintf(out, ", %s", value_wanted(&a, row));
		else if (range != NULL)
			fprintf(out, ", %s%s", range,
				row->flags & WEIR_OFF ? " or off" : "");
		fprintf(out, ": %s%s\n", row->help,
			row->flags & WEIR_NOT_BUILT ? " (Not built in yet.)"
						    : "");
		if (row->rows != NULL)
			rows_show(out, row->rows->opts, indent + 1);
	}
	arena_free(&a);
}

static void
variables_show(FILE *out, const struct weir_middleware *mw)
{
	const struct weir_variable *v;

	for (v = mw->variables; v != NULL && v->name != NULL; v++)
		fprintf(out, "    %%{%s.%s} = %s, known %s: %s\n", mw->name,
			v->name, variable_type_word(v->type),
			variable_known(v->since), v->help);
}

/* Its default for people, whatever kind of row it is. */
static const char *
default_of(const struct weir_opt *row)
{
	if (row->def != NULL)
		return *row->def != '\0' ? row->def : "empty";
	return row->flags & WEIR_OPTIONAL || row->type == WEIR_T_GROUP
		       ? "optional"
		       : "required";
}

static void
rows_man(FILE *out, const struct weir_opt *rows)
{
	const struct weir_opt *row;

	if (rows == NULL || rows->key == NULL) {
		fputs("It has no options of its own.\n", out);
		return;
	}
	fputs(".Bl -tag -width Ds\n", out);
	for (row = rows; row->key != NULL; row++)
		row_man(out, row);
	fputs(".El\n", out);
}

static void
row_man(FILE *out, const struct weir_opt *row)
{
	struct arena a = { NULL };
	const char *range = value_range(&a, row);

	fprintf(out, ".It Cm %s No = Ar %s\n", row->key, value_word(row->type));
	text_man(out, row->help);
	if (row->type == WEIR_T_CHOICE)
		text_man(out,
			arena_printf(&a, "One of %s.", value_wanted(&a, row)));
	if (range != NULL && is_counted(row->type))
		text_man(out, arena_printf(&a, "At most %lld entries.",
				      (long long)row->max));
	else if (range != NULL)
		text_man(out,
			arena_printf(&a, "%s: %s%s.",
				row->type == WEIR_T_STRING ? "Bytes" : "Range",
				range,
				row->flags & WEIR_OFF ? ", or 0 or \"off\" for "
							"none"
						      : ""));
	else if (row->flags & WEIR_OFF)
		text_man(out, row->type == WEIR_T_STRING
				      ? "\"off\" for none."
				      : "0 or \"off\" for none.");
	if (row->flags & WEIR_NOT_BUILT)
		text_man(out, NOT_BUILT);
	else if (row->def != NULL)
		text_man(
			out, arena_printf(&a, "Default: %s.", default_of(row)));
	else if ((row->flags & WEIR_OPTIONAL) == 0 && row->type != WEIR_T_GROUP)
		text_man(out, "Required.");
	arena_free(&a);
}

/* One section for every group among rows, outer ones first; path is what they
 * are in. */
static void
nested_man(FILE *out, const struct weir_opt *rows, const char *path)
{
	struct arena a = { NULL };
	const struct weir_opt *row;
	const char *sub;

	for (row = rows; row != NULL && row->key != NULL; row++) {
		if (row->rows == NULL && !option_is_groups(row->type))
			continue;
		sub = arena_printf(&a, "%s%s%s", path,
			*path != '\0' ? ", " : "", row->key);
		fprintf(out, ".Ss %s\n", sub);
		text_man(out, row->help);
		if (row->rows == NULL) {
			text_man(out, NOT_BUILT);
			continue;
		}
		if (row->rows->shorthand != NULL)
			text_man(out, arena_printf(&a,
					      "A bare string stands for { %s = "
					      "\"...\"; }.",
					      row->rows->shorthand));
		rows_man(out, row->rows->opts);
		nested_man(out, row->rows->opts, sub);
	}
	arena_free(&a);
}

/* head: name of the middleware whose they are, or "". */
static void
variables_man(
	FILE *out, const char *head, const struct weir_variable *variables)
{
	struct arena a = { NULL };
	const struct weir_variable *v;

	fputs(".Bl -tag -width Ds\n", out);
	for (v = variables; v->name != NULL; v++) {
		fprintf(out, ".It Cm %s%s%s Pq Ar %s\n", head,
			*head != '\0' ? "." : "", v->name,
			variable_type_word(v->type));
		text_man(out, v->help);
		if (v->since != WEIR_AT_OPEN)
			text_man(out, arena_printf(&a, "Known %s.",
					      variable_known(v->since)));
	}
	fputs(".El\n", out);
	arena_free(&a);
}

/* Text for roff, in lines of some 70: no control line, no escape. */
static void
text_man(FILE *out, const char *text)
{
	size_t column = 0;

	for (; *text != '\0'; text++) {
		if (column == 0 && (*text == '.' || *text == '\''))
			fputs("\\&", out);
		if (*text == '\\')
			fputs("\\e", out);
		else if (*text == ' ' && column >= LINE)
			fputc('\n', out);
		else
			fputc(*text, out);
		column = *text == ' ' && column >= LINE ? 0 : column + 1;
	}
	fputc('\n', out);
}

/* Is the range of that type one of how many entries there are? */
static bool
is_counted(enum weir_type type)
{
	return option_is_list(type) || option_is_groups(type);
}
