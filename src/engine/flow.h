/* flow.h - one direction of a channel: source, chain, sink. */
#ifndef ENGINE_FLOW_H
#define ENGINE_FLOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/channel.h"
#include "base/buf.h"
#include "engine/pipe.h"

/* id, word, what is true in it. */
#define FLOW_STATES(X)                                                         \
	X(OPEN, "open")	  /* the source may still give bytes */                \
	X(ENDED, "ended") /* the source has ended; bytes may be on the way */  \
	X(SHUT, "shut")	  /* all is written and the sink knows the end */      \
	X(BROKEN, "broken") /* source or sink failed; nothing moves */

enum flow_state {
#define X(id, word) FLOW_##id,
	FLOW_STATES(X)
#undef X
		FLOW_STATE_COUNT
};

struct flow {
	struct buf out;	    /* through the chain, not yet taken by the sink */
	struct pipe *pipe;  /* with bytes that come before those; or NULL */
	uint64_t in_bytes;  /* read from the source */
	uint64_t out_bytes; /* taken by the sink */
	uint64_t active;    /* stages that look at this direction */
	uint64_t needing;   /* of those held, who wait for more */
	uint64_t skipping;  /* stages that let bytes pass unshown for a while */
	uint64_t held;	    /* stages with bytes that wait to be shown */
	uint64_t ended;	    /* stages that the end has gone past */
	uint8_t state;	    /* enum flow_state; flow_state() changes it */
	bool end_reached;   /* the end has come out of the chain */
	uint8_t emitters;   /* who emitted into out: bits of directions, and: */
#define FLOW_BY_TIME 4u	    /* callbacks that are shown no bytes */
	bool drained;	    /* a stage has ended it, and its source, too */
	bool splices : 1;   /* it is bulk: splice it where that is allowed */
	bool recv_next : 1; /* but not the next read */
	bool recv_only : 1; /* and never, as the kernel cannot */
	uint8_t streak;	    /* reads in a row that speak for the other way */
};

/* Stages that still look: 0 means that splicing is allowed. */
static inline unsigned
flow_interest(const struct flow *fl)
{
	return (unsigned)__builtin_popcountll(fl->active);
}

/* Bytes that the sink has not taken yet. */
static inline size_t
flow_left(const struct flow *fl)
{
	return fl->out.len + (fl->pipe == NULL ? 0 : fl->pipe->len);
}

/* Does nobody look, and nothing wait? */
static inline bool
flow_is_plain(const struct flow *fl)
{
	return fl->active == 0 && fl->held == 0 && flow_left(fl) == 0;
}

/* Word of a state. */
const char *flow_word(uint8_t state);
/* The only way a state changes; a step that the table lacks is a bug. */
void flow_state(struct weir_channel *ch, enum weir_dir dir, enum flow_state to);
/* May more be read from the source now, as far as this flow knows? */
bool flow_may_read(const struct weir_channel *ch, enum weir_dir dir);
/* Reads and passes on, within one turn's budget. */
void flow_read(struct weir_channel *ch, enum weir_dir dir);
/* flow_read() and flow_flush() of a flow that is open and plain, in a channel
 * with nothing else to do; true: it has nothing else to do still. */
bool flow_pass(struct weir_channel *ch, enum weir_dir dir);
/* Takes bytes that came out of the chain.  stable: they stay where they are
 * until flow_flush(), so they need no copy.  They lie in seg, if not NULL,
 * which is owned from here on. */
void flow_take(struct weir_channel *ch, enum weir_dir dir, const uint8_t *p,
	size_t n, bool stable, struct seg *seg);
/* Writes what was taken, keeps what the sink refuses. */
void flow_flush(struct weir_channel *ch, enum weir_dir dir);
/* Stage i ends this direction: the source is read on, but it does not count. */
void flow_cut(struct weir_channel *ch, enum weir_dir dir, unsigned i);
/* Is its end the next to go to the sink? */
bool flow_may_settle(const struct weir_channel *ch, enum weir_dir dir);
/* Passes the end on, once everything before it is written. */
void flow_settle(struct weir_channel *ch, enum weir_dir dir);

#endif
