/* expand.h - ${NAME} in the strings of a tree of values. */
#ifndef CONF_EXPAND_H
#define CONF_EXPAND_H

#include "conf/node.h"

/* Replaces ${NAME} and ${NAME:-text} (as sh(1) does) from environ, which may be
 * NULL, and $$ by $ in every string below node.  Errors go to d. */
void expand_tree(struct node *node, char *const *environ, struct weir_diag *d);

#endif
