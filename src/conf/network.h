/* network.h - networks as people write them. */
#ifndef CONF_NETWORK_H
#define CONF_NETWORK_H

#include "api/option.h"
#include "base/arena.h"

/* As weir_cidr_parse(), but says what was meant; *why may live in a. */
int network_parse(struct arena *a, struct weir_cidr *c, const char *text,
	const char **why);

#endif
