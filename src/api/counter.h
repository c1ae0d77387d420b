/* counter.h - figures that all processes count, and that outlive each of them.
 */
#ifndef WEIR_COUNTER_H
#define WEIR_COUNTER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WEIR_PROCESSES	 1024 /* at a time */
#define WEIR_LABELS	 3    /* of a series, at most */
#define WEIR_SERIES_MOST 1024 /* figures of a series */

/* id, what the figures of all processes make together. */
#define WEIR_COUNTER_KINDS(X)                                                  \
	X(SUM)	 /* their sum; that of a process stays when it is gone */      \
	X(GAUGE) /* their sum; that of a process ends with it */               \
	X(PEAK)	 /* the greatest that there has been */

enum weir_counter_kind {
#define X(id) WEIR_COUNTER_##id,
	WEIR_COUNTER_KINDS(X)
#undef X
};

/* Some figures side by side, known by family and labels. */
struct weir_series {
	const char *family;
	const char *labels[WEIR_LABELS]; /* values; NULL: there are no more */
	enum weir_counter_kind kind;
	unsigned n; /* figures */
};

/* As one process sees all series. */
struct weir_counters;

/* The series of that family and labels, which is made when there is none: for
 * .count of an extension.  Its number; -1 with errno, and a line in the log,
 * when there is no room (ENOSPC), or when it has another kind or n (EINVAL). */
int weir_series_add(struct weir_counters *c, const struct weir_series *series);
/* Its number, in any process; -1 with ENOENT. */
int weir_series_find(
	const struct weir_counters *c, const struct weir_series *series);
/* Fills in series number i, which are never fewer; false: there are no more.
 * Its texts are borrowed for ever. */
bool weir_series_get(
	const struct weir_counters *c, unsigned i, struct weir_series *series);
/* Where this process alone counts: as many figures as the series has; NULL with
 * errno (ENOSPC). */
_Atomic uint64_t *weir_series_cells(struct weir_counters *c, int series);
/* Sees what other processes have begun to count since the last time; before
 * what follows. */
void weir_counters_look(struct weir_counters *c);
/* What all processes make together. */
void
weir_series_read(const struct weir_counters *c, int series, uint64_t *figures);
/* The figures of one process after the other; NULL: there are no more.  *at
 * begins with 0; *process is which one, a number below WEIR_PROCESSES that
 * another one may have when it is gone, and *lives whether it is there. */
const _Atomic uint64_t *weir_series_next(const struct weir_counters *c,
	int series, unsigned *at, unsigned *process, bool *lives);

/* Adds to a figure of this process: nobody else writes it, so the bus need not
 * be locked. */
static inline void
weir_cell_add(_Atomic uint64_t *cell, uint64_t n)
{
	atomic_store_explicit(cell,
		atomic_load_explicit(cell, memory_order_relaxed) + n,
		memory_order_relaxed);
}

/* Lets a peak know of n. */
static inline void
weir_cell_rise(_Atomic uint64_t *cell, uint64_t n)
{
	if (n > atomic_load_explicit(cell, memory_order_relaxed))
		atomic_store_explicit(cell, n, memory_order_relaxed);
}

#endif
