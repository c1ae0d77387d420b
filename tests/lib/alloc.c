/* alloc.c - makes one allocation fail; for programs linked with WRAP_ALLOC. */
#include <errno.h>
#include <stddef.h>

#include "base/seg.h"
#include "lib/alloc.h"

/* Named by the linker (ld(1), --wrap). */
void *__wrap_malloc(size_t);
void *__wrap_calloc(size_t, size_t);
void *__wrap_reallocarray(void *, size_t, size_t);
void *__real_malloc(size_t);
void *__real_calloc(size_t, size_t);
void *__real_reallocarray(void *, size_t, size_t);
void __wrap_seg_free(struct seg *);
void __real_seg_free(struct seg *);
void *__wrap_aligned_alloc(size_t, size_t);
void *__real_aligned_alloc(size_t, size_t);

static unsigned left;
static bool failed;

/* What is kept for reuse would not have to be allocated. */
void
__wrap_seg_free(struct seg *s)
{
	__real_seg_free(s);
	while (segs_trim())
		continue;
}

void
alloc_fail_at(unsigned nth)
{
	while (segs_trim())
		continue;
	left = nth;
	failed = false;
}

bool
alloc_failed(void)
{
	left = 0;
	return failed;
}

static bool
alloc_fails(void)
{
	if (left == 0 || --left > 0)
		return false;
	errno = ENOMEM;
	return failed = true;
}

void *
__wrap_malloc(size_t n)
{
	return alloc_fails() ? NULL : __real_malloc(n);
}

void *
__wrap_calloc(size_t k, size_t n)
{
	return alloc_fails() ? NULL : __real_calloc(k, n);
}

void *
__wrap_reallocarray(void *p, size_t k, size_t n)
{
	return alloc_fails() ? NULL : __real_reallocarray(p, k, n);
}

void *
__wrap_aligned_alloc(size_t to, size_t n)
{
	return alloc_fails() ? NULL : __real_aligned_alloc(to, n);
}
