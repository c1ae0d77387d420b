/* option.c - option rows filled from a tree of values. */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/near.h"
#include "conf/core.h"
#include "conf/late.h"
#include "conf/option.h"
#include "conf/extension.h"
#include "conf/stage.h"
#include "conf/value.h"

#define SHOWN 64 /* bytes of a wrong value that are shown */

static void row_load(struct option_loader *l, const struct weir_opt *row,
	const struct option_scope *scope, void *conf);
static struct node *row_default(struct option_loader *l,
	const struct weir_opt *row, const struct option_scope *scope);
static void value_load(struct option_loader *l, const struct weir_opt *row,
	const struct node *node, const struct option_scope *scope, void *field);
static bool scalar_load(struct option_loader *l, const struct weir_opt *row,
	const struct node *node, const struct option_scope *scope, void *field);
static bool list_load(struct option_loader *l, const struct weir_opt *row,
	const struct node *node, const struct option_scope *scope,
	struct weir_list *list);
static bool count_check(struct option_loader *l, const struct weir_opt *row,
	const struct node *node, const struct option_scope *scope, size_t n);
static void groups_load(struct option_loader *l, const struct weir_opt *row,
	struct node *node, const struct option_scope *scope,
	struct weir_list *list);
static bool is_address(const struct weir_rows *rows);
static const char *list_text(struct arena *a, const struct weir_opt *row,
	const struct weir_list *list);
static const char *
home_of(struct arena *a, const struct weir_opt *rows, const char *key);
static const char *
path_join(struct arena *a, const char *path, const char *key);

void
option_load(struct option_loader *l, const struct weir_opt *rows,
	const struct option_scope *scope, void *conf)
{
	const struct weir_opt *row;

	for (row = rows; row != NULL && row->key != NULL; row++)
		row_load(l, row, scope, conf);
}

void
option_unknown(struct option_loader *l, const struct weir_opt *rows,
	const struct weir_opt *more, const struct option_scope *scope)
{
	const struct node *n;

	for (n = scope->group->first; n != NULL; n = n->next) {
		if (option_find(rows, n->name, strlen(n->name)) != NULL ||
			option_find(more, n->name, strlen(n->name)) != NULL)
			continue;
		diag_error(l->diag, &n->place, scope->path,
			"unknown option \"%.*s\"%s", SHOWN, n->name,
			option_hint(l->diag->arena, rows, more, n->name));
	}
}

const struct weir_opt *
option_find(const struct weir_opt *rows, const char *key, size_t n)
{
	for (; rows != NULL && rows->key != NULL; rows++)
		if (strlen(rows->key) == n && memcmp(rows->key, key, n) == 0)
			return rows;
	return NULL;
}

const char *
option_hint(struct arena *a, const struct weir_opt *rows,
	const struct weir_opt *more, const char *key)
{
	const struct weir_opt *tables[] = { rows, more }, *row;
	const char *home = home_of(a, core_rows, key), *keys = "";
	struct near near = { .word = key };
	size_t i;

	for (i = 0; i < 2; i++)
		for (row = tables[i]; row != NULL && row->key != NULL; row++) {
			near_try(&near, row->key);
			keys = arena_printf(a, "%s%s%s", keys,
				*keys != '\0' ? ", " : "", row->key);
		}
	if (home != NULL)
		return arena_printf(a, " (it belongs in %s)", home);
	if (near.best != NULL)
		return arena_printf(a, " (did you mean \"%s\"?)", near.best);
	return arena_printf(a, " (there are: %s)", keys);
}

void
option_entries(struct arena *a, const struct weir_opt *row, struct node *node)
{
	const char *key = row->rows->shorthand;
	struct node *entry, **at, *group;

	if (node->kind != NODE_LIST) {
		entry = arena_alloc(a, sizeof(*entry));
		*entry = *node;
		entry->name = NULL;
		entry->next = NULL;
		node->kind = NODE_LIST;
		node->first = entry;
	}
	for (at = &node->first; *at != NULL; at = &(*at)->next) {
		/* A port alone is told apart from an address there. */
		if (key == NULL || ((*at)->kind != NODE_STRING &&
					   ((*at)->kind != NODE_INT ||
						   !is_address(row->rows))))
			continue;
		group = node_new(a, NODE_GROUP, NULL, NULL, (*at)->place);
		group->first = *at;
		group->next = (*at)->next;
		group->first->name = key;
		group->first->next = NULL;
		*at = group;
	}
}

bool
option_is_list(enum weir_type type)
{
	return type == WEIR_T_STRINGS || type == WEIR_T_ADDRS ||
	       type == WEIR_T_CIDRS;
}

bool
option_is_groups(enum weir_type type)
{
	return type == WEIR_T_GROUPS || type == WEIR_T_MODULES;
}

