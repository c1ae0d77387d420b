/* poison.h - memory that nobody may touch now: AddressSanitizer sees it. */
#ifndef BASE_POISON_H
#define BASE_POISON_H

#include <stdbool.h>
#include <stddef.h>

#ifdef __SANITIZE_ADDRESS__
#define POISONS 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define POISONS 1
#endif
#endif

#ifdef POISONS
#include <sanitizer/asan_interface.h>
#endif

/* on: whoever touches it is reported; off: it may be used again. */
static inline void
memory_poison(const void *p, size_t n, bool on)
{
#ifdef POISONS
	if (on)
		__asan_poison_memory_region(p, n);
	else
		__asan_unpoison_memory_region(p, n);
#else
	(void)p;
	(void)n;
	(void)on;
#endif
}

#endif
