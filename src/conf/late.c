/* late.c - options that can be compiled only when the whole chain is known. */
#include <string.h>

#include "conf/condition.h"
#include "conf/format.h"
#include "conf/late.h"

static enum weir_moment
use_since(const struct condition_use *use, const struct variable_scope *scope);
static const char *use_why(struct arena *a, const struct condition_use *use,
	const struct variable_scope *scope, unsigned stage);
static bool is_known(const struct variable *var, enum weir_moment moment,
	const struct variable_scope *scope, unsigned stage);
static const char *known_list(struct arena *a, enum weir_moment moment,
	const struct variable_scope *scope, unsigned stage);
static void late_error(struct option_loader *l, const struct option_late *late,
	const struct variable_fault *fault);

bool
late_is(enum weir_type type)
{
	return type == WEIR_T_FORMAT || type == WEIR_T_CONDITION;
}

const void *
late_new(struct arena *a, enum weir_type type, const char *text)
{
	struct weir_condition *k;
	struct weir_format *f;

	if (type == WEIR_T_FORMAT) {
		f = arena_alloc(a, sizeof(*f));
		f->text = text;
		return f;
	}
	k = arena_alloc(a, sizeof(*k));
	k->text = text;
	return k;
}

const char *
late_text(enum weir_type type, const void *object)
{
	if (type == WEIR_T_FORMAT)
		return ((const struct weir_format *)object)->text;
	return ((const struct weir_condition *)object)->text;
}

void
late_keep(struct option_loader *l, const struct weir_opt *row,
	const void *field, const struct place *place, const char *path)
{
	void *object = *(void *const *)field;

	if (object == NULL)
		return;
	l->late =
		arena_grow(l->diag->arena, l->late, l->nlate, sizeof(*l->late));
	l->late[l->nlate++] = (struct option_late){ row, object, *place, path };
}

int
late_compile(struct option_loader *l, const struct option_late *late,
	const struct variable_scope *scope)
{
	struct variable_fault fault = { 0, NULL };
	int err;

	if (late->row->type == WEIR_T_FORMAT)
		err = format_compile(late->object, scope, &fault);
	else
		err = condition_compile(late->object, scope, &fault);
	if (err == -1 && fault.why != NULL)
		late_error(l, late, &fault);
	return err;
}

void
late_when(struct option_loader *l, const struct option_late *late,
	const struct variable_scope *scope, struct conf_stage *stage)
{
	const struct weir_condition *k = late->object;
	struct variable_fault fault;
	enum weir_moment since;
	size_t i;

	stage->when = k;
	stage->when_since = WEIR_AT_OPEN;
	for (i = 0; i < k->n; i++) {
		since = use_since(&k->uses[i], scope);
		if (since > stage->when_since)
			stage->when_since = since;
		fault.column = k->uses[i].column;
		fault.why = use_why(l->diag->arena, &k->uses[i], scope,
			(unsigned)(stage - scope->stages));
		if (fault.why != NULL)
			late_error(l, late, &fault);
	}
}

/* That of its variable, or when it is known whether its middleware is there. */
static enum weir_moment
use_since(const struct condition_use *use, const struct variable_scope *scope)
{
	const struct variable *var = use->var;
	enum weir_moment when = WEIR_AT_OPEN;

	if (var->id == VARIABLE_COUNT)
		when = scope->stages[var->stage].when_since;
	return var->row->since > when ? var->row->since : when;
}

/* Why stage cannot be decided by that variable, or NULL. */
static const char *
use_why(struct arena *a, const struct condition_use *use,
	const struct variable_scope *scope, unsigned stage)
{
	enum weir_moment since = use_since(use, scope);
	const struct variable *var = use->var;
	size_t i = stage;

	if (since > WEIR_AT_ROUTE)
		return arena_printf(a,
			"\"%s\" is known only %s; whether a middleware takes "
			"part is decided before a backend is chosen",
			var->name, variable_known(since));
	if (var->id == VARIABLE_COUNT &&
		(var->stage == stage ||
			(var->stage > stage && since == WEIR_AT_OPEN)))
		return arena_printf(a,
			"\"%s\" is of %s, and not known yet when this is "
			"decided",
			var->name,
			var->stage == stage ? "this middleware itself"
					    : "a middleware behind this one");
	while (since == WEIR_AT_ROUTE && i < scope->n &&
		(scope->stages[i].mw->flags & WEIR_PREREAD) == 0)
		i++;
	if (since != WEIR_AT_ROUTE || i == scope->n)
		return NULL;
	return arena_printf(a,
		i == stage ? "\"%s\" is known only %s, but this middleware, "
			     "\"%s\", has to see them itself"
			   : "\"%s\" is known only %s, but \"%s\" behind "
			     "this middleware has to see them through it: "
			     "place this one behind it",
		var->name, variable_known(since), scope->stages[i].name);
}

void
late_moment(struct option_loader *l, const struct option_late *late,
	const struct variable_scope *scope, unsigned stage)
{
	const struct weir_format *f = late->object;
	enum weir_moment moment = scope->stages[stage].when_since;
	struct arena *a = l->diag->arena;
	struct variable_fault fault;
	size_t i;

	if (late->row->flags & WEIR_FOR_BYTES)
		moment = WEIR_AT_ROUTE;
	else if ((late->row->flags & WEIR_FOR_OPEN) == 0)
		return;
	for (i = 0; i < f->n; i++) {
		const struct variable *var = f->parts[i].var;

		if (var == NULL || f->parts[i].again ||
			is_known(var, moment, scope, stage))
			continue;
		fault.column =
			(size_t)(strstr(f->text,
					 arena_printf(a, "%%{%s}", var->name)) -
				 f->text) +
			1;
		fault.why = arena_printf(a,
			"\"%s\" is not known yet when this is wanted, so "
			"that it would be \"-\" for all; there are: %s",
			var->name, known_list(a, moment, scope, stage));
		late_error(l, late, &fault);
	}
}

/* What bytes tell reaches only those who come behind, unless they take part no
 * sooner than all is told. */
static bool
is_known(const struct variable *var, enum weir_moment moment,
	const struct variable_scope *scope, unsigned stage)
{
	struct condition_use use = { .var = var };
	enum weir_moment since = use_since(&use, scope);

	if (since > moment)
		return false;
	if (var->id != VARIABLE_COUNT || var->stage < stage)
		return true;
	if (var->stage == stage || moment == WEIR_AT_OPEN)
		return false;
	return since == WEIR_AT_OPEN ||
	       scope->stages[stage].when_since == WEIR_AT_ROUTE;
}

static const char *
known_list(struct arena *a, enum weir_moment moment,
	const struct variable_scope *scope, unsigned stage)
{
	const struct weir_variable *row;
	const char *all = "";
	unsigned i;

	for (row = variable_rows; row->name != NULL; row++)
		if (row->since <= moment)
			all = arena_printf(a, "%s%s%s", all,
				*all != '\0' ? ", " : "", row->name);
	for (i = 0; i < scope->n; i++)
		for (row = scope->stages[i].mw->variables;
			row != NULL && row->name != NULL; row++)
			if (is_known(&(struct variable){ .row = row,
					     .id = VARIABLE_COUNT,
					     .stage = i },
				    moment, scope, stage))
				all = arena_printf(a, "%s, %s.%s", all,
					scope->stages[i].name, row->name);
	return all;
}

static void
late_error(struct option_loader *l, const struct option_late *late,
	const struct variable_fault *fault)
{
	diag_error(l->diag, &late->place, late->path,
		"option \"%s\": column %zu: %s", late->row->key, fault->column,
		fault->why);
}
