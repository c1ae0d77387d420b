/* override.h - what environment and command line change in a file's tree. */
#ifndef CONF_OVERRIDE_H
#define CONF_OVERRIDE_H

#include <stdio.h>

#include "conf/conf.h"
#include "conf/diag.h"
#include "conf/node.h"

/* Puts WEIR_IDLE_TIMEOUT=30s and the like into every server of root, then
 * -o PATH=VALUE texts over it.  Errors go to d; err gets a warning line for
 * every WEIR_ variable that is no option. */
void override_apply(struct node *root, const struct conf_overrides *over,
	struct weir_diag *d, FILE *err);

#endif