void
option_setting(struct option_loader *l, const char *path, const char *value,
	const char *def, const struct place *place)
{
	const char *origin = place->origin;

	if (origin == NULL)
		origin = diag_place(l->diag, place);
	l->settings = arena_grow(
		l->arena, l->settings, l->nsettings, sizeof(*l->settings));
	l->settings[l->nsettings++] = (struct conf_setting){ .path = path,
		.value = value,
		.def = def != NULL ? def : "",
		.origin = arena_strdup(l->arena, origin) };
}

static void
row_load(struct option_loader *l, const struct weir_opt *row,
	const struct option_scope *scope, void *conf)
{
	struct node *node = node_member(scope->group, row->key);
	void *field = (char *)conf + row->off;

	if (row->flags & WEIR_NOT_BUILT) {
		if (node != NULL &&
			!(row->type == WEIR_T_BOOL && node->kind == NODE_BOOL &&
				strcmp(node->text, "false") == 0))
			diag_error(l->diag, &node->place, scope->path,
				"option \"%s\" is not built in yet", row->key);
		else if (row->def != NULL)
			scalar_load(l, row, row_default(l, row, scope), scope,
				field);
		return;
	}
	if (node == NULL)
		node = row_default(l, row, scope);
	if (node == NULL && (row->flags & WEIR_OPTIONAL) == 0) {
		diag_error(l->diag, &scope->group->place, scope->path,
			"option \"%s\" is missing: %s", row->key, row->help);
		return;
	}
	if (!option_is_groups(row->type))
		value_load(l, row, node, scope, field);
	else if (node != NULL)
		groups_load(l, row, node, scope, field);
}

/* What an absent option is read from: its default, as if it were written. */
static struct node *
row_default(struct option_loader *l, const struct weir_opt *row,
	const struct option_scope *scope)
{
	struct arena *a = l->diag->arena;
	struct place place = scope->group->place;
	struct node *node;

	place.origin = "default";
	if (row->type == WEIR_T_GROUP)
		return node_new(a, NODE_GROUP, row->key, NULL, place);
	if (row->def == NULL)
		return NULL;
	if (option_is_list(row->type) || option_is_groups(row->type))
		return node_split(a, row->key, row->def, place);
	node = node_new(a, NODE_STRING, row->key, row->def, place);
	return node;
}

/* A scalar, a list of scalars or one group; node NULL: none was given. */
static void
value_load(struct option_loader *l, const struct weir_opt *row,
	const struct node *node, const struct option_scope *scope, void *field)
{
	struct place unset = { .origin = "default" };
	const char *path = path_join(l->arena, scope->setting, row->key);
	const char *text = NULL;

	if (row->type == WEIR_T_GROUP) {
		struct option_scope sub = { node,
			path_join(l->diag->arena, scope->path, row->key),
			path };

		if (node->kind == NODE_VOID)
			return;
		if (node->kind != NODE_GROUP) {
			diag_error(l->diag, &node->place, scope->path,
				"option \"%s\" wants a group { ... }, not %s",
				row->key, node_kind_word(node->kind));
			return;
		}
		option_unknown(l, row->rows->opts, NULL, &sub);
		option_load(l, row->rows->opts, &sub, field);
		return;
	}
	if (node == NULL)
		text = row->flags & WEIR_OFF ? "off" : "";
	else if (option_is_list(row->type)) {
		if (list_load(l, row, node, scope, field))
			text = list_text(l->arena, row, field);
	} else if (scalar_load(l, row, node, scope, field))
		text = value_text(l->arena, row, field);
	if (text != NULL)
		option_setting(l, path, text, row->def,
			node != NULL ? &node->place : &unset);
}

static bool
scalar_load(struct option_loader *l, const struct weir_opt *row,
	const struct node *node, const struct option_scope *scope, void *field)
{
	enum weir_type type = value_type(row);
	bool bare = (row->flags & WEIR_BARE) != 0;
	bool number = type == WEIR_T_INT || type == WEIR_T_SIZE ||
		      type == WEIR_T_TIME || type == WEIR_T_ADDR || bare;
	const char *text = node->text, *why = NULL;

	if (node->kind == NODE_VOID)
		return false;
	if (!(node->kind == NODE_STRING || (node->kind == NODE_INT && number) ||
		    (node->kind == NODE_BOOL &&
			    (type == WEIR_T_BOOL || bare)))) {
		diag_error(l->diag, &node->place, scope->path,
			"option \"%s\" wants %s, not %s", row->key,
			value_wanted(l->diag->arena, row),
			node_kind_word(node->kind));
		return false;
	}
	text = arena_strdup(l->arena, text);
	why = value_set(l->arena, row, text, field);
	if (why != NULL)
		diag_error(l->diag, &node->place, scope->path,
			"option \"%s\" = \"%.*s\": %s", row->key, SHOWN, text,
			why);
	else if (late_is(type))
		late_keep(l, row, field, &node->place, scope->path);
	return why == NULL;
}

