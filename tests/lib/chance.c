/* chance.c - one random walk for a test program, which can be repeated. */
#include <bsd/stdlib.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "lib/chance.h"

static uint64_t state = 88172645463325252u;

void
chance_seed(uint64_t seed)
{
	/* Of 0 nothing else would follow. */
	state = seed + (seed == 0);
}

void
chance_start(const char *name)
{
	const char *given = getenv(name);

	chance_seed(given == NULL ? arc4random() : strtoull(given, NULL, 0));
	print_message("# %s=%" PRIu64 "\n", name, state);
}

unsigned
chance(unsigned n)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (unsigned)(state >> 20) % n;
}
