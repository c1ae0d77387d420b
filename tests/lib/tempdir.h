/* tempdir.h - a directory for the files of a test program. */
#ifndef LIB_TEMPDIR_H
#define LIB_TEMPDIR_H

extern char tempdir[];

/* Fixtures of a group: makes it, for others to read as well; removes it, which
 * fails when a test has left a file there. */
int tempdir_make(void **state);
int tempdir_remove(void **state);

#endif
