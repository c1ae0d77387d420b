/* addr.h - stream addresses as text and as sockaddr. */
#ifndef BASE_ADDR_H
#define BASE_ADDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/channel.h"

/* Parses "127.0.0.1:80", "[::1]:80" or "unix:/path" into a; ports 0..65535.
 * -1 and *why = what was wanted (borrowed for ever) when text is none. */
int addr_parse(struct weir_addr *a, const char *text, const char **why);
/* Writes a number; how many digits it has, at most 10.  No NUL. */
size_t addr_decimal(char *text, unsigned n);
/* The same of an address, as inet_ntop(3) does, in a tenth of its time. */
size_t addr_ip4_text(char *text, const uint8_t ip[4]);
/* Same family, address and port (or path)? */
bool addr_equal(const struct weir_addr *a, const struct weir_addr *b);

#endif
