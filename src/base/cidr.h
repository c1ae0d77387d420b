/* cidr.h - networks as text, and what is in them. */
#ifndef BASE_CIDR_H
#define BASE_CIDR_H

#include "api/option.h"

/* Parses "10.0.0.0/8", "::1", "fd00::/8", "all"; errors as addr_parse(). */
int cidr_parse(struct weir_cidr *c, const char *text, const char **why);
/* Network as text ("10.0.0.0/8"); returns text. */
const char *
cidr_text(const struct weir_cidr *c, char text[static WEIR_ADDR_TEXT]);

#endif