static bool
list_load(struct option_loader *l, const struct weir_opt *row,
	const struct node *node, const struct option_scope *scope,
	struct weir_list *list)
{
	size_t size = value_size(row->type), n = 0;
	const struct node *e, *first = node;
	unsigned before = l->diag->errors;
	char *items;

	if (node->kind == NODE_LIST)
		first = node->first;
	for (e = first; e != NULL; e = node->kind == NODE_LIST ? e->next : NULL)
		n++;
	if (!count_check(l, row, node, scope, n))
		return false;
	items = arena_alloc(l->arena, n * size);
	*list = (struct weir_list){ .n = n, .v = items };
	for (e = first; n > 0; e = e->next, n--, items += size)
		scalar_load(l, row, e, scope, items);
	return l->diag->errors == before;
}

/* The range of a list is how many entries it may have. */
static bool
count_check(struct option_loader *l, const struct weir_opt *row,
	const struct node *node, const struct option_scope *scope, size_t n)
{
	bool optional = (row->flags & WEIR_OPTIONAL) != 0;
	size_t most = row->max != 0 ? (size_t)row->max : SIZE_MAX;

	if (n == 0 && !optional) {
		diag_error(l->diag, &node->place, scope->path,
			"option \"%s\" is empty: %s", row->key, row->help);
		return false;
	}
	if (n > most || n < (size_t)row->min) {
		diag_error(l->diag, &node->place, scope->path,
			"option \"%s\" has %zu entries, out of range "
			"%lld..%lld",
			row->key, n, (long long)row->min, (long long)row->max);
		return false;
	}
	return true;
}

static void
groups_load(struct option_loader *l, const struct weir_opt *row,
	struct node *node, const struct option_scope *scope,
	struct weir_list *list)
{
	struct arena *a = l->diag->arena;
	const struct node *e, *name;
	size_t n = 0, i;

	option_entries(a, row, node);
	for (e = node->first; e != NULL; e = e->next)
		n++;
	if (!count_check(l, row, node, scope, n))
		return;
	if (row->type == WEIR_T_MODULES && row->rows == &extension_rows) {
		extension_load(l, row, node, scope, list);
		return;
	}
	if (row->type == WEIR_T_MODULES) {
		stage_load(l, row, node, scope, list);
		return;
	}
	*list = (struct weir_list){ .n = n,
		.v = arena_alloc(l->arena, n * row->rows->size) };
	for (e = node->first, i = 0; e != NULL; e = e->next, i++) {
		const char *key =
			arena_printf(l->arena, "%s[%zu]", row->key, i);
		struct option_scope sub = { .group = e };

		name = e->kind == NODE_GROUP ? node_member(e, "name") : NULL;
		if (name != NULL && name->kind == NODE_STRING)
			key = arena_printf(
				l->arena, "%s.%s", row->key, name->text);
		sub.path = sub.setting =
			path_join(l->arena, scope->setting, key);
		if (e->kind == NODE_VOID)
			continue;
		if (e->kind != NODE_GROUP) {
			diag_error(l->diag, &e->place, sub.path,
				"wants a group { ... }%s, not %s",
				row->rows->shorthand != NULL ? " or a string"
							     : "",
				node_kind_word(e->kind));
			continue;
		}
		option_unknown(l, row->rows->opts, NULL, &sub);
		option_load(l, row->rows->opts, &sub,
			(char *)list->v + i * row->rows->size);
	}
}

/* Does a bare value stand for an address? */
static bool
is_address(const struct weir_rows *rows)
{
	const char *key = rows->shorthand;

	return option_find(rows->opts, key, strlen(key))->type == WEIR_T_ADDR;
}

static const char *
list_text(struct arena *a, const struct weir_opt *row,
	const struct weir_list *list)
{
	size_t size = value_size(row->type), i, len = 0;
	char *buf = NULL, *text;
	FILE *f = open_memstream(&buf, &len);

	if (f == NULL)
		err(1, "reading the configuration");
	for (i = 0; i < list->n; i++)
		fprintf(f, "%s%s", i > 0 ? "," : "",
			value_text(a, row, (const char *)list->v + i * size));
	if (fclose(f) != 0)
		err(1, "reading the configuration");
	text = arena_strdup(a, buf);
	free(buf);
	return text;
}

/* The group of the core that has an option of that key: "servers". */
static const char *
home_of(struct arena *a, const struct weir_opt *rows, const char *key)
{
	const char *sub;

	for (; rows->key != NULL; rows++) {
		if (rows->rows == NULL)
			continue;
		if (option_find(rows->rows->opts, key, strlen(key)) != NULL)
			return rows->key;
		sub = home_of(a, rows->rows->opts, key);
		if (sub != NULL)
			return path_join(a, rows->key, sub);
	}
	return NULL;
}

static const char *
path_join(struct arena *a, const char *path, const char *key)
{
	return *path == '\0' ? key : arena_printf(a, "%s.%s", path, key);
}
