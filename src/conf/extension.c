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
