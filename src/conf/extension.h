/* extension.h - the extensions of a configuration, from its list of them. */
#ifndef CONF_EXTENSION_H
#define CONF_EXTENSION_H

#include "conf/option.h"

struct entry_kind;

/* Extensions, as entries of a list. */
extern const struct entry_kind extension_kind;
/* Options that every entry has, whatever its type. */
extern const struct weir_rows extension_rows;

/* Fills list (struct conf_extension) in the order in which they start. */
void extension_load(struct option_loader *l, const struct weir_opt *row,
	const struct node *node, const struct option_scope *scope,
	struct weir_list *list);

#endif
