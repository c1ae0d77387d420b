/* core.h - option rows of the core: what a file may say besides modules. */
#ifndef CONF_CORE_H
#define CONF_CORE_H

#include "conf/option.h"

/* Rows of the whole file, for struct conf. */
extern const struct weir_opt core_rows[];

/* Gives every server without a name the name "server<index>". */
void core_name_servers(struct node *root, struct weir_diag *d);
/* Checks what no single row can, of whatever could be loaded, and fills what
 * follows from other options. */
void
core_check(struct option_loader *l, const struct node *root, struct conf *conf);
/* Rows of one server. */
extern const struct weir_rows core_server_rows;

#endif
