/* describe.c - modules and option tables, for people. */
#include <string.h>

#include "conf/conf.h"
#include "conf/core.h"
#include "conf/describe.h"
#include "conf/value.h"
#include "conf/variable.h"
#include "registry.h"

#define NOT_BUILT "Not built in yet: refused when given."
#define LINE	  60 /* where a line of the manual ends at the next space */

/* Members of a middleware that it calls, in the order of a channel's life. */
#define CALLBACKS(X)                                                           \
	X(check)                                                               \
	X(claim)                                                               \
	X(needs)                                                               \
	X(races)                                                               \
	X(start)                                                               \
	X(open)                                                                \
	X(up)                                                                  \
	X(down)                                                                \
	X(route)                                                               \
	X(target)                                                              \
	X(connected)                                                           \
	X(timer)                                                               \
	X(signal)                                                              \
	X(close)                                                               \
	X(stop)

static void rows_show(FILE *out, const struct weir_opt *rows, int indent);
static void callbacks_show(FILE *out, const struct weir_middleware *mw);
static const char *default_of(const struct weir_opt *row);
static void variables_show(FILE *out, const struct weir_middleware *mw);
static void rows_man(FILE *out, const struct weir_opt *rows);
static void row_man(FILE *out, const struct weir_opt *row);
static void
nested_man(FILE *out, const struct weir_opt *rows, const char *path);
static void example_show(FILE *out, const char *name, const char *example);
static void example_man(FILE *out, const char *name, const char *example);
static void commands_man(FILE *out, const struct weir_command *commands);
static void variables_man(
	FILE *out, const char *head, const struct weir_variable *variables);
static void text_man(FILE *out, const char *text);
static bool is_counted(enum weir_type type);

void
describe_modules(FILE *out)
{
	const struct weir_middleware *const *mw;
	const struct weir_extension *const *ext;

	for (mw = registry_middlewares; *mw != NULL; mw++) {
		fprintf(out, "%s - %s\n", (*mw)->name, (*mw)->help);
		rows_show(out, (*mw)->opts, 1);
		variables_show(out, *mw);
		callbacks_show(out, *mw);
		example_show(out, (*mw)->name, (*mw)->example);
	}
	for (ext = registry_extensions; *ext != NULL; ext++) {
		fprintf(out, "%s - extension: %s\n", (*ext)->name,
			(*ext)->help);
		rows_show(out, (*ext)->opts, 1);
		example_show(out, (*ext)->name, (*ext)->example);
	}
}

void
describe_man(FILE *out)
{
	const struct weir_middleware *const *mw;
	const struct weir_extension *const *ext;

	nested_man(out, core_rows, "");
	for (mw = registry_middlewares; *mw != NULL; mw++) {
		fprintf(out, ".Ss Middleware %s\n", (*mw)->name);
		text_man(out, (*mw)->help);
		rows_man(out, (*mw)->opts);
		if ((*mw)->variables != NULL) {
			fputs(".Pp\n", out);
			text_man(out, "It has these variables, the name of its "
				      "entry in front:");
			variables_man(out, (*mw)->name, (*mw)->variables);
		}
		example_man(out, (*mw)->name, (*mw)->example);
		nested_man(out, (*mw)->opts, (*mw)->name);
	}
	for (ext = registry_extensions; *ext != NULL; ext++) {
		fprintf(out, ".Ss Extension %s\n", (*ext)->name);
		text_man(out, (*ext)->help);
		rows_man(out, (*ext)->opts);
		commands_man(out, (*ext)->commands);
		example_man(out, (*ext)->name, (*ext)->example);
		nested_man(out, (*ext)->opts, (*ext)->name);
	}
	fputs(".Ss Variables\n", out);
	text_man(out, "What is known of every channel:");
	variables_man(out, "", variable_rows);
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

static void
callbacks_show(FILE *out, const struct weir_middleware *mw)
{
	fputs("    callbacks:", out);
#define X(name)                                                                \
	if (mw->name != NULL)                                                  \
		fputs(" " #name, out);
	CALLBACKS(X)
#undef X
	if (mw->flags & WEIR_PREREAD)
		fputs("; wants client bytes before a backend is chosen", out);
	fputc('\n', out);
}

static void
example_show(FILE *out, const char *name, const char *example)
{
	fprintf(out, "    example: { type = \"%s\";%s%s }\n", name,
		example != NULL ? " " : "", example != NULL ? example : "");
}

/* Only where it says more than the type. */
static void
example_man(FILE *out, const char *name, const char *example)
{
	if (example == NULL)
		return;
	fprintf(out,
		".Pp\nFor example:\n.Bd -literal -offset indent\n"
		"{ type = \"%s\";\n  ",
		name);
	text_man(out, example);
	fputs("}\n.Ed\n", out);
}

static void
commands_man(FILE *out, const struct weir_command *commands)
{
	if (commands == NULL)
		return;
	fputs(".Pp\nIt has these words for\n.Xr weirctl 1 :\n"
	      ".Bl -tag -width Ds\n",
		out);
	for (; commands->word != NULL; commands++) {
		fprintf(out, ".It Cm %s\n", commands->word);
		text_man(out, commands->help);
	}
	fputs(".El\n", out);
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
	if (row->flags & WEIR_NEEDS_START)
		text_man(out, "It needs a start: a reload cannot change it.");
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

/* Text for roff, in lines of some 70, and a new one for each sentence: no
 * control line, no escape. */
static void
text_man(FILE *out, const char *text)
{
	size_t column = 0;
	char last = '\0';
	bool end;

	for (; *text != '\0'; last = *text++) {
		end = *text == ' ' && (column >= LINE || last == '.');
		if (column == 0 && (*text == '.' || *text == '\''))
			fputs("\\&", out);
		if (*text == '\\')
			fputs("\\e", out);
		else if (end)
			fputc('\n', out);
		else
			fputc(*text, out);
		column = end ? 0 : column + 1;
	}
	fputc('\n', out);
}

/* Is the range of that type one of how many entries there are? */
static bool
is_counted(enum weir_type type)
{
	return option_is_list(type) || option_is_groups(type);
}
