/* tempdir.c - a directory for the files of a test program. */
#include <sys/stat.h>

#include <stdlib.h>
#include <unistd.h>

#include "lib/tempdir.h"

char tempdir[] = "/tmp/weir-test-XXXXXX";

int
tempdir_make(void **state)
{
	(void)state;
	return mkdtemp(tempdir) == NULL ? -1 : chmod(tempdir, 0755);
}

int
tempdir_remove(void **state)
{
	(void)state;
	return rmdir(tempdir);
}
