/* text.h - text that grows; memory that runs out ends weirctl. */
#ifndef CTL_TEXT_H
#define CTL_TEXT_H

#include <stddef.h>

/* Starts as { 0 }; p is NULL or ends with NUL. */
struct text {
	char *p;
	size_t n, size;
};

/* Appends. */
void text_add(struct text *t, const char *s);
void text_add_bytes(struct text *t, const void *p, size_t n);
void text_add_fmt(struct text *t, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* Appends it percent-encoded, for one part of a path or a query (RFC 3986). */
void text_add_part(struct text *t, const char *s);
/* The same for what has %XX already, where it must: that stays as it is. */
void text_add_encoded(struct text *t, const char *s);
/* Appends "?key=value", or "&key=value" when t has a query. */
void text_add_query(struct text *t, const char *key, const char *value);
/* Appends what a terminal may get of it: no control characters, no bytes but
 * ASCII; they become \xNN. */
void text_add_plain(struct text *t, const char *p, size_t n);
/* Makes it empty, and keeps the memory for what comes next. */
void text_clear(struct text *t);
void text_free(struct text *t);
/* Its text, never NULL. */
const char *text_of(const struct text *t);

#endif
