/* override.c - what environment and command line change in a file's tree. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/near.h"
#include "conf/core.h"
#include "conf/override.h"
#include "conf/entry.h"
#include "conf/extension.h"
#include "conf/stage.h"

#define PREFIX "WEIR_"
#define TESTED "WEIR_TEST_" /* read by the processes */

/* Read by weirctl. */
static const char *const others[] = { PREFIX "API", PREFIX "TOKEN" };

/* One -o on its way down the tree. */
struct override {
	struct weir_diag *d;
	const char *value;
	struct place place;
};

static void variable_apply(
	struct node *servers, const char *text, struct weir_diag *d, FILE *err);
static const char *variable_of(struct arena *a, const char *key);
static void
option_apply(struct node *root, const char *text, struct weir_diag *d);
static void group_apply(const struct override *o, struct node *group,
	const struct weir_opt *rows, const struct weir_opt *more,
	const char *rest);
static void value_apply(const struct override *o, struct node *group,
	const struct weir_opt *row);
static void entry_apply(const struct override *o, struct node *group,
	const struct weir_opt *row, const char *rest);
static struct node *entry_find(const struct override *o, struct node *list,
	const struct weir_opt *row, const char **rest);
static struct node *entry_at(const struct override *o, struct node *list,
	const struct weir_opt *row, const char **rest);
static const char *entry_name(const struct node *entry, bool *own);
static bool is_scalar(const struct weir_opt *row);

void
override_apply(struct node *root, const struct conf_overrides *over,
	struct weir_diag *d, FILE *err)
{
	struct node *servers = node_member(root, "servers");
	char *const *e;
	size_t i;

	if (over == NULL)
		return;
	for (e = over->environ; e != NULL && *e != NULL; e++)
		if (strncmp(*e, PREFIX, sizeof(PREFIX) - 1) == 0)
			variable_apply(servers, *e, d, err);
	for (i = 0; over->options != NULL && over->options[i] != NULL; i++)
		option_apply(root, over->options[i], d);
}

static void
variable_apply(
	struct node *servers, const char *text, struct weir_diag *d, FILE *err)
{
	size_t n = strcspn(text, "=");
	const char *name = arena_strndup(d->arena, text, n);
	struct place place = { .origin = "environment", .where = name };
	struct near near = { .word = name + sizeof(PREFIX) - 1 };
	const struct weir_opt *row;
	struct node *s, *value;

	if (strncmp(name, TESTED, sizeof(TESTED) - 1) == 0 ||
		strcmp(name, others[0]) == 0 || strcmp(name, others[1]) == 0)
		return;
	for (row = core_server_rows.opts; row->key != NULL; row++) {
		/* One name for every server would be no name. */
		if (!is_scalar(row) || strcmp(row->key, "name") == 0)
			continue;
		if (strcmp(variable_of(d->arena, row->key), name) == 0)
			break;
		near_try(&near,
			variable_of(d->arena, row->key) + sizeof(PREFIX) - 1);
	}
	if (row->key == NULL) {
		fprintf(err, "warning: %s is no option of weir", name);
		if (near.best != NULL)
			fprintf(err, " (did you mean " PREFIX "%s?)",
				near.best);
		fputc('\n', err);
		return;
	}
	for (s = servers != NULL ? servers->first : NULL; s != NULL;
		s = s->next) {
		if (s->kind != NODE_GROUP)
			continue;
		value = node_new(d->arena, NODE_STRING, row->key,
			text + n + (text[n] == '='), place);
		node_set(s, value);
	}
}

/* "WEIR_IDLE_TIMEOUT" of "idle_timeout". */
static const char *
variable_of(struct arena *a, const char *key)
{
	char *name = arena_printf(a, PREFIX "%s", key), *p;

	for (p = name; *p != '\0'; p++)
		*p = (char)toupper((unsigned char)*p);
	return name;
}

static void
option_apply(struct node *root, const char *text, struct weir_diag *d)
{
	const char *equals = strchr(text, '=');
	struct override o = { .d = d };

	o.place.origin = "-o";
	o.place.where = arena_printf(d->arena, "-o %s", text);
	if (equals == NULL || equals == text) {
		diag_error(d, &o.place, NULL,
			"wants PATH=VALUE, such as "
			"servers.pg.idle_timeout=30s");
		return;
	}
	o.value = equals + 1;
	group_apply(&o, root, core_rows, NULL,
		arena_strndup(d->arena, text, (size_t)(equals - text)));
}

/* rest is a path from group on. */
static void
group_apply(const struct override *o, struct node *group,
	const struct weir_opt *rows, const struct weir_opt *more,
	const char *rest)
{
	size_t n = strcspn(rest, ".[");
	const struct weir_opt *row = option_find(rows, rest, n);
	const char *key;
	struct node *sub;

	if (row == NULL)
		row = option_find(more, rest, n);
	if (row == NULL) {
		key = arena_strndup(o->d->arena, rest, n);
		diag_error(o->d, &o->place, NULL, "unknown option \"%s\"%s",
			key, option_hint(o->d->arena, rows, more, key));
		return;
	}
	rest += n;
	if (*rest == '\0') {
		value_apply(o, group, row);
	} else if (row->type == WEIR_T_GROUP && *rest == '.') {
		sub = node_member(group, row->key);
		if (sub == NULL) {
			sub = node_new(o->d->arena, NODE_GROUP, row->key, NULL,
				group->place);
			node_set(group, sub);
		}
		if (sub->kind == NODE_GROUP) /* else the load says so */
			group_apply(o, sub, row->rows->opts, NULL, rest + 1);
	} else if (option_is_groups(row->type) && row->rows != NULL) {
		entry_apply(o, group, row, rest);
	} else if (row->flags & WEIR_NOT_BUILT) {
		diag_error(o->d, &o->place, NULL,
			"option \"%s\" is not built in yet", row->key);
	} else {
		diag_error(o->d, &o->place, NULL,
			"option \"%s\" is set as a whole%s", row->key,
			option_is_list(row->type)
				? ", with commas between its values"
				: "");
	}
}

