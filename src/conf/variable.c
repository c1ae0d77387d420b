/* variable.c - the names of what is known of a channel. */
#include <string.h>

#include "conf/near.h"
#include "conf/variable.h"

#define SHOWN 64 /* bytes of a wrong name that are shown */

/* What there is beside an unknown name. */
struct names {
	struct arena *arena;
	struct near whole, tail; /* behind its last dot */
	size_t group;		 /* bytes up to that dot */
	const char *all, *same;	 /* names; those of its group */
};

static const char *
unknown_why(const struct variable_scope *s, const char *name, size_t len);
static void names_add(struct names *names, const char *name);

const struct weir_variable variable_rows[] = {
#define X(id, word, kind, moment, text)                                        \
	[VARIABLE_##id] = { .name = (word),                                    \
		.type = WEIR_VALUE_##kind,                                     \
		.since = WEIR_AT_##moment,                                     \
		.help = (text) },
	VARIABLES(X)
#undef X
		[VARIABLE_COUNT] = { .name = NULL }
};

unsigned
variable_lookup(const struct conf_stage *stages, size_t n, const char *name,
	size_t len, struct variable *v)
{
	const struct weir_variable *row;
	unsigned found = 0, i;
	size_t head;

	for (row = variable_rows; row->name != NULL; row++)
		if (strlen(row->name) == len &&
			memcmp(row->name, name, len) == 0 && found++ == 0)
			*v = (struct variable){ row->name, row,
				(enum variable_id)(row - variable_rows), 0 };
	for (i = 0; i < n; i++) {
		head = strlen(stages[i].name);
		row = stages[i].mw->variables;
		if (row == NULL || len <= head || name[head] != '.' ||
			memcmp(stages[i].name, name, head) != 0)
			continue;
		for (; row->name != NULL; row++)
			if (strlen(row->name) == len - head - 1 &&
				memcmp(row->name, name + head + 1,
					len - head - 1) == 0 &&
				found++ == 0)
				*v = (struct variable){ name, row,
					VARIABLE_COUNT, i };
	}
	return found;
}

const struct variable *
variable_find(const struct variable_scope *s, const char *name, size_t len,
	const char **why)
{
	struct variable v = { NULL, NULL, VARIABLE_COUNT, 0 }, *found;
	unsigned n = variable_lookup(s->stages, s->n, name, len, &v);

	*why = NULL;
	if (n == 0 && !s->incomplete)
		*why = unknown_why(s, name, len);
	if (n > 1)
		*why = arena_printf(s->arena,
			"\"%.*s\" could be %u variables: give each middleware "
			"a \"name\" of its own",
			SHOWN, arena_strndup(s->arena, name, len), n);
	if (n != 1)
		return NULL;
	found = arena_alloc(s->arena, sizeof(*found));
	*found = v;
	found->name = arena_strndup(s->arena, name, len);
	return found;
}

const char *
variable_type_word(enum weir_value_type type)
{
	static const char *const words[] = {
#define X(id, word) word,
		WEIR_VALUES(X)
#undef X
	};

	return words[type];
}

const char *
variable_moment_word(enum weir_moment moment)
{
	static const char *const words[] = {
#define X(id, word) word,
		WEIR_MOMENTS(X)
#undef X
	};

	return words[moment];
}

/* What was meant, or which ones there are: of its group, or else all. */
static const char *
unknown_why(const struct variable_scope *s, const char *name, size_t len)
{
	const char *word = arena_strndup(s->arena, name, len);
	const char *dot = strrchr(word, '.');
	size_t group = dot != NULL ? (size_t)(dot - word) + 1 : 0;
	struct names names = { .arena = s->arena,
		.whole = { .word = word },
		.tail = { .word = word + group },
		.group = group,
		.all = "",
		.same = "" };
	const struct weir_variable *row;
	const char *best;
	size_t i;

	if (len == 0)
		return "the name of a variable is missing";
	for (row = variable_rows; row->name != NULL; row++)
		names_add(&names, row->name);
	for (i = 0; i < s->n; i++)
		for (row = s->stages[i].mw->variables;
			row != NULL && row->name != NULL; row++)
			names_add(
				&names, arena_printf(s->arena, "%s.%s",
						s->stages[i].name, row->name));
	best = *names.same == '\0' ? names.whole.best
	       : names.tail.best != NULL
		       ? arena_printf(s->arena, "%.*s%s", (int)group, word,
				 names.tail.best)
		       : NULL;
	if (best != NULL)
		return arena_printf(s->arena,
			"unknown variable \"%.*s\" (did you mean \"%s\"?)",
			SHOWN, word, best);
	return arena_printf(s->arena,
		"unknown variable \"%.*s\" (there are: %s)", SHOWN, word,
		*names.same != '\0' ? names.same : names.all);
}

static void
names_add(struct names *names, const char *name)
{
	size_t n = names->group;

	near_try(&names->whole, name);
	names->all = arena_printf(names->arena, "%s%s%s", names->all,
		*names->all != '\0' ? ", " : "", name);
	if (n == 0 || strncmp(name, names->whole.word, n) != 0)
		return;
	near_try(&names->tail, name + n);
	names->same = arena_printf(names->arena, "%s%s%s", names->same,
		*names->same != '\0' ? ", " : "", name);
}
