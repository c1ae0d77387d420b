/* hold.h - bytes that a stage will be shown later. */
#ifndef ENGINE_HOLD_H
#define ENGINE_HOLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/channel.h"
#include "base/buf.h"

struct hold {
	struct hold *next;
	struct buf bytes;
	size_t need;	   /* is not shown less than that; 0: anything */
	uint64_t skip;	   /* bytes that pass unshown, when nothing is kept */
	uint64_t since_ms; /* when that began */
	uint8_t stage;
	uint8_t dir; /* enum weir_dir */
	bool eof;    /* the end follows the bytes */
};

/* Keeps a copy behind (front: ahead of) what the stage holds already; the
 * flow's held bit is set.  -1 with ENOMEM. */
int hold_add(struct weir_channel *ch, enum weir_dir dir, unsigned stage,
	const uint8_t *p, size_t n, bool eof, bool front);
/* Puts back what was shown, ahead of the rest; takes seg.  -1 with ENOMEM,
 * then seg is the caller's still. */
int hold_put_back(struct weir_channel *ch, enum weir_dir dir, unsigned stage,
	struct seg *seg, bool eof);
/* What is held is shown when it is n bytes or has its end; the flow's needing
 * bit is set until then. */
void
hold_need(struct weir_channel *ch, enum weir_dir dir, unsigned stage, size_t n);
/* The next n bytes need not be shown.  -1 with ENOMEM. */
int hold_skip(
	struct weir_channel *ch, enum weir_dir dir, unsigned stage, uint64_t n);
/* How many of n bytes that come now are of those: they are counted off. */
size_t hold_skipped(
	struct weir_channel *ch, enum weir_dir dir, unsigned stage, size_t n);
/* How many of the bytes that come these stages let pass unshown: that of the
 * least; 0: one of them, none. */
uint64_t hold_skip_left(
	const struct weir_channel *ch, enum weir_dir dir, uint64_t stages);
/* Takes the first segment (all bytes in one after hold_need()), NULL when only
 * an end is left; *eof: the end follows it.  False when nothing is held, or
 * too little; what is empty is removed, and the flow's held bit cleared.
 * Caller frees *seg. */
bool hold_shift(struct weir_channel *ch, enum weir_dir dir, unsigned stage,
	struct seg **seg, bool *eof);
/* Bytes that these stages hold in that direction. */
size_t
hold_len(const struct weir_channel *ch, enum weir_dir dir, uint64_t stages);
/* Frees what one stage holds in that direction; its end is gone too. */
void hold_clear(struct weir_channel *ch, enum weir_dir dir, unsigned stage);
/* Frees everything held. */
void hold_drop(struct weir_channel *ch);

#endif
