/* line.h - text that is put together in a buffer, with its values escaped. */
#ifndef CONF_LINE_H
#define CONF_LINE_H

#include <stdbool.h>
#include <stddef.h>

#include "api/variable.h"

#define LINE_VALUE_MAX 1024 /* bytes of a value; then "..." */

/* Starts as { text, size }; what does not fit ends it. */
struct line {
	char *text;
	size_t size; /* with the NUL that line_end() writes */
	size_t len;
	bool full;
};

/* Adds n bytes, all or none. */
void line_put(struct line *l, const char *s, size_t n);
/* Adds as many of n bytes as fit, but no part of a UTF-8 character. */
void line_copy(struct line *l, const char *s, size_t n);
/* Adds a value, escaped; "-" when there is none. */
void
line_value(struct line *l, const struct weir_value *v, enum weir_escape escape);
/* Adds a value that is not in quotes: WEIR_ESCAPE_PLAIN, and blanks too. */
void line_word(struct line *l, const struct weir_value *v);
/* Adds a value as JSON: in quotes, bare, or null. */
void line_json(struct line *l, const struct weir_value *v);
/* Adds a JSON string. */
void line_json_text(struct line *l, const char *s, size_t n);
/* Writes the NUL, if there is room for one; the length. */
size_t line_end(struct line *l);

#endif