static void
value_apply(const struct override *o, struct node *group,
	const struct weir_opt *row)
{
	struct arena *a = o->d->arena;
	struct node *value;

	if (row->type == WEIR_T_GROUP ||
		(option_is_groups(row->type) &&
			(row->rows == NULL || row->rows->shorthand == NULL) &&
			(row->flags & WEIR_NOT_BUILT) == 0)) {
		diag_error(o->d, &o->place, NULL,
			"\"%s\" is a group; name one of its options", row->key);
		return;
	}
	if (is_scalar(row)) {
		value = node_new(a, NODE_STRING, row->key, o->value, o->place);
	} else
		value = node_split(a, row->key, o->value, o->place);
	node_set(group, value);
}

/* rest is "[0].key" or ".name.key", of an entry of the row's list. */
static void
entry_apply(const struct override *o, struct node *group,
	const struct weir_opt *row, const char *rest)
{
	struct node *list = node_member(group, row->key), *entry;
	const struct weir_opt *more = NULL;

	if (list == NULL) {
		struct place place = group->place;

		place.origin = "default";
		list = node_split(o->d->arena, row->key,
			row->def != NULL ? row->def : "", place);
		node_set(group, list);
	}
	option_entries(o->d->arena, row, list);
	entry = *rest == '[' ? entry_at(o, list, row, &rest)
			     : entry_find(o, list, row, &rest);
	if (entry == NULL)
		return;
	if (*rest != '.') {
		diag_error(o->d, &o->place, NULL,
			"an entry of \"%s\" is a group; name one of its "
			"options",
			row->key);
		return;
	}
	if (entry->kind != NODE_GROUP)
		return; /* the load says so */
	if (row->type == WEIR_T_MODULES)
		more = entry_type_rows(row->rows == &stage_rows
					       ? &stage_kind
					       : &extension_kind,
			entry);
	group_apply(o, entry, row->rows->opts, more, rest + 1);
}

static struct node *
entry_at(const struct override *o, struct node *list,
	const struct weir_opt *row, const char **rest)
{
	struct node *entry = list->first;
	unsigned long i;
	char *end = NULL;

	i = isdigit((unsigned char)(*rest)[1]) ? strtoul(*rest + 1, &end, 10)
					       : 0;
	if (end == NULL || *end != ']') {
		diag_error(o->d, &o->place, NULL, "write \"%s[0]\"", row->key);
		return NULL;
	}
	*rest = end + 1;
	for (; entry != NULL && i > 0; i--)
		entry = entry->next;
	if (entry == NULL)
		diag_error(o->d, &o->place, NULL,
			"\"%s\" has no entry of that number (they count from "
			"0)",
			row->key);
	return entry;
}

/* Names may have dots: the longest that fits, and of equals the one that takes
 * the place of the others. */
static struct node *
entry_find(const struct override *o, struct node *list,
	const struct weir_opt *row, const char **rest)
{
	const char *text = *rest + 1, *name;
	struct near near = { .word = arena_strndup(
				     o->d->arena, text, strcspn(text, ".")) };
	struct node *e, *found = NULL;
	size_t n, longest = 0;
	bool own;

	for (e = list->first; e != NULL; e = e->next) {
		name = entry_name(e, &own);
		if (name == NULL)
			continue;
		near_try(&near, name);
		n = strlen(name);
		if (strncmp(text, name, n) != 0 ||
			(text[n] != '.' && text[n] != '\0'))
			continue;
		if (n > longest || own) {
			found = e;
			longest = n;
		}
	}
	*rest = text + longest;
	if (found == NULL)
		diag_error(o->d, &o->place, NULL,
			near.best != NULL ? "no entry of \"%s\" has the name "
					    "\"%s\" (did you mean \"%s\"?)"
					  : "no entry of \"%s\" has the name "
					    "\"%s\"",
			row->key, near.word, near.best);
	return found;
}

/* Its name, or that of its type; *own: it is its own. */
static const char *
entry_name(const struct node *entry, bool *own)
{
	const struct node *name = NULL;

	if (entry->kind == NODE_GROUP) {
		name = node_member(entry, "name");
		*own = name != NULL;
		if (name == NULL)
			name = node_member(entry, "type");
	}
	return name != NULL && name->kind == NODE_STRING ? name->text : NULL;
}

static bool
is_scalar(const struct weir_opt *row)
{
	return row->type != WEIR_T_GROUP && !option_is_list(row->type) &&
	       !option_is_groups(row->type);
}
