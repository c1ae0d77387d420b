/* board.h - what each worker of a generation says of itself, in memory that
 * they share with the master (mmap(2)): one line a slot, one writer a line. */
#ifndef BASE_BOARD_H
#define BASE_BOARD_H

#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BOARD_ACCEPT 256 /* that one accepted connection counts */

struct board_line {
	alignas(64) _Atomic uint32_t channels;
	_Atomic bool serves;	  /* accepts; a slot without a process: no */
	_Atomic bool told;	  /* to drain: the master's word is sent */
	_Atomic uint32_t turns;	  /* of its loop: it does not hang */
	_Atomic uint32_t accepts; /* in BOARD_ACCEPT, at accepts_ms: half of
				   * it in each second that passes */
	_Atomic uint64_t accepts_ms;
	_Atomic uint64_t oldest_ms;	/* CLOCK_MONOTONIC at which the oldest
					 * channel was opened; 0: none */
	_Atomic uint64_t copied_bytes;	/* read by all who had the slot */
	_Atomic uint64_t spliced_bytes; /* and moved inside the kernel */
};

struct board {
	struct board_line *lines; /* NULL: not made */
	unsigned n;
};

/* What one worker has seen of the others. */
struct board_watch {
	uint32_t turns; /* at board_watch() */
	bool hangs;	/* as long as they are the same */
};

/* How channels are spread over those who serve. */
struct board_spread {
	unsigned n; /* who serve */
	uint64_t total;
	uint32_t least, most;
	unsigned least_slot, most_slot;
};

/* n empty lines that children share; -1 with errno.  End with board_done(). */
int board_init(struct board *b, unsigned n);
void board_done(struct board *b);
/* Nobody is in that slot any more. */
void board_clear(struct board *b, unsigned slot);
/* All channels, of all slots. */
uint64_t board_total(const struct board *b);
/* Bytes of both directions, of all slots and all who had them. */
void board_bytes(const struct board *b, uint64_t *copied, uint64_t *spliced);
/* When the oldest channel of all was opened; 0: there is none. */
uint64_t board_oldest(const struct board *b);
void board_look(const struct board *b, struct board_spread *s);
/* One more was accepted. */
void board_accepted(struct board_line *line, uint64_t now_ms);
/* Has that slot clearly more channels than its share, of those who serve and do
 * not hang, and did it accept not less than its share lately?  Else
 * those who are silent for long would give all work to others.  w has a place
 * for each slot. */
bool board_is_ahead(const struct board *b, unsigned slot, struct board_watch *w,
	uint64_t now_ms);
/* From here on turns of the others are watched. */
void board_watch(const struct board *b, struct board_watch *w);
/* Those who serve and have made none since, hang until they make one. */
void board_blame(const struct board *b, struct board_watch *w);
/* Is one so far ahead of another that somebody should know? */
bool board_is_uneven(const struct board_spread *s);

#endif
