/* api.h - options of the API: where it listens, and who may do what. */
#ifndef CONF_API_OPTIONS_H
#define CONF_API_OPTIONS_H

#include "conf/option.h"

extern const struct weir_rows api_rows;

/* Checks what is said of the API, and makes listeners of its addresses. */
void api_check(
	struct option_loader *l, const struct node *root, struct conf_api *api);

#endif
