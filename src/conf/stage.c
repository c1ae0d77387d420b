/* stage.c - the chain of a server from its list of middlewares. */
#include <string.h>

#include "base/near.h"
#include "conf/late.h"
#include "conf/stage.h"
#include "registry.h"

struct common {
	const char *type;
	const char *name;
	int64_t order;
	bool enabled;
	const struct weir_condition *when;
};

/* One entry as written. */
struct entry {
	const struct node *node;
	struct common common;
	struct conf_stage stage;
	struct conf_setting *settings;
	size_t nsettings;
	struct option_late *late;
	size_t nlate;
};

static const struct weir_opt rows[] = {
	WEIR_STRING("type", struct common, type, .flags = WEIR_OPTIONAL,
		.help = "Which middleware this is."),
	WEIR_STRING("name", struct common, name, .flags = WEIR_OPTIONAL,
		.help = "Its own name, else it has that of its type; an entry "
			"that gives a name takes the place of the first "
			"earlier one that has it."),
	WEIR_INT("order", struct common, order, .def = "50", .max = 100,
		.help = "Place in the chain: from low to high, as written "
			"among equals."),
	WEIR_BOOL("enabled", struct common, enabled, .def = "true",
		.help = "With false the entry is as if not written, and so is "
			"the first earlier one of its name; without a type "
			"there must be one."),
	WEIR_CONDITION("when", struct common, when, .flags = WEIR_OPTIONAL,
		.help = "Channels that this is true of have the middleware, "
			"others go on without it."),
	WEIR_OPT_END
};

const struct weir_rows stage_rows = {
	.opts = rows, .size = sizeof(struct common), .shorthand = "type"
};

static void entry_load(struct option_loader *l, const struct weir_opt *row,
	struct entry *entries, size_t i, const struct option_scope *scope);
static void entry_fill(struct option_loader *l, struct entry *e,
	const struct option_scope *scope);
static const char *entry_setting(struct arena *a, const struct entry *entries,
	size_t i, const char *base);
static const struct weir_middleware *
type_find(struct option_loader *l, const struct entry *e, const char *path);
static size_t chain_place(struct option_loader *l, struct entry **chain,
	size_t n, struct entry *e, const char *path);
static void chain_sort(struct entry **chain, size_t n);
static void chain_compile(struct option_loader *l, struct entry **chain,
	struct conf_stage *stages, size_t n, bool incomplete);

void
stage_load(struct option_loader *l, const struct weir_opt *row,
	const struct node *node, const struct option_scope *scope,
	struct weir_list *list)
{
	struct entry entries[CONF_STAGES_MAX] = { 0 };
	struct entry *chain[CONF_STAGES_MAX];
	struct conf_stage *stages;
	size_t n = 0, count = 0, i, j;
	bool incomplete = false;

	for (node = node->first; node != NULL && count < CONF_STAGES_MAX;
		node = node->next) {
		entries[count].node = node;
		entry_load(l, row, entries, count, scope);
		n = chain_place(l, chain, n, &entries[count],
			arena_printf(l->diag->arena, "%s.%s[%zu]", scope->path,
				row->key, count));
		incomplete |= entries[count].stage.mw == NULL &&
			      (entries[count].common.enabled ||
				      node->kind != NODE_GROUP);
		count++;
	}
	chain_sort(chain, n);
	stages = arena_alloc(l->arena, n * sizeof(*stages));
	*list = (struct weir_list){ .n = n, .v = stages };
	for (i = 0; i < n; i++) {
		stages[i] = chain[i]->stage;
		for (j = 0; j < chain[i]->nsettings; j++)
			option_setting(l, chain[i]->settings[j].path,
				chain[i]->settings[j].value,
				chain[i]->settings[j].def,
				&(struct place){
					.origin =
						chain[i]->settings[j].origin });
	}
	chain_compile(l, chain, stages, n, incomplete);
}

const struct weir_opt *
stage_type_rows(const struct node *entry)
{
	const struct node *type = node_member(entry, "type");
	const struct weir_middleware *mw = NULL;

	if (type != NULL && type->kind == NODE_STRING)
		mw = registry_find(type->text);
	return mw != NULL ? mw->opts : NULL;
}

bool
stage_is_name(const char *name)
{
	return *name != '\0' && name[strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
						  "abcdefghijklmnopqrstuvwxyz"
						  "0123456789_.-")] == '\0';
}

/* Settings of the entry are kept apart until the chain is known. */
static void
entry_load(struct option_loader *l, const struct weir_opt *row,
	struct entry *entries, size_t i, const struct option_scope *scope)
{
	struct entry *e = &entries[i];
	struct option_loader own = *l;
	const struct node *type = NULL;
	const char *base =
		arena_printf(l->arena, "%s.%s", scope->setting, row->key);
	struct option_scope sub = { .group = e->node };

	sub.path = arena_printf(l->diag->arena, "%s[%zu]", base, i);
	sub.setting = entry_setting(l->arena, entries, i, base);
	if (e->node->kind == NODE_VOID)
		return;
	if (e->node->kind != NODE_GROUP) {
		diag_error(l->diag, &e->node->place, sub.path,
			"wants a group { ... } or the name of a middleware, "
			"not %s",
			node_kind_word(e->node->kind));
		return;
	}
	type = node_member(e->node, "type");
	if (type != NULL && type->kind == NODE_STRING)
		sub.path = arena_printf(
			l->diag->arena, "%s (%.64s)", sub.path, type->text);
	own.settings = NULL;
	own.nsettings = 0;
	own.late = NULL;
	own.nlate = 0;
	entry_fill(&own, e, &sub);
	e->settings = own.settings;
	e->nsettings = own.nsettings;
	e->late = own.late;
	e->nlate = own.nlate;
}

