/* stage.h - the chain of a server from its list of middlewares. */
#ifndef CONF_STAGE_H
#define CONF_STAGE_H

#include "conf/option.h"

struct entry_kind;

/* Middlewares, as entries of a list. */
extern const struct entry_kind stage_kind;
/* Options that every entry has, whatever its type. */
extern const struct weir_rows stage_rows;

/* Fills list with the chain (struct conf_stage) that the entries of node make:
 * replaced by name, without the disabled ones, sorted by order, checked; behind
 * what extensions have for every chain. */
void stage_load(struct option_loader *l, const struct weir_opt *row,
	const struct node *node, const struct option_scope *scope,
	struct weir_list *list);
/* Makes the chain of a server that has no list: what extensions have for every
 * chain. */
void stage_default(struct option_loader *l, struct weir_list *list);

#endif
