/* start.c - before main of every test program: results leave it line by line,
 * so that a crash loses none and a forked child has none to write again; the
 * environment variable ONLY is a pattern for the cases to run. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

void test_start(void) __attribute__((constructor));

void
test_start(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	cmocka_set_test_filter(getenv("ONLY"));
}
