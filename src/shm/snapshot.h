/* snapshot.h - a table in a file, over a restart. */
#ifndef SHM_SNAPSHOT_H
#define SHM_SNAPSHOT_H

#include <stdbool.h>
#include <stdint.h>

struct weir_table;

/* How a snapshot is made. */
struct snapshot_way {
	uint32_t busy_ms;      /* that a lock is waited for, at most */
	bool (*goes_on)(void); /* asked from time to time; NULL: it does */
};

/* Writes keys, counts, tokens, periods and values to a file, which is there
 * whole or as it was before (rename(2)); -1 with errno (EBUSY: another process
 * writes it; ETIMEDOUT: a lock is not to be had; ECANCELED: it was not to go
 * on).  What is held and rates are of the moment, and are left out. */
int snapshot_save(
	struct weir_table *t, const char *path, const struct snapshot_way *way);
/* Is there a file, and is it of a table like this one, as far as its first
 * bytes say?  *why as below, if not; NULL when there is none. */
bool
snapshot_fits(const struct weir_table *t, const char *path, const char **why);
/* Adds what the file has to the table, less what has ended since.  A file that
 * is damaged, or of another table, changes nothing: -1, and *why is what is
 * wrong with it, a literal or errno's text. */
int snapshot_load(struct weir_table *t, const char *path, const char **why);

#endif
