/* entry.c - a list of modules in a configuration. */
#include <string.h>

#include "base/near.h"
#include "conf/entry.h"
#include "conf/node.h"
#include "registry.h"

static void entry_load(struct option_loader *l, const struct entry_kind *kind,
	const char *key, struct conf_entry *entries, size_t i,
	const struct option_scope *scope);
static void entry_fill(struct option_loader *l, const struct entry_kind *kind,
	struct conf_entry *e, const struct option_scope *scope);
static const char *entry_setting(struct arena *a,
	const struct conf_entry *entries, size_t i, const char *base);
static struct entry_type
type_of(const struct entry_kind *kind, const char *name);
static bool type_find(struct option_loader *l, const struct entry_kind *kind,
	struct conf_entry *e, const char *path);
static void names_check(struct option_loader *l, const struct conf_entry *e,
	const struct option_scope *scope);
static size_t chain_place(struct option_loader *l,
	const struct entry_kind *kind, struct conf_entry **chain, size_t n,
	struct conf_entry *e, const char *path);
static void chain_sort(struct conf_entry **chain, size_t n);

void
entries_load(struct option_loader *l, const struct entry_kind *kind,
	const struct weir_opt *row, const struct node *node,
	const struct option_scope *scope, struct entries *es)
{
	size_t most = (size_t)row->max, count = 0, i, j;
	struct conf_entry *e;

	*es = (struct entries){
		.all = arena_alloc(l->diag->arena, most * sizeof(*es->all)),
		.chain = arena_alloc(l->diag->arena, most * sizeof(*es->chain))
	};
	for (node = node->first; node != NULL && count < most;
		node = node->next, count++) {
		e = &es->all[count];
		e->node = node;
		entry_load(l, kind, row->key, es->all, count, scope);
		es->n = chain_place(l, kind, es->chain, es->n, e,
			arena_printf(l->diag->arena, "%s%s%s[%zu]", scope->path,
				*scope->path != '\0' ? "." : "", row->key,
				count));
		es->incomplete |=
			e->type.module == NULL &&
			(e->common.enabled || node->kind != NODE_GROUP);
	}
	chain_sort(es->chain, es->n);
	for (i = 0; i < es->n; i++)
		for (j = 0; j < es->chain[i]->nsettings; j++)
			option_setting(l, es->chain[i]->settings[j].path,
				es->chain[i]->settings[j].value,
				es->chain[i]->settings[j].def,
				&(struct place){ .origin = es->chain[i]
								   ->settings[j]
								   .origin });
}

const struct weir_opt *
entry_type_rows(const struct entry_kind *kind, const struct node *entry)
{
	const struct node *type = node_member(entry, "type");

	if (type == NULL || type->kind != NODE_STRING)
		return NULL;
	return type_of(kind, type->text).opts;
}

bool
entry_is_name(const char *name)
{
	return *name != '\0' && name[strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
						  "abcdefghijklmnopqrstuvwxyz"
						  "0123456789_.-")] == '\0';
}

/* Settings of the entry are kept apart until the chain is known. */
static void
entry_load(struct option_loader *l, const struct entry_kind *kind,
	const char *key, struct conf_entry *entries, size_t i,
	const struct option_scope *scope)
{
	struct conf_entry *e = &entries[i];
	struct option_loader own = *l;
	const struct node *type = NULL;
	unsigned before = l->diag->errors;
	const char *base = arena_printf(l->arena, "%s%s%s", scope->setting,
		*scope->setting != '\0' ? "." : "", key);
	struct option_scope sub = { .group = e->node };

	sub.path = arena_printf(l->diag->arena, "%s[%zu]", base, i);
	sub.setting = entry_setting(l->arena, entries, i, base);
	if (e->node->kind == NODE_VOID)
		return;
	if (e->node->kind != NODE_GROUP) {
		diag_error(l->diag, &e->node->place, sub.path,
			"wants a group { ... } or the name of %s, not "
			"%s",
			kind->one, node_kind_word(e->node->kind));
		return;
	}
	type = node_member(e->node, "type");
	if (type != NULL && type->kind == NODE_STRING)
		sub.path = arena_printf(
			l->diag->arena, "%s (%.64s)", sub.path, type->text);
	e->path = sub.path;
	own.settings = NULL;
	own.nsettings = 0;
	own.late = NULL;
	own.nlate = 0;
	entry_fill(&own, kind, e, &sub);
	e->settings = own.settings;
	e->nsettings = own.nsettings;
	e->late = own.late;
	e->nlate = own.nlate;
	e->failed = l->diag->errors != before;
}

static void
entry_fill(struct option_loader *l, const struct entry_kind *kind,
	struct conf_entry *e, const struct option_scope *scope)
{
	unsigned before = l->diag->errors;
	void *conf;

	option_load(l, kind->rows, scope, &e->common);
	if (l->diag->errors != before)
		e->common.enabled = true; /* check the rest of it too */
	if (e->common.name != NULL && !entry_is_name(e->common.name))
		diag_error(l->diag, &node_member(e->node, "name")->place,
			scope->path,
			"option \"name\" = \"%.64s\": a name is made of "
			"letters, digits, \"_\", \".\" and \"-\"",
			e->common.name);
	if (!type_find(l, kind, e, scope->path))
		return;
	option_unknown(l, kind->rows, e->type.opts, scope);
	if (!e->common.enabled) {
		e->type.module = NULL;
		return;
	}
	conf = arena_alloc(l->arena, e->type.conf_size);
	option_load(l, e->type.opts, scope, conf);
	if (l->diag->errors == before && e->type.check != NULL &&
		!node_has_void(e->node)) {
		l->diag->place = &e->node->place;
		l->diag->path = scope->path;
		if (e->type.check(conf, l->diag) != 0 &&
			l->diag->errors == before)
			weir_error(l->diag, "its options do not fit together");
	}
	e->name = e->common.name != NULL ? e->common.name : e->type.name;
	e->conf = conf;
	names_check(l, e, scope);
}

