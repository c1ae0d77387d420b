/* text.c - a text that grows. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stats.h"

#define TEXT_FIRST 16384

static bool
text_room(struct text *t, size_t n)
{
	size_t size = t->size == 0 ? TEXT_FIRST : t->size;
	char *p;

	while (size - t->len <= n)
		size *= 2;
	if (size == t->size)
		return true;
	p = t->failed ? NULL : realloc(t->p, size);
	if (p == NULL) {
		t->failed = true;
		return false;
	}
	t->p = p;
	t->size = size;
	return true;
}

void
text_add(struct text *t, const char *fmt, ...)
{
	va_list ap, again;
	int n;

	va_start(ap, fmt);
	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	if (n >= 0 && text_room(t, (size_t)n)) {
		vsnprintf(t->p + t->len, t->size - t->len, fmt, ap);
		t->len += (size_t)n;
	}
	va_end(ap);
}

/* How many bytes at s are one character of UTF-8 (RFC 3629); 0: none is. */
static size_t
utf8_length(const unsigned char *s)
{
	static const struct {
		unsigned char least, most, first, last; /* of the next byte */
		size_t n;
	} forms[] = { { 0xc2, 0xdf, 0x80, 0xbf, 2 },
		{ 0xe0, 0xe0, 0xa0, 0xbf, 3 }, { 0xe1, 0xec, 0x80, 0xbf, 3 },
		{ 0xed, 0xed, 0x80, 0x9f, 3 }, { 0xee, 0xef, 0x80, 0xbf, 3 },
		{ 0xf0, 0xf0, 0x90, 0xbf, 4 }, { 0xf1, 0xf3, 0x80, 0xbf, 4 },
		{ 0xf4, 0xf4, 0x80, 0x8f, 4 } };
	size_t i, n;

	if (*s < 0x80)
		return 1;
	for (i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		if (*s < forms[i].least || *s > forms[i].most)
			continue;
		if (s[1] < forms[i].first || s[1] > forms[i].last)
			return 0;
		for (n = 2; n < forms[i].n; n++)
			if ((s[n] & 0xc0) != 0x80)
				return 0;
		return forms[i].n;
	}
	return 0;
}

void
text_quote(struct text *t, const char *s, bool json)
{
	while (*s != '\0') {
		size_t n = utf8_length((const unsigned char *)s);

		if (*s == '\n')
			text_add(t, "\\n");
		else if (*s == '"' || *s == '\\')
			text_add(t, "\\%c", *s);
		else if (n == 0)
			text_add(t, "\xef\xbf\xbd");
		else if ((unsigned char)*s >= ' ')
			text_add(t, "%.*s", (int)n, s);
		else if (json)
			text_add(t, "\\u%04x", (unsigned)*s);
		else
			text_add(t, " ");
		s += n == 0 ? 1 : n;
	}
}
