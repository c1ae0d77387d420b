/* snapshot_file.h - what a file of a table looks like.
 *
 * A head, rows, and a sum of all bytes before it.  Times are how long ago or
 * how long from the moment of the file, as the clock begins anew.  It is read
 * by the machine that wrote it. */
#ifndef SHM_SNAPSHOT_FILE_H
#define SHM_SNAPSHOT_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "shm/siphash.h"

#define SNAPSHOT_MAGIC "weirtab3"
#define SNAPSHOT_NEVER UINT64_MAX

struct snapshot_head {
	char magic[8];
	uint64_t layout;
	uint64_t saved_s; /* since 1970 */
	uint64_t rows;
};

/* What stands before key and cells of a row. */
struct snapshot_line {
	uint64_t age_ms;  /* since its last use */
	uint64_t left_ms; /* until its own end; SNAPSHOT_NEVER */
	uint32_t key_len;
	uint32_t zero;
};

static inline uint64_t
snapshot_sum(const struct snapshot_head *head, const void *rows, size_t size)
{
	static const uint64_t secret[2] = { 0 };
	uint64_t next[2] = { siphash(secret, head, sizeof(*head)), size };

	return siphash(next, rows, size);
}

#endif
