/* text.c - text that grows. */
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/escape.h"
#include "ctl/ctl.h"
#include "ctl/text.h"

#define TEXT_LEAST 64

static void text_room(struct text *t, size_t more);
static void text_add_byte(struct text *t, unsigned char c);

void
text_add(struct text *t, const char *s)
{
	text_add_bytes(t, s, strlen(s));
}

void
text_add_bytes(struct text *t, const void *p, size_t n)
{
	text_room(t, n);
	memcpy(t->p + t->n, p, n);
	t->n += n;
	t->p[t->n] = '\0';
}

void
text_add_fmt(struct text *t, const char *fmt, ...)
{
	va_list ap, again;
	int n;

	va_start(ap, fmt);
	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n > 0) {
		text_room(t, (size_t)n);
		vsnprintf(t->p + t->n, (size_t)n + 1, fmt, again);
		t->n += (size_t)n;
	}
	va_end(again);
}

void
text_add_part(struct text *t, const char *s)
{
	for (; *s != '\0'; s++)
		text_add_byte(t, (unsigned char)*s);
}

void
text_add_encoded(struct text *t, const char *s)
{
	for (; *s != '\0'; s++)
		if (s[0] == '%' && isxdigit((unsigned char)s[1]) &&
			isxdigit((unsigned char)s[2]))
			text_add(t, "%");
		else
			text_add_byte(t, (unsigned char)*s);
}

void
text_add_query(struct text *t, const char *key, const char *value)
{
	text_add(t, strchr(text_of(t), '?') == NULL ? "?" : "&");
	text_add_part(t, key);
	text_add(t, "=");
	text_add_part(t, value);
}

void
text_add_plain(struct text *t, const char *p, size_t n)
{
	char escaped[ESCAPE_SIZE];
	size_t i, run = 0;

	for (i = 0; i < n; i++) {
		if (p[i] >= ' ' && p[i] <= '~')
			continue;
		text_add_bytes(t, p + run, i - run);
		text_add_bytes(
			t, escaped, escape_byte(escaped, (unsigned char)p[i]));
		run = i + 1;
	}
	text_add_bytes(t, p + run, n - run);
}

void
text_clear(struct text *t)
{
	t->n = 0;
	if (t->p != NULL)
		t->p[0] = '\0';
}

void
text_free(struct text *t)
{
	free(t->p);
	*t = (struct text){ 0 };
}

const char *
text_of(const struct text *t)
{
	return t->p != NULL ? t->p : "";
}

/* Room for so many bytes more, and a NUL. */
static void
text_room(struct text *t, size_t more)
{
	size_t size = t->size > 0 ? t->size : TEXT_LEAST;
	char *p;

	while (size - t->n <= more && size < SIZE_MAX / 2)
		size *= 2;
	if (size == t->size)
		return;
	p = realloc(t->p, size);
	if (p == NULL || size - t->n <= more)
		ctl_out_of_memory();
	t->p = p;
	t->size = size;
}

static void
text_add_byte(struct text *t, unsigned char c)
{
	if (isalnum(c) || strchr("-._~", c) != NULL)
		text_add_bytes(t, &c, 1);
	else
		text_add_fmt(t, "%%%02X", c);
}
