/* id.c - names of channels. */
#include <string.h>

#include "ctl/id.h"

bool
id_fits(const char *text)
{
	size_t i, n;

	for (i = 0; i < 3; i++) {
		n = strspn(text, "0123456789");
		if (n == 0 || text[n] != (i < 2 ? '.' : '\0'))
			return false;
		text += n + 1;
	}
	return true;
}
