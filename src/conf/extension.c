/* extension.c - the extensions of a configuration, from its list of them. */
#include <string.h>

#include "conf/claim.h"
#include "conf/entry.h"
#include "conf/extension.h"
#include "registry.h"

static const struct weir_opt rows[] = { ENTRY_ROWS("extension"),
	WEIR_INT("order", struct entry_common, order, .def = "50", .max = 100,
		.help = "When it starts: from low to high, as written among "
			"equals; they stop the other way round."),
	WEIR_BOOL("optional", struct entry_common, optional, .def = "false",
		.help = "Whether a process goes on without it when it cannot "
			"start, which is logged."),
	WEIR_OPT_END };

const struct weir_rows extension_rows = {
	.opts = rows, .size = sizeof(struct entry_common), .shorthand = "type"
};

static void singles_check(struct option_loader *l, const struct weir_opt *row,
	const struct entries *es);
static struct entry_type extension_type(size_t i);
static void files_check(const struct option_loader *l, const char *key,
	const struct entries *es);

const struct entry_kind extension_kind = { .word = "extension",
	.one = "an extension",
	.rows = rows,
	.type = extension_type };

void
extension_load(struct option_loader *l, const struct weir_opt *row,
	const struct node *node, const struct option_scope *scope,
	struct weir_list *list)
{
	struct conf_extension *exts;
	unsigned before = l->diag->errors;
	struct entries es;
	size_t i, j;

	entries_load(l, &extension_kind, row, node, scope, &es);
	exts = arena_alloc(l->arena, es.n * sizeof(*exts));
	*list = (struct weir_list){ .n = es.n, .v = exts };
	for (i = 0; i < es.n; i++) {
		exts[i] = (struct conf_extension){
			.type = es.chain[i]->type.module,
			.name = es.chain[i]->name,
			.conf = es.chain[i]->conf,
			.order = es.chain[i]->common.order,
			.optional = es.chain[i]->common.optional
		};
		for (j = 0; j < i; j++)
			if (strcmp(exts[j].name, exts[i].name) == 0)
				diag_error(l->diag, &es.chain[i]->node->place,
					row->key,
					"two extensions have the name "
					"\"%.64s\" (the other: %s): give "
					"one of them a name = \"...\"",
					exts[i].name,
					diag_place(l->diag,
						&es.chain[j]->node->place));
	}
	singles_check(l, row, &es);
	if (es.incomplete)
		l->extensions = NULL;
	else
		files_check(l, row->key, &es);
	if (l->claims != NULL)
		l->claims->unsure = l->diag->errors != before;
}

/* Two entries of what there can be one of, whatever their names are. */
static void
singles_check(struct option_loader *l, const struct weir_opt *row,
	const struct entries *es)
{
	const struct weir_extension *type;
	size_t i, j;

	for (i = 0; i < es->n; i++) {
		type = es->chain[i]->type.module;
		for (j = 0; type->single && j < i; j++)
			if (es->chain[j]->type.module == type)
				diag_error(l->diag, &es->chain[i]->node->place,
					row->key,
					"there can be only one extension of "
					"type \"%.64s\" (the other: %s)",
					type->name,
					diag_place(l->diag,
						&es->chain[j]->node->place));
	}
}

/* The file of the n-th table of an extension, or "" if it has none; NULL: there
 * is no such table. */
static const char *
file_of(const struct conf_entry *e, unsigned n)
{
	const struct weir_extension *ext = e->type.module;
	struct weir_table_spec spec = { .name = NULL };

	if (ext->table == NULL || !ext->table(e->conf, n, &spec))
		return NULL;
	return spec.file != NULL ? spec.file : "";
}

/* Says which extension before the i-th has a table in that file. */
static const struct conf_entry *
file_find(const struct entries *es, size_t i, const char *file)
{
	const char *other;
	unsigned n;
	size_t j;

	for (j = 0; j < i; j++)
		for (n = 0; (other = file_of(es->chain[j], n)) != NULL; n++)
			if (strcmp(other, file) == 0)
				return es->chain[j];
	return NULL;
}

/* Two tables in one file would take turns to lose what they had. */
static void
files_check(const struct option_loader *l, const char *key,
	const struct entries *es)
{
	const struct conf_entry *other;
	const char *file;
	unsigned n;
	size_t i;

	for (i = 0; i < es->n; i++)
		for (n = 0; (file = file_of(es->chain[i], n)) != NULL; n++) {
			if (*file == '\0' ||
				(other = file_find(es, i, file)) == NULL)
				continue;
			diag_error(l->diag, &es->chain[i]->node->place, key,
				"\"%.64s\" is to be kept in %.200s, where "
				"\"%.64s\" is kept already (%s)",
				es->chain[i]->name, file, other->name,
				diag_place(l->diag, &other->node->place));
		}
}

static struct entry_type
extension_type(size_t i)
{
	const struct weir_extension *ext = registry_extensions[i];

	if (ext == NULL)
		return (struct entry_type){ 0 };
	return (struct entry_type){ .module = ext,
		.name = ext->name,
		.opts = ext->opts,
		.conf_size = ext->conf_size,
		.check = ext->check };
}