static void
entry_fill(struct option_loader *l, struct entry *e,
	const struct option_scope *scope)
{
	unsigned before = l->diag->errors;
	const struct weir_middleware *mw;
	void *conf;

	option_load(l, rows, scope, &e->common);
	if (l->diag->errors != before)
		e->common.enabled = true; /* check the rest of it too */
	if (e->common.name != NULL && !stage_is_name(e->common.name))
		diag_error(l->diag, &node_member(e->node, "name")->place,
			scope->path,
			"option \"name\" = \"%.64s\": a name is made of "
			"letters, digits, \"_\", \".\" and \"-\"",
			e->common.name);
	mw = type_find(l, e, scope->path);
	if (mw == NULL)
		return;
	option_unknown(l, rows, mw->opts, scope);
	if (!e->common.enabled)
		return;
	conf = arena_alloc(l->arena, mw->conf_size);
	option_load(l, mw->opts, scope, conf);
	if (l->diag->errors == before && mw->check != NULL &&
		!node_has_void(e->node)) {
		l->diag->place = &e->node->place;
		l->diag->path = scope->path;
		if (mw->check(conf, l->diag) != 0 && l->diag->errors == before)
			weir_error(l->diag, "its options do not fit together");
	}
	e->stage = (struct conf_stage){ .mw = mw,
		.name = e->common.name != NULL ? e->common.name : mw->name,
		.conf = conf,
		.order = e->common.order };
}

/* By name when the name is its own, else by where it stands. */
static const char *
entry_setting(struct arena *a, const struct entry *entries, size_t i,
	const char *base)
{
	const struct node *node = entries[i].node, *name = NULL;
	size_t j;

	if (node->kind == NODE_GROUP &&
		(name = node_member(node, "name")) == NULL) {
		name = node_member(node, "type");
		for (j = 0; name != NULL && name->text != NULL && j < i; j++)
			if (entries[j].stage.name != NULL &&
				strcmp(entries[j].stage.name, name->text) == 0)
				name = NULL;
	}
	if (name == NULL || name->text == NULL)
		return arena_printf(a, "%s[%zu]", base, i);
	return arena_printf(a, "%s.%s", base, name->text);
}

static const struct weir_middleware *
type_find(struct option_loader *l, const struct entry *e, const char *path)
{
	const char *type = e->common.type, *all = "";
	const struct weir_middleware *const *mw, *found;
	struct near near = { .word = type };
	struct arena *a = l->diag->arena;

	if (type == NULL) {
		if (e->common.enabled && node_member(e->node, "type") == NULL)
			diag_error(l->diag, &e->node->place, path,
				"option \"type\" is missing: %s", rows[0].help);
		return NULL;
	}
	found = registry_find(type);
	if (found != NULL)
		return found;
	if (registry_left_out(type)) {
		diag_error(l->diag, &node_member(e->node, "type")->place, path,
			"middleware \"%.64s\" is not built in here: this weir "
			"was configured without it",
			type);
		return NULL;
	}
	for (mw = registry_middlewares; *mw != NULL; mw++) {
		near_try(&near, (*mw)->name);
		all = arena_printf(a, "%s%s%s", all, *all != '\0' ? ", " : "",
			(*mw)->name);
	}
	diag_error(l->diag, &node_member(e->node, "type")->place, path,
		near.best != NULL
			? "unknown middleware \"%.64s\" (did you mean "
			  "\"%s\"?)"
			: "unknown middleware \"%.64s\" (there are: %s)",
		type, near.best != NULL ? near.best : all);
	return NULL;
}

/* Puts e where it belongs among the n entries so far; how many there are. */
static size_t
chain_place(struct option_loader *l, struct entry **chain, size_t n,
	struct entry *e, const char *path)
{
	const char *name = e->common.name;
	size_t i = n;

	/* One that adds is another of its type; one that takes away is not. */
	if (name == NULL && !e->common.enabled)
		name = e->common.type;
	for (i = 0; i < n; i++)
		if (name != NULL && strcmp(chain[i]->stage.name, name) == 0)
			break;
	if (e->common.enabled) {
		if (e->stage.mw == NULL)
			return n;
		chain[i] = e;
		return i == n ? n + 1 : n;
	}
	if (i < n) {
		memmove(chain + i, chain + i + 1, (n - i - 1) * sizeof(*chain));
		return n - 1;
	}
	if (name != NULL && e->common.type == NULL)
		diag_error(l->diag, &e->node->place, path,
			"there is no earlier middleware of the name \"%.64s\" "
			"to remove",
			name);
	return n;
}

/* Insertion keeps the order of equals. */
static void
chain_sort(struct entry **chain, size_t n)
{
	struct entry *e;
	size_t i, j;

	for (i = 1; i < n; i++) {
		e = chain[i];
		for (j = i; j > 0 && chain[j - 1]->stage.order > e->stage.order;
			j--)
			chain[j] = chain[j - 1];
		chain[j] = e;
	}
}

/* In order of the chain, as a condition may ask for what an earlier one has. */
static void
chain_compile(struct option_loader *l, struct entry **chain,
	struct conf_stage *stages, size_t n, bool incomplete)
{
	struct variable_scope scope = { l->arena, stages, n, incomplete };
	const struct option_late *late;
	size_t i, j;

	for (i = 0; i < n; i++)
		for (j = 0; j < chain[i]->nlate; j++) {
			late = &chain[i]->late[j];
			if (late_compile(l, late, &scope) == 0 &&
				late->object == chain[i]->common.when)
				late_when(l, late, &scope, &stages[i]);
		}
}
