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
	uint8_t stage;
	uint8_t dir; /* enum weir_dir */
	bool eof;    /* the end follows the bytes */
};

/* Keeps a copy behind (front: ahead of) what the stage holds already; the
 * flow's held bit is set.  -1 with ENOMEM. */
int hold_add(struct weir_channel *ch, enum weir_dir dir, unsigned stage,
	const uint8_t *p, size_t n, bool eof, bool front);
/* Takes the first segment, NULL when only an end is left; *eof: the end
 * follows it.  False when nothing is held; what is empty is removed, and the
 * flow's held bit cleared.  Caller frees *seg. */
bool hold_shift(struct weir_channel *ch, enum weir_dir dir, unsigned stage,
	struct seg **seg, bool *eof);
/* Frees everything held. */
void hold_drop(struct weir_channel *ch);

#endif
