/* addr.h - stream addresses as text and as sockaddr. */
#ifndef BASE_ADDR_H
#define BASE_ADDR_H

#include <stdbool.h>

#include "api/channel.h"

/* Parses "127.0.0.1:80", "[::1]:80" or "unix:/path" into a; ports 0..65535.
 * -1 and *why = what was wanted (borrowed for ever) when text is none. */
int addr_parse(struct weir_addr *a, const char *text, const char **why);
/* Same family, address and port (or path)? */
bool addr_equal(const struct weir_addr *a, const struct weir_addr *b);

#endif
