/* snapshot.h - a table in a file, over a restart. */
#ifndef SHM_SNAPSHOT_H
#define SHM_SNAPSHOT_H

struct weir_table;

/* Writes keys, counts, tokens, periods and values to a file, which is there
 * whole or as it was before (rename(2)); -1 with errno (EBUSY: another process
 * writes it; ETIMEDOUT: a part's lock is not to be had in 2 s).  What is held
 * and rates are of the moment, and are left out. */
int snapshot_save(struct weir_table *t, const char *path);
/* Adds what the file has to the table, less what has ended since.  A file that
 * is damaged, or of another table, changes nothing: -1, and *why is what is
 * wrong with it, a literal or errno's text. */
int snapshot_load(struct weir_table *t, const char *path, const char **why);

#endif
