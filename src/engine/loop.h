/* loop.h - what all engines of a worker share: event base, turn, scratch. */
#ifndef ENGINE_LOOP_H
#define ENGINE_LOOP_H

#include <sys/queue.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "engine/connect.h"
#include "engine/cursor.h"
#include "engine/pipe.h"
#include "engine/poller.h"
#include "engine/sinks.h"
#include "engine/ticket.h"
#include "engine/timeouts.h"

struct observers;
struct services;
struct tracer;
struct weir_channel;

TAILQ_HEAD(channel_head, weir_channel);

/* Bytes in the scratch buffer that came out of the chain uncopied. */
struct view {
	const uint8_t *p;
	size_t n;
};

struct loop {
	struct event_base *base; /* the poller's */
	struct poller poller;
	struct timeouts timeouts;
	const struct services *services;   /* its owner's; NULL: none */
	const struct observers *observers; /* its owner's; NULL: none */
	struct sinks sinks;		   /* its owner's to start and to end */
	struct event *tick;
	struct event *trim; /* comes while there is something to give back */
	bool trims;	    /* it is armed */
	bool reaped;	    /* channels, since it was */
	uint64_t tick_ms;   /* when the tick comes; UINT64_MAX: not armed */
	struct pipes pipes;
	uint64_t copied_bytes;	/* read, of all channels: shown or could be */
	size_t turn_bytes;	/* spliced in this turn */
	uint64_t spliced_bytes; /* past us */
	uint8_t *scratch;
	size_t scratch_size;
	struct channel_head run; /* to be run once more, before the next wait */
	struct channel_head dead; /* to be freed at the end of the turn */
	struct tickets tickets;
	TAILQ_HEAD(, engine) engines; /* of this worker */
	LIST_HEAD(, cursor) cursors;  /* that are on their way */
	LIST_HEAD(, tracer) tracers;
	size_t channels;
	size_t fds;	       /* that the channels have or may want */
	size_t fds_most;       /* nobody is accepted who may want more */
	uint64_t next_word_ms; /* when to complain again of what lacks */
	uint64_t last_id;
	bool leaving; /* loop_run() returns after this turn */

	const struct weir_channel *running; /* NULL: none; for who crashes */
	/* Of the one channel that is being run now: */
	struct view view[2];   /* by direction */
	uint64_t busy[2];      /* stages inside their loop, by direction */
	const void *calling;   /* the call whose callback runs, or NULL */
	size_t shown;	       /* bytes, to the last one that is shown any */
	uint64_t entered_ns;   /* when it was called; if observers want it */
	struct buf emitted[2]; /* by that callback */
	struct dial dial;      /* asked by that callback */
	const char *why;       /* of its verdict, or NULL */
	bool end[2];	       /* by direction, asked by that callback */
	bool failed;	       /* memory ran out in a verb */
	bool misused;	       /* a verb that is not allowed there */
	bool ticketed;	       /* it has a ticket */
};

/* -1 with errno.  scratch_size: the largest read_max. */
int loop_init(struct loop *loop, size_t scratch_size);
void loop_done(struct loop *loop);
/* Takes from the descriptors that channels may have what pipes need. */
void loop_limit_pipes(struct loop *loop);
/* Takes turns until loop->leaving: events, then the run list, then the reap. */
void loop_run(struct loop *loop);
/* One turn; waits for events unless a channel waits to be run. */
void loop_turn(struct loop *loop);

#endif
