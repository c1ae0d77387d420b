/* variable.c - the names of what is known of a channel. */
#include <string.h>

#include <bsd/string.h>

#include "base/near.h"
#include "conf/variable.h"

#define SHOWN 64 /* bytes of a wrong name that are shown */

/* What there is beside an unknown name. */
struct names {
	struct near whole, tail; /* behind its last dot */
	size_t group;		 /* bytes up to that dot */
	const char **all;
	size_t n, same; /* how many; of its group */
};

static const char *
unknown_why(const struct variable_scope *s, const char *name, size_t len);
static void names_add(struct names *names, struct arena *a, const char *name);
static bool is_same(const struct names *names, const char *name);
static const char *names_join(struct arena *a, const struct names *names);

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
variable_known(enum weir_moment moment)
{
	static const char *const words[] = {
		[WEIR_AT_OPEN] = "when the channel opens",
		[WEIR_AT_ROUTE] = "once client bytes were seen",
		[WEIR_AT_CONNECT] = "once the backend is connected",
		[WEIR_AT_CLOSE] = "when the channel ends",
	};

	return words[moment];
}

/* What was meant, or which ones there are: of its group, or else all. */
static const char *
unknown_why(const struct variable_scope *s, const char *name, size_t len)
{
	const char *word = arena_strndup(s->arena, name, len), *best;
	const char *dot = strrchr(word, '.');
	size_t group = dot != NULL ? (size_t)(dot - word) + 1 : 0, i;
	struct names names = { .whole = { .word = word },
		.tail = { .word = word + group },
		.group = group };
	const struct weir_variable *row;

	if (len == 0)
		return "the name of a variable is missing";
	for (row = variable_rows; row->name != NULL; row++)
		names_add(&names, s->arena, row->name);
	for (i = 0; i < s->n; i++)
		for (row = s->stages[i].mw->variables;
			row != NULL && row->name != NULL; row++)
			names_add(&names, s->arena,
				arena_printf(s->arena, "%s.%s",
					s->stages[i].name, row->name));
	best = names.whole.best;
	if (names.same > 0)
		best = names.tail.best;
	if (best != NULL)
		return arena_printf(s->arena,
			"unknown variable \"%.*s\" (did you mean "
			"\"%.*s%s\"?)",
			SHOWN, word, names.same > 0 ? (int)group : 0, word,
			best);
	return arena_printf(s->arena,
		"unknown variable \"%.*s\" (there are: %s)", SHOWN, word,
		names_join(s->arena, &names));
}

static void
names_add(struct names *names, struct arena *a, const char *name)
{
	near_try(&names->whole, name);
	if (is_same(names, name)) {
		near_try(&names->tail, name + names->group);
		names->same++;
	}
	names->all = arena_grow(a, names->all, names->n, sizeof(*names->all));
	names->all[names->n++] = name;
}

static bool
is_same(const struct names *names, const char *name)
{
	return names->group > 0 &&
	       strncmp(name, names->whole.word, names->group) == 0;
}

static const char *
names_join(struct arena *a, const struct names *names)
{
	size_t size = 1, i;
	char *text;

	for (i = 0; i < names->n; i++)
		size += strlen(names->all[i]) + 2;
	text = arena_alloc(a, size);
	for (i = 0; i < names->n; i++) {
		if (names->same > 0 && !is_same(names, names->all[i]))
			continue;
		if (*text != '\0')
			strlcat(text, ", ", size);
		strlcat(text, names->all[i], size);
	}
	return text;
}