/* Names of extensions that its options have. */
static void
names_check(struct option_loader *l, const struct conf_entry *e,
	const struct option_scope *scope)
{
	const struct weir_opt *row;
	const struct conf_extension *ext;
	const struct node *node;
	const char *name;
	size_t i;

	for (row = e->type.opts; row != NULL && row->key != NULL; row++) {
		if (!(row->flags & WEIR_NAMES_EXTENSION) ||
			l->extensions == NULL)
			continue;
		name = *(const char *const *)((const char *)e->conf + row->off);
		ext = l->extensions->v;
		for (i = 0; name != NULL && i < l->extensions->n; i++)
			if (strcmp(ext[i].name, name) == 0)
				break;
		if (name == NULL ||
			(i < l->extensions->n &&
				(row->choices == NULL ||
					strcmp(ext[i].type->name,
						row->choices[0]) == 0)))
			continue;
		node = node_member(e->node, row->key);
		diag_error(l->diag,
			node != NULL ? &node->place : &e->node->place,
			scope->path,
			i < l->extensions->n
				? "option \"%s\" = \"%.64s\": that extension "
				  "is of another type than %s"
				: "option \"%s\" = \"%.64s\": there is no "
				  "extension of that name: extensions = ( { "
				  "type = "
				  "\"%s\"; ... } )",
			row->key, name,
			row->choices != NULL ? row->choices[0] : name);
	}
}

/* By name when the name is its own, else by where it stands. */
static const char *
entry_setting(struct arena *a, const struct conf_entry *entries, size_t i,
	const char *base)
{
	const struct node *node = entries[i].node, *name = NULL;
	size_t j;

	if (node->kind == NODE_GROUP &&
		(name = node_member(node, "name")) == NULL) {
		name = node_member(node, "type");
		for (j = 0; name != NULL && name->text != NULL && j < i; j++)
			if (entries[j].name != NULL &&
				strcmp(entries[j].name, name->text) == 0)
				name = NULL;
	}
	if (name == NULL || name->text == NULL)
		return arena_printf(a, "%s[%zu]", base, i);
	return arena_printf(a, "%s.%s", base, name->text);
}

static struct entry_type
type_of(const struct entry_kind *kind, const char *name)
{
	struct entry_type type;
	size_t i;

	for (i = 0; (type = kind->type(i)).module != NULL; i++)
		if (strcmp(type.name, name) == 0)
			break;
	return type;
}

static bool
type_find(struct option_loader *l, const struct entry_kind *kind,
	struct conf_entry *e, const char *path)
{
	const char *name = e->common.type, *all = "";
	struct near near = { .word = name };
	struct arena *a = l->diag->arena;
	struct entry_type type;
	size_t i;

	if (name == NULL) {
		if (e->common.enabled && node_member(e->node, "type") == NULL)
			diag_error(l->diag, &e->node->place, path,
				"option \"type\" is missing: %s",
				kind->rows[0].help);
		return false;
	}
	e->type = type_of(kind, name);
	if (e->type.module != NULL)
		return true;
	if (registry_left_out(name)) {
		diag_error(l->diag, &node_member(e->node, "type")->place, path,
			"%s \"%.64s\" is not built in here: this weir was "
			"configured without it",
			kind->word, name);
		return false;
	}
	for (i = 0; (type = kind->type(i)).module != NULL; i++) {
		near_try(&near, type.name);
		all = arena_printf(
			a, "%s%s%s", all, *all != '\0' ? ", " : "", type.name);
	}
	diag_error(l->diag, &node_member(e->node, "type")->place, path,
		near.best != NULL
			? "unknown %s \"%.64s\" (did you mean \"%s\"?)"
		: *all == '\0' ? "unknown %s \"%.64s\" (this weir has none)"
			       : "unknown %s \"%.64s\" (there are: %s)",
		kind->word, name, near.best != NULL ? near.best : all);
	return false;
}

/* Puts e where it belongs among the n entries so far; how many there are. */
static size_t
chain_place(struct option_loader *l, const struct entry_kind *kind,
	struct conf_entry **chain, size_t n, struct conf_entry *e,
	const char *path)
{
	const char *name = e->common.name;
	size_t i = n;

	/* One that adds is another of its type; one that takes away is not. */
	if (name == NULL && !e->common.enabled)
		name = e->common.type;
	for (i = 0; i < n; i++)
		if (name != NULL && strcmp(chain[i]->name, name) == 0)
			break;
	if (e->common.enabled) {
		if (e->type.module == NULL)
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
			"there is no earlier %s of the name \"%.64s\" to "
			"remove",
			kind->word, name);
	return n;
}

/* Insertion keeps the order of equals. */
static void
chain_sort(struct conf_entry **chain, size_t n)
{
	struct conf_entry *e;
	size_t i, j;

	for (i = 1; i < n; i++) {
		e = chain[i];
		for (j = i;
			j > 0 && chain[j - 1]->common.order > e->common.order;
			j--)
			chain[j] = chain[j - 1];
		chain[j] = e;
	}
}
