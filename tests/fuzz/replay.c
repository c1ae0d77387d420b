/* replay.c - main of a fuzz target without libFuzzer: tries the files of its
 * arguments, or all that are kept of it. */
#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "fuzz/fuzz.h"

#define INPUT_MAX ((size_t)1 << 20)

static unsigned tried;

static void
try_file(const char *file)
{
	uint8_t *p = malloc(INPUT_MAX), *all;
	FILE *in = fopen(file, "r");
	size_t n;

	if (p == NULL || in == NULL)
		err(1, "%s", file);
	n = fread(p, 1, INPUT_MAX, in);
	if (ferror(in))
		err(1, "%s", file);
	fclose(in);
	/* No byte longer than it is, so that ASan sees who reads on. */
	all = realloc(p, n > 0 ? n : 1);
	if (all == NULL)
		err(1, "%s", file);
	printf("# %s\n", file);
	LLVMFuzzerTestOneInput(all, n);
	free(all);
	tried++;
}

static void
try_directory(const char *of)
{
	const char *srcdir = getenv("srcdir");
	char path[4096];
	struct dirent *e;
	DIR *d;

	snprintf(path, sizeof(path), "%s/tests/fuzz/%s/%s",
		srcdir != NULL ? srcdir : ".", of,
		program_invocation_short_name);
	d = opendir(path);
	if (d == NULL && errno != ENOENT)
		err(1, "%s", path);
	while (d != NULL && (e = readdir(d)) != NULL) {
		char file[sizeof(path) + sizeof(e->d_name) + 1];

		if (e->d_name[0] == '.')
			continue;
		snprintf(file, sizeof(file), "%s/%s", path, e->d_name);
		try_file(file);
	}
	if (d != NULL)
		closedir(d);
}

int
main(int argc, char **argv)
{
	int i;

	printf("1..1\n");
	for (i = 1; i < argc; i++)
		try_file(argv[i]);
	if (argc == 1) {
		try_directory("corpus");
		try_directory("found");
	}
	printf("%s 1 - %s: %u inputs\n", tried > 0 ? "ok" : "not ok",
		program_invocation_short_name, tried);
	return tried == 0;
}
