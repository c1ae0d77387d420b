/* help.c - what the tables of commands and options say. */
#include <ctype.h>
#include <string.h>

#include "ctl/help.h"

#define INDENT 24 /* of what is said of an option */
#define LINE   78

static void options_show(FILE *f, uint32_t options);
static void option_help(const struct option_row *row, struct text *t);
static void man_command(FILE *f, const struct command *row);
static void man_options(FILE *f, uint32_t options);
static void man_words(FILE *f, const char *words);
static void man_sentences(FILE *f, const char *text);
static void man_sentence(FILE *f, const char *text);
static void help_fill(FILE *f, const char *text, size_t n);

int
help_run(struct ctl *c)
{
	const struct command *row;

	if (c->nargs == 0) {
		help_show(stdout, NULL);
		return CTL_FINE;
	}
	row = command_find(c->args[0]);
	if (row == NULL)
		return ctl_usage(
			c->command, "there is no command \"%s\"", c->args[0]);
	help_show(stdout, row);
	return CTL_FINE;
}

void
help_show(FILE *f, const struct command *command)
{
	const struct command *row;

	if (command != NULL) {
		fprintf(f, "usage: weirctl [OPTION...] %s%s%s\n\n%c%s.\n",
			command->name, command->args[0] != '\0' ? " " : "",
			command->args, toupper((unsigned char)command->help[0]),
			command->help + 1);
		if (command->about != NULL)
			help_fill(f, command->about, strlen(command->about));
		if (command->options != 0)
			fputc('\n', f);
		options_show(f, command->options);
		return;
	}
	fputs("usage: weirctl [OPTION...] COMMAND [ARGUMENT...]\n\n", f);
	for (row = commands; row->name != NULL; row++)
		fprintf(f, "  %-12s %s\n", row->name, row->help);
	fputs("\nOptions of all commands:\n\n", f);
	options_show(f, OPTIONS_COMMON);
	fputs("\nweirctl help COMMAND tells more, and weirctl(1) all.\n", f);
}

void
help_man(FILE *f)
{
	const struct command *row;

	fputs(".Sh OPTIONS\nThese belong to every command:\n"
	      ".Bl -tag -width Ds\n",
		f);
	man_options(f, OPTIONS_COMMON);
	fputs(".El\n.Sh COMMANDS\n.Bl -tag -width Ds\n", f);
	for (row = commands; row->name != NULL; row++)
		man_command(f, row);
	fputs(".El\n.Sh EXIT STATUS\n.Bl -tag -width Ds\n", f);
#define X(id, value, text) fprintf(f, ".It %d\n%s\n", value, text);
	CTL_STATUSES(X)
#undef X
	fputs(".El\n", f);
}

static void
options_show(FILE *f, uint32_t options)
{
	struct text name = { 0 }, help = { 0 };
	size_t i;

	for (i = 0; i < OPTION_COUNT; i++) {
		if ((options >> i & 1) == 0)
			continue;
		text_clear(&name);
		text_clear(&help);
		option_name((enum option_id)i, &name);
		option_help(&option_rows[i], &help);
		fprintf(f, "  %-*s %s\n", INDENT, text_of(&name),
			text_of(&help));
	}
	text_free(&name);
	text_free(&help);
}

static void
option_help(const struct option_row *row, struct text *t)
{
	const char *const *sort;

	text_add(t, row->help);
	for (sort = option_sorts; row->kind == OPTION_IS_SORT && *sort != NULL;
		sort++)
		text_add_fmt(t, "%s%s", sort > option_sorts ? ", " : "", *sort);
}

static void
man_command(FILE *f, const struct command *row)
{
	fprintf(f, ".It Xo\n.Cm %s\n", row->name);
	man_words(f, row->args);
	fputs(".Xc\n", f);
	man_sentence(f, row->help);
	if (row->about != NULL)
		man_sentences(f, row->about);
	if (row->options == 0)
		return;
	fputs(".Bl -tag -width Ds\n", f);
	man_options(f, row->options);
	fputs(".El\n", f);
}

static void
man_options(FILE *f, uint32_t options)
{
	const struct option_row *row;
	struct text help = { 0 };
	size_t i;

	for (i = 0; i < OPTION_COUNT; i++) {
		if ((options >> i & 1) == 0)
			continue;
		row = &option_rows[i];
		fputs(".It ", f);
		if (row->letter != 0)
			fprintf(f, "Fl %c , ", row->letter);
		fprintf(f, "Fl -%s", row->name);
		if (row->arg != NULL)
			fprintf(f, " Ar %s", row->arg);
		fputc('\n', f);
		text_clear(&help);
		option_help(row, &help);
		man_sentence(f, text_of(&help));
	}
	text_free(&help);
}

/* Capitals alone are an argument, small letters alone are typed as they are,
 * and the rest is how they go together. */
static void
man_words(FILE *f, const char *words)
{
	const char *macro;
	size_t n, letters;

	for (; *words != '\0'; words += n + strspn(words + n, " ")) {
		n = strcspn(words, " ");
		for (letters = 0; isalpha((unsigned char)words[letters]);)
			letters++;
		macro = isupper((unsigned char)*words) ? ".Ar " : ".Cm ";
		fprintf(f, "%s%.*s\n", letters == n ? macro : "\\&", (int)n,
			words);
	}
}

static void
man_sentences(FILE *f, const char *text)
{
	const char *end;

	while ((end = strstr(text, ". ")) != NULL) {
		help_fill(f, text, (size_t)(end - text + 1));
		text = end + 2;
	}
	help_fill(f, text, strlen(text));
}

static void
man_sentence(FILE *f, const char *text)
{
	fprintf(f, "%c%s.\n", toupper((unsigned char)text[0]), text + 1);
}

/* In lines that are not too long. */
static void
help_fill(FILE *f, const char *text, size_t n)
{
	const char *end = text + n;
	size_t word, column = 0;

	while (text < end) {
		word = strcspn(text, " ");
		if (word > (size_t)(end - text))
			word = (size_t)(end - text);
		if (column > 0 && column + 1 + word > LINE) {
			fputc('\n', f);
			column = 0;
		}
		fprintf(f, "%s%.*s", column > 0 ? " " : "", (int)word, text);
		column += word + (column > 0);
		text += word + (text[word] == ' ');
	}
	fputc('\n', f);
}
