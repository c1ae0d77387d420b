/* trace.h - who watches what channels do, while it happens. */
#ifndef ENGINE_TRACE_H
#define ENGINE_TRACE_H

#include <sys/queue.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/channel.h"

/* What has happened to a channel. */
struct trace_event {
	const char *what, *more; /* words; more follows what, or is NULL */
	enum weir_side side;	 /* WEIR_SELF: of none */
	int err;		 /* errno, or 0 */
	bool spliced;
	uint64_t n;	  /* bytes read or written */
	const uint8_t *p; /* those; NULL: they are not seen */
};

/* Its callbacks must not touch the channel. */
struct tracer {
	LIST_ENTRY(tracer) link; /* of the loop */
	bool (*wants)(struct tracer *t, const struct weir_channel *ch);
	void (*told)(struct tracer *t, const struct weir_channel *ch,
		const struct trace_event *e);
};

/* From now on it is told of what becomes of the channels that it wants and that
 * are new, and of those that trace_mark() has shown it. */
void tracer_begin(struct tracer *t, struct loop *loop);
void tracer_end(struct tracer *t);
/* Does t want it?  Then it is told from now on. */
bool trace_mark(struct tracer *t, struct weir_channel *ch);

/* For channels with their traced bit: */

/* Tells all who want it. */
void trace_tell(struct weir_channel *ch, const struct trace_event *e);
/* A channel is new. */
void trace_opened(struct weir_channel *ch);
/* n bytes were read from a side, or written to it; p: NULL when spliced. */
void trace_bytes(struct weir_channel *ch, enum weir_side side, const char *what,
	const uint8_t *p, uint64_t n);
/* Something in words. */
void trace_words(struct weir_channel *ch, enum weir_side side, const char *what,
	const char *more, int err);

#endif
