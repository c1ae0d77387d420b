/* arena.h - memory that is freed as one piece. */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stdarg.h>
#include <stddef.h>

struct arena_block;

/* Starts as { NULL }; everything taken from it lives until arena_free(). */
struct arena {
	struct arena_block *last;
};

/* n zeroed bytes.  Never NULL: without memory the process exits 1 with a
 * message, so only for what is read at start and reload. */
void *arena_alloc(struct arena *a, size_t n);
/* Copies; of at most n bytes of s. */
char *arena_strdup(struct arena *a, const char *s);
char *arena_strndup(struct arena *a, const char *s, size_t n);
/* Formats as printf(3) into a new string. */
char *arena_printf(struct arena *a, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
char *arena_vprintf(struct arena *a, const char *fmt, va_list ap)
	__attribute__((format(printf, 2, 0)));
/* A list twice as long when n items of size bytes fill it (n is 0 or a power
 * of two), else list itself. */
void *arena_grow(struct arena *a, void *list, size_t n, size_t size);
/* Frees everything; the arena is empty and may be used again. */
void arena_free(struct arena *a);

#endif
