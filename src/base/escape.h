/* escape.h - bytes that a log line cannot have, in a form that it can. */
#ifndef BASE_ESCAPE_H
#define BASE_ESCAPE_H

#include <stddef.h>

#define ESCAPE_SIZE 4 /* bytes of "\xNN", which has no NUL */

/* Writes the byte as "\xnn"; ESCAPE_SIZE. */
size_t escape_byte(char to[static ESCAPE_SIZE], unsigned char c);

#endif
