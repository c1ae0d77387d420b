/* text.c - what programs say, looked through. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "lib/text.h"

void
assert_contains(const char *text, const char *part)
{
	if (strstr(text, part) == NULL) {
		print_error("no \"%s\" in: %s\n", part, text);
		fail();
	}
}
