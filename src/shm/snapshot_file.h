/* snapshot_file.h - what a file of a table looks like.
 *
 * A head; for each part of the table how many bytes and rows it has, and these;
 * one of no bytes; and a sum of all that.  Times are how long ago or
 * how long from the moment of the file, as the clock begins anew.  It is read
 * by the machine that wrote it. */
#ifndef SHM_SNAPSHOT_FILE_H
#define SHM_SNAPSHOT_FILE_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "shm/siphash.h"

#define SNAPSHOT_MAGIC "weirtab5"
#define SNAPSHOT_NEVER UINT64_MAX

struct snapshot_head {
	char magic[8];
	uint64_t layout;
	uint64_t saved_ms; /* since 1970 */
};

struct snapshot_part {
	uint64_t size;
	uint64_t rows;
};

/* What stands before key and cells of a row. */
struct snapshot_line {
	uint64_t age_ms;  /* since its last use */
	uint64_t left_ms; /* until its own end; SNAPSHOT_NEVER */
	uint32_t key_len;
	uint32_t zero;
};

/* Milliseconds since 1970, as clocks of processes begin anew. */
static inline uint64_t
snapshot_now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

/* Of these bytes, and all before, whose sum is that. */
static inline uint64_t
snapshot_sum(uint64_t before, const void *p, size_t n)
{
	const uint64_t next[2] = { before, n };

	return siphash(next, p, n);
}

#endif
