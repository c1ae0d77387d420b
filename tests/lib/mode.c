/* mode.c - the ways in which a relay moves bytes. */
#include <bsd/stdlib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "lib/mode.h"

#define X(word, value, by_lot)                                                 \
	struct mode mode_##word = { .splice = value, .dices = by_lot };
MODES(X)
#undef X

static const struct mode *now;
static unsigned seed;
static char words[MODE_WORDS][64];

int
mode_start(void **state)
{
	const char *given = getenv("SEED");

	now = state == NULL ? NULL : *state;
	if (now == NULL || !now->dices)
		return 0;
	seed = given == NULL ? arc4random() : (unsigned)strtoul(given, NULL, 0);
	print_message("# SEED=%u\n", seed);
	return 0;
}

int
mode_end(void **state)
{
	(void)state;
	now = NULL;
	return 0;
}

const struct mode *
mode_now(void)
{
	return now;
}

unsigned
mode_seed(void)
{
	return seed;
}

size_t
mode_settings(const char **settings)
{
	if (now == NULL)
		return 0;
	snprintf(words[0], sizeof(words[0]), "WEIR_SPLICE=%s", now->splice);
	snprintf(words[1], sizeof(words[1]), "WEIR_TEST_SPLICE=%u", seed);
	settings[0] = words[0];
	settings[1] = words[1];
	return now->dices ? 2 : 1;
}
