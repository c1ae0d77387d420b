/* escape.c - bytes that a log line cannot have, in a form that it can. */
#include "base/escape.h"

size_t
escape_byte(char to[static ESCAPE_SIZE], unsigned char c)
{
	static const char hex[] = "0123456789abcdef";

	to[0] = '\\';
	to[1] = 'x';
	to[2] = hex[c >> 4];
	to[3] = hex[c & 15];
	return ESCAPE_SIZE;
}
