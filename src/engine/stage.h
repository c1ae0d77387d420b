/* stage.h - bytes on their way through the stages of a chain. */
#ifndef ENGINE_STAGE_H
#define ENGINE_STAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/channel.h"
#include "base/buf.h"

struct piece {
	const uint8_t *p;
	size_t n;
	bool eof;
	bool stable;	 /* stays where it is until the flush */
	struct seg *seg; /* owner of the bytes, if they are emitted ones */
};

static inline uint64_t
stage_bit(unsigned i)
{
	return (uint64_t)1 << i;
}

/* Hands a piece to whoever comes at or behind stage i; it is used up, and its
 * seg is NULL when somebody took that over. */
void
stage_feed(struct weir_channel *ch, enum weir_dir dir, int i, struct piece *in);
/* Stage i ends a direction: from now on it adds nothing to it, and what is or
 * comes before it is dropped.  False when it has done so before; else the end
 * is to follow by stage_give(). */
bool stage_cut(struct weir_channel *ch, enum weir_dir dir, unsigned i);
/* Emitted bytes enter the chain behind the stage that emitted them, then an
 * end if it has just cut this direction; nothing can follow an end that is
 * there already. */
void stage_give(struct weir_channel *ch, enum weir_dir dir, unsigned i,
	struct buf *emitted, bool end);
/* Shows a stage what it holds, in order, as long as backpressure allows. */
void stage_resume(struct weir_channel *ch, enum weir_dir dir, unsigned i);

#endif
