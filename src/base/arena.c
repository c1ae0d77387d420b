/* arena.c - memory that is freed as one piece. */
#include <err.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"

/* One block an allocation: small, and sanitizers see every overrun. */
struct arena_block {
	struct arena_block *before;
	_Alignas(max_align_t) unsigned char bytes[];
};

void *
arena_alloc(struct arena *a, size_t n)
{
	struct arena_block *b = NULL;

	if (n <= SIZE_MAX - sizeof(*b))
		b = calloc(1, sizeof(*b) + n);
	if (b == NULL)
		errx(1, "out of memory while reading the configuration");
	b->before = a->last;
	a->last = b;
	return b->bytes;
}

char *
arena_strdup(struct arena *a, const char *s)
{
	return arena_strndup(a, s, strlen(s));
}

char *
arena_strndup(struct arena *a, const char *s, size_t n)
{
	size_t len = strnlen(s, n);
	char *copy = arena_alloc(a, len + 1);

	memcpy(copy, s, len);
	return copy;
}

char *
arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap;
	char *s;

	va_start(ap, fmt);
	s = arena_vprintf(a, fmt, ap);
	va_end(ap);
	return s;
}

char *
arena_vprintf(struct arena *a, const char *fmt, va_list ap)
{
	va_list again;
	int n;
	char *s;

	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	if (n < 0)
		errx(1, "a message of the configuration cannot be formatted");
	s = arena_alloc(a, (size_t)n + 1);
	vsnprintf(s, (size_t)n + 1, fmt, ap);
	return s;
}

void *
arena_grow(struct arena *a, void *list, size_t n, size_t size)
{
	void *longer;

	if ((n & (n - 1)) != 0)
		return list;
	longer = arena_alloc(a, (n == 0 ? 1 : 2 * n) * size);
	if (n > 0)
		memcpy(longer, list, n * size);
	return longer;
}

void
arena_free(struct arena *a)
{
	struct arena_block *b;

	while ((b = a->last) != NULL) {
		a->last = b->before;
		free(b);
	}
}
