/* stage.h - the chain of a server from its list of middlewares. */
#ifndef CONF_STAGE_H
#define CONF_STAGE_H

#include "conf/option.h"

/* Options that every entry has, whatever its type. */
extern const struct weir_rows stage_rows;

/* Fills list with the chain (struct conf_stage) that the entries of node make:
 * replaced by name, without the disabled ones, sorted by order, checked. */
void stage_load(struct option_loader *l, const struct weir_opt *row,
	const struct node *node, const struct option_scope *scope,
	struct weir_list *list);
/* Rows of the entry's type, or NULL when it has none. */
const struct weir_opt *stage_type_rows(const struct node *entry);
/* Is name made of letters, digits, "_", "." and "-" only? */
bool stage_is_name(const char *name);

#endif
