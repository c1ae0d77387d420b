/* share.h - what other machines have of a table, beside what is had here.
 *
 * A row says what it has here, and somebody carries that to other machines and
 * says what these have together: state, never a difference, so that nothing
 * counts twice, however often it is said.  What others have is added where a
 * cell is read. */
#ifndef SHM_SHARE_H
#define SHM_SHARE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "api/table.h"
#include "shm/row.h"
#include "shm/shm.h"

#define SHARE_LATE_US 10000000 /* what is said so much later is not late */

/* In the segment, one for each table that is shared. */
struct share_zone {
	uint64_t self;		   /* random, of this table */
	_Atomic int64_t ahead_ms;  /* of clock_ms(), the wall's clock */
	_Atomic uint64_t until_ms; /* what others hold counts */
	uint64_t changes[];	   /* of each stripe, under its lock */
};

/* Of one column of a row, behind its cells. */
struct share {
	struct weir_share others;
	uint64_t own[2]; /* a period: its end, of the wall's clock, and its
			  * length; tokens:
			  * drawn ever, and when the bucket was full last; what
			  * is held: as it was told last, and when */
};

struct share_row {
	uint64_t changed; /* number of the last change here; 0: none */
	uint64_t as_of;	  /* when others had that */
	struct share columns[];
};

/* The zone of a table with n stripes; for the master. NULL with errno. */
struct shm_zone *
share_zone_open(struct shm *shm, const char *name, uint64_t layout, uint32_t n);
/* Has the wall's clock been set?  Else it goes as clock_ms() does. */
void share_look(struct share_zone *share);
/* Bytes that a row needs for it. */
size_t share_size(const struct shape *shape);
/* The i-th stripe's row was changed here. */
void share_changed(const struct shape *shape, struct row *row, uint32_t i);
/* What others have that counts here and now; 0 when nothing is shared. */
uint64_t
share_others(const struct shape *shape, const struct row *row, unsigned column);
/* Do others hold something in it? */
bool share_is_held(const struct shape *shape, const struct row *row);
/* What others believe to be held here, until they are told. */
uint64_t share_believed(
	const struct shape *shape, const struct row *row, unsigned column);
/* What others have spent of the period that ends then, of the wall's clock. */
uint64_t share_spent(const struct shape *shape, const struct row *row,
	unsigned column, uint64_t ends_ms);
/* The period here, of ms, ends then. */
void share_period(const struct shape *shape, const struct row *row,
	unsigned column, uint64_t ms, uint64_t ends_ms);
/* n tokens are drawn here, from a bucket that was full before, or was not. */
void share_drawn(const struct shape *shape, const struct row *row,
	unsigned column, uint64_t n, bool full);
/* They were not used. */
void share_returned(const struct shape *shape, const struct row *row,
	unsigned column, uint64_t n);
/* now_ms as windows of rates are numbered: alike on all machines. */
uint64_t share_clock(const struct shape *shape, uint64_t now_ms);
/* What this machine has, to be told now: what is held is remembered as told. */
struct weir_share share_own(const struct shape *shape, const struct row *row,
	unsigned column, const struct owners *owners);
/* Is a row to be told?  It was changed since, or, with gone, what is held has
 * ended here by itself, or may have on other machines. */
bool share_is_news(const struct shape *shape, const struct row *row,
	uint64_t since, const struct owners *owners, bool gone);
/* Others have that; true: they had something else before. */
bool share_set(const struct shape *shape, struct row *row,
	const struct weir_others *others);
/* What is had here is nothing, but for what is held. */
void share_forget(const struct shape *shape, struct row *row);

#endif
