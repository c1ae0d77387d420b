/* units.h - numbers with units, as people write them. */
#ifndef BASE_UNITS_H
#define BASE_UNITS_H

#include <stddef.h>
#include <stdint.h>

#define UNITS_TEXT 32 /* bytes that any number with its unit takes */

/* "300ms" "30s" "10m" "1h" "1d", bare number = seconds; into milliseconds.
 * -1 and *why (borrowed for ever) when text is none or does not fit. */
int units_time(const char *text, int64_t *ms, const char **why);
/* "64" "64k" "16M" "2G", powers of 1024; into bytes; errors as above. */
int units_size(const char *text, int64_t *bytes, const char **why);
/* A plain decimal integer; errors as above. */
int units_int(const char *text, int64_t *n, const char **why);
/* The shortest text that parses back to the same value; returns text. */
const char *units_time_text(int64_t ms, char text[static UNITS_TEXT]);
const char *units_size_text(int64_t bytes, char text[static UNITS_TEXT]);

#endif
