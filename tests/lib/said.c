/* said.c - what weir says about the options of a middleware. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "lib/entry.h"
#include "lib/said.h"

void
said_of(const char *type, const char *options, const char *want)
{
	struct entry e;

	entry_try(&e, type, options, NULL);
	if (*want == '\0' ? *e.said != '\0' : strstr(e.said, want) == NULL)
		fail_msg("{ type = \"%s\"; %s }\nwanted: %s\nsaid: %s", type,
			options, want, e.said);
	assert_int_equal(e.stage != NULL, *want == '\0');
	entry_free(&e);
}
