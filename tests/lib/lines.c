/* lines.c - results of a test leave it line by line: a crash loses none, and
 * a forked child has none to write a second time. */
#include <stdio.h>

void lines_flush(void) __attribute__((constructor));

void
lines_flush(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
}
