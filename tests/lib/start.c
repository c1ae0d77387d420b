/* start.c - before main of every test program: results leave it line by line,
 * so that a crash loses none and a forked child has none to write again; the
 * environment variable ONLY is a pattern for the cases to run. */
#include <fnmatch.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

/* What cmocka_run_group_tests() calls; the linker has ours called first. */
int __wrap__cmocka_run_group_tests(const char *, const struct CMUnitTest *,
	size_t, CMFixtureFunction, CMFixtureFunction);
int __real__cmocka_run_group_tests(const char *, const struct CMUnitTest *,
	size_t, CMFixtureFunction, CMFixtureFunction);

void test_start(void) __attribute__((constructor));

void
test_start(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	cmocka_set_test_filter(getenv("ONLY"));
}

/* To cmocka, a pattern that no case has is a success. */
int
__wrap__cmocka_run_group_tests(const char *group,
	const struct CMUnitTest *tests, size_t n, CMFixtureFunction setup,
	CMFixtureFunction teardown)
{
	const char *only = getenv("ONLY");
	size_t i = 0;

	while (only != NULL && i < n &&
		fnmatch(only, tests[i].name, FNM_NOESCAPE) != 0)
		i++;
	if (i < n || only == NULL)
		return __real__cmocka_run_group_tests(
			group, tests, n, setup, teardown);
	fprintf(stderr, "ONLY=%s: no case of that name; there are: ", only);
	for (i = 0; i < n; i++)
		fprintf(stderr, "%s%s", i > 0 ? ", " : "", tests[i].name);
	fputc('\n', stderr);
	return 1;
}
