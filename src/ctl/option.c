/* option.c - options of the command line. */
#include <getopt.h>
#include <inttypes.h>
#include <limits.h>
#include <string.h>

#include "api/option.h"
#include "base/near.h"
#include "base/units.h"
#include "ctl/ctl.h"
#include "ctl/option.h"

#define LONG_ONLY 256 /* above every letter: values of getopt_long() */

const struct option_row option_rows[OPTION_COUNT] = {
#define X(id, letter, name, arg, kind, query, help)                            \
	[OPTION_##id] = { letter, name, arg, OPTION_IS_##kind, query, help },
	OPTIONS(X)
#undef X
};

const char *const option_sorts[] = { "id", "age", "idle", "up_bytes",
	"down_bytes", "rate", NULL };

static int options_unknown(char **argv, int ch);
static int option_take(struct options *o, enum option_id id, const char *text);
static int option_sort(const char *text);
static int option_wrong(enum option_id id, const char *text, const char *why);

int
options_parse(struct options *o, int argc, char **argv)
{
	struct option longs[OPTION_COUNT + 1] = { 0 };
	char shorts[2 * OPTION_COUNT + 2] = ":", *p = shorts + 1;
	size_t i;
	int ch;

	for (i = 0; i < OPTION_COUNT; i++) {
		const struct option_row *row = &option_rows[i];

		longs[i] = (struct option){ .name = row->name,
			.has_arg = row->arg != NULL,
			.val = LONG_ONLY + (int)i };
		if (row->letter == 0)
			continue;
		*p++ = row->letter;
		if (row->arg != NULL)
			*p++ = ':';
	}
	opterr = 0;
	while ((ch = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
		if (ch == ':' || ch == '?')
			return options_unknown(argv, ch);
		for (i = 0; ch < LONG_ONLY && option_rows[i].letter != ch;)
			i++;
		if (ch >= LONG_ONLY)
			i = (size_t)(ch - LONG_ONLY);
		if (option_take(o, (enum option_id)i, optarg) == -1)
			return -1;
	}
	return optind;
}

void
options_query(const struct options *o, struct text *path)
{
	const struct option_row *row;
	char number[32];
	size_t i;

	for (i = 0; i < OPTION_COUNT; i++) {
		row = &option_rows[i];
		if (row->query == NULL || !option_given(o, (enum option_id)i))
			continue;
		snprintf(number, sizeof(number), "%" PRId64, o->number[i]);
		text_add_query(path, row->query,
			row->kind == OPTION_IS_TEXT ||
					row->kind == OPTION_IS_NETWORK ||
					row->kind == OPTION_IS_SORT
				? o->text[i]
				: number);
	}
}

void
option_name(enum option_id id, struct text *t)
{
	const struct option_row *row = &option_rows[id];

	if (row->letter != 0)
		text_add_fmt(t, "-%c, ", row->letter);
	text_add_fmt(t, "--%s", row->name);
	if (row->arg != NULL)
		text_add_fmt(t, " %s", row->arg);
}

static int
options_unknown(char **argv, int ch)
{
	const char *word = argv[optind - 1];
	struct near near = { .word = word + strspn(word, "-") };
	size_t i;

	for (i = 0; i < OPTION_COUNT && optopt != LONG_ONLY + (int)i; i++)
		near_try(&near, option_rows[i].name);
	if (ch == ':')
		ctl_usage(NULL, "option \"%s\" needs an argument", word);
	else if (strncmp(word, "--", 2) != 0)
		ctl_usage(NULL, "unknown option \"-%c\"", optopt);
	else if (i < OPTION_COUNT)
		ctl_usage(NULL, "option \"--%s\" takes no argument",
			option_rows[i].name);
	else if (near.best != NULL)
		ctl_usage(NULL,
			"unknown option \"%s\" (did you mean \"--%s\"?)", word,
			near.best);
	else
		ctl_usage(NULL, "unknown option \"%s\"", word);
	return -1;
}

static int
option_take(struct options *o, enum option_id id, const char *text)
{
	const char *why = NULL;
	struct weir_cidr cidr;
	int64_t *n = &o->number[id];
	int status = 0;

	o->given |= UINT32_C(1) << id;
	o->text[id] = text;
	switch (option_rows[id].kind) {
	case OPTION_IS_FLAG:
		*n = 1;
		break;
	case OPTION_IS_TEXT:
		break;
	case OPTION_IS_TIME:
		status = units_time(text, n, &why);
		break;
	case OPTION_IS_COUNT:
		status = units_int(text, n, &why);
		break;
	case OPTION_IS_SIZE:
		status = units_size(text, n, &why);
		break;
	case OPTION_IS_NETWORK:
		status = weir_cidr_parse(&cidr, text, &why);
		break;
	case OPTION_IS_SORT:
		return option_sort(text);
	}
	if (status == 0 && option_rows[id].kind == OPTION_IS_COUNT && *n < 1)
		return option_wrong(id, text, "less than 1");
	/* libcurl counts in long, and no time is no limit to it. */
	if (status == 0 && id == OPTION_TIMEOUT && (*n < 1 || *n > INT_MAX))
		return option_wrong(id, text, "1ms is the least, 24d the most");
	return status == 0 ? 0 : option_wrong(id, text, why);
}

static int
option_sort(const char *text)
{
	struct text known = { 0 };
	const char *const *sort;

	for (sort = option_sorts; *sort != NULL; sort++) {
		if (strcmp(*sort, text) == 0)
			break;
		text_add_fmt(&known, "%s%s", known.n > 0 ? ", " : "", *sort);
	}
	if (*sort == NULL)
		ctl_usage(NULL, "option \"--sort\" wants one of %s, not \"%s\"",
			text_of(&known), text);
	text_free(&known);
	return *sort != NULL ? 0 : -1;
}

static int
option_wrong(enum option_id id, const char *text, const char *why)
{
	ctl_usage(NULL, "option \"--%s\": \"%s\": %s", option_rows[id].name,
		text, why);
	return -1;
}
