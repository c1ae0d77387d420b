/* stage.c - the chain of a server from its list of middlewares. */
#include "conf/claim.h"
#include "conf/entry.h"
#include "conf/late.h"
#include "conf/stage.h"
#include "registry.h"

static const struct weir_opt rows[] = { ENTRY_ROWS("middleware"),
	WEIR_INT("order", struct entry_common, order, .def = "50", .max = 100,
		.help = "Place in the chain: from low to high, as written "
			"among equals."),
	WEIR_CONDITION("when", struct entry_common, when,
		.flags = WEIR_OPTIONAL,
		.help = "Channels that this is true of have the middleware, "
			"others go on without it."),
	WEIR_OPT_END };

const struct weir_rows stage_rows = {
	.opts = rows, .size = sizeof(struct entry_common), .shorthand = "type"
};

static struct entry_type stage_type(size_t i);
static size_t
stages_ahead(const struct option_loader *l, struct conf_stage *stages);
static void chain_compile(struct option_loader *l, const struct entries *es,
	struct conf_stage *stages, size_t ahead);

const struct entry_kind stage_kind = { .word = "middleware",
	.one = "a middleware",
	.rows = rows,
	.type = stage_type };

void
stage_load(struct option_loader *l, const struct weir_opt *row,
	const struct node *node, const struct option_scope *scope,
	struct weir_list *list)
{
	struct entries es;
	struct conf_stage *stages;
	size_t ahead, i;

	entries_load(l, &stage_kind, row, node, scope, &es);
	stages = arena_alloc(
		l->arena, (es.n + CONF_EXTENSIONS_MAX) * sizeof(*stages));
	ahead = stages_ahead(l, stages);
	*list = (struct weir_list){ .n = ahead + es.n, .v = stages };
	for (i = 0; i < es.n; i++)
		stages[ahead + i] =
			(struct conf_stage){ .mw = es.chain[i]->type.module,
				.name = es.chain[i]->name,
				.conf = es.chain[i]->conf,
				.order = es.chain[i]->common.order };
	if (list->n > CONF_STAGES_MAX) {
		diag_error(l->diag, &node->place, scope->path,
			"there may be %d middlewares, but there are %zu and "
			"%zu of extensions",
			CONF_STAGES_MAX, es.n, ahead);
		list->n = CONF_STAGES_MAX;
		return;
	}
	chain_compile(l, &es, stages, ahead);
	for (i = 0; i < es.n; i++)
		claims_keep(l, es.chain[i], &stages[ahead + i], scope->path);
}

void
stage_default(struct option_loader *l, struct weir_list *list)
{
	struct conf_stage *stages =
		arena_alloc(l->arena, CONF_EXTENSIONS_MAX * sizeof(*stages));

	if (list->n == 0)
		*list = (struct weir_list){ .n = stages_ahead(l, stages),
			.v = stages };
}

/* Those that extensions have for every chain stand first. */
static size_t
stages_ahead(const struct option_loader *l, struct conf_stage *stages)
{
	const struct conf_extension *ext;
	size_t n = 0, i;

	for (i = 0; l->extensions != NULL && i < l->extensions->n; i++) {
		ext = (const struct conf_extension *)l->extensions->v + i;
		if (ext->type->stage != NULL)
			stages[n++] =
				(struct conf_stage){ .mw = ext->type->stage,
					.name = ext->name,
					.conf = ext->conf };
	}
	return n;
}

static struct entry_type
stage_type(size_t i)
{
	const struct weir_middleware *mw = registry_middlewares[i];

	if (mw == NULL)
		return (struct entry_type){ 0 };
	return (struct entry_type){ .module = mw,
		.name = mw->name,
		.opts = mw->opts,
		.conf_size = mw->conf_size,
		.check = mw->check };
}

/* In order of the chain, as a condition may ask for what an earlier one has. */
static void
chain_compile(struct option_loader *l, const struct entries *es,
	struct conf_stage *stages, size_t ahead)
{
	struct variable_scope scope = { l->arena, stages, ahead + es->n,
		es->incomplete };
	const struct option_late *late;
	size_t i, j;

	for (i = 0; i < es->n; i++)
		for (j = 0; j < es->chain[i]->nlate; j++) {
			late = &es->chain[i]->late[j];
			if (late_compile(l, late, &scope) == 0 &&
				late->object == es->chain[i]->common.when)
				late_when(l, late, &scope, &stages[ahead + i]);
		}
	/* When each takes part is known only now. */
	for (i = 0; i < es->n; i++)
		for (j = 0; j < es->chain[i]->nlate; j++) {
			late = &es->chain[i]->late[j];
			if (late->row->type == WEIR_T_FORMAT)
				late_moment(
					l, late, &scope, (unsigned)(ahead + i));
		}
}
