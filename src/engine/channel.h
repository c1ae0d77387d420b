/* channel.h - a frontend, a backend once chosen, and two flows. */
#ifndef ENGINE_CHANNEL_H
#define ENGINE_CHANNEL_H

#include <sys/queue.h>

#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>

#include "engine/endpoint.h"
#include "engine/flow.h"
#include "engine/timeouts.h"

struct aside;
struct engine;
struct hold;

/* id, word, what is true in it. */
#define CHANNEL_STATES(X)                                                      \
	X(OPEN, "open")	  /* accepted; the open callbacks come first */        \
	X(ROUTE, "route") /* opened; client bytes may be shown, no backend */  \
	X(RACE, "race")	  /* nobody has spoken, a backend is connected to */   \
	X(CONNECT, "connect") /* a backend is chosen; client bytes are held */ \
	X(JOINED, "joined")   /* connected, or served here: bytes move */      \
	X(CLOSING, "closing") /* its reason is fixed; last bytes go out */     \
	X(DEAD, "dead")	      /* sockets closed; waits to be freed */

enum channel_state {
#define X(id, word) CHANNEL_##id,
	CHANNEL_STATES(X)
#undef X
		CHANNEL_STATE_COUNT
};

/* How the sockets are closed once the reason is fixed. */
enum channel_ending {
	ENDING_CLOSE,	  /* both flows are through: plainly */
	ENDING_RESET,	  /* by RST, whatever is queued */
	ENDING_LINGER,	  /* our own refusal: write, SHUT_WR, read and drop */
	ENDING_SILENT,	  /* the client is told nothing at all */
	ENDING_FLUSH_UP,  /* a reset goes on to the backend after the bytes */
	ENDING_FLUSH_DOWN /* a reset goes on to the frontend */
};

struct weir_channel {
	struct engine *engine;
	uint64_t id;
	uint64_t opened_ms;
	uint64_t last_ms; /* last byte in or out */
	TAILQ_ENTRY(weir_channel) all_link;
	TAILQ_ENTRY(weir_channel) turn_link; /* run list, then dead list */
	struct timeout phase;		     /* of what it waits for now */
	struct timeout total;		     /* of all it may take */
	struct endpoint ends[2];	     /* by enum weir_side */
	struct flow flows[2];		     /* by enum weir_dir */
	struct hold *holds;
	struct aside *aside; /* NULL as long as nothing there is needed */
	const char *detail;  /* facts' own; a literal, or NULL */
	int err;	     /* errno of the first failure */
	int dial_err;	     /* of a connect that failed at once */
	uint64_t preread;    /* stages that have not said yes */
	uint64_t off;	     /* stages whose condition is false */
	uint32_t ended_ms;   /* age at the first end */
	uint32_t told;	     /* how many events of the engine it has seen */
	uint32_t lingered;   /* bytes dropped while lingering */
	uint16_t listen;     /* index into the server's listen list */
	uint8_t state;	     /* enum channel_state */
	uint8_t ending;	     /* enum channel_ending */
	uint8_t reason;	     /* enum weir_reason, of the first end */
	uint8_t ended_by;    /* enum weir_side */
	uint8_t end_stage;   /* stage that ended it, or CHANNEL_NO_STAGE */
	uint8_t dial_stage;  /* stage that connects, or CHANNEL_NO_STAGE */
	uint8_t next_stage;  /* whose open, then whose close, comes next */
	bool queued : 1;     /* on the run list */
	bool unanswered : 1; /* observers wait for its backend's first bytes */
	bool served : 1;     /* no backend: answered here */
	bool joined : 1;     /* has had a backend */
	bool dialed : 1;     /* dial_err waits to be told */
	bool failing : 1;    /* a peer's reset is seen, its bytes go first */
	bool lingering : 1;  /* SHUT_WR is done */
	bool asked : 1;	     /* its condition is, who opens next */
	bool opened : 1;     /* all are that need no client bytes for it */
	bool late : 1;	     /* conditions of the route are asked */
	bool decided : 1;    /* so are all */
	bool spare : 1;	  /* a backend that lost the race may still be used */
	bool hurried : 1; /* close callbacks may not wait any more */
	bool ahead : 1;	  /* what is emitted up goes ahead of what is held */
	bool raced : 1;	  /* client bytes are waited for since a race */
	bool traced : 1;  /* somebody watches it, or has */
	alignas(16) uint8_t ctx[];
};

#define CHANNEL_NO_STAGE 0xff

/* Word of a state. */
const char *channel_word(uint8_t state);

static inline struct endpoint *
channel_source(struct weir_channel *ch, enum weir_dir dir)
{
	return &ch->ends[dir];
}

static inline struct endpoint *
channel_sink(struct weir_channel *ch, enum weir_dir dir)
{
	return &ch->ends[!dir];
}

/* The direction whose source this side is. */
static inline enum weir_dir
channel_dir(enum weir_side side)
{
	return side == WEIR_FRONTEND ? WEIR_UP : WEIR_DOWN;
}

static inline bool
channel_is_ending(const struct weir_channel *ch)
{
	return ch->state >= CHANNEL_CLOSING;
}

/* Takes fd and makes a channel of it; NULL with errno, then fd is the
 * caller's still. */
struct weir_channel *channel_new(struct engine *engine, int fd,
	const struct weir_addr *peer, uint16_t listen);
/* Fills in what is known of it now, as weir_facts(). */
void channel_facts(const struct weir_channel *ch, struct weir_facts *facts);
/* The only way a state changes; a step that the table lacks is a bug. */
void channel_state(struct weir_channel *ch, enum channel_state to);
/* Does whatever can be done now; the entry for events, time and the run list.*/
void channel_run(struct weir_channel *ch);
/* Latches what the kernel said of an endpoint's socket, and runs. */
void channel_ready(struct endpoint *ep, uint32_t events);
/* Runs the channel again in this turn's run list; a dead one is reaped. */
void channel_queue(struct weir_channel *ch);
/* Closes the socket of one side, by RST if reset. */
void channel_hang_up(struct weir_channel *ch, enum weir_side side, bool reset);
/* Fixes why the channel ends (the first call counts) and how. */
void channel_close(struct weir_channel *ch, enum weir_reason reason,
	enum weir_side by, int err, enum channel_ending ending);
/* The socket of one side failed with err: nothing more can be written there,
 * what it sent before may still be read. */
void channel_side_failed(struct weir_channel *ch, enum weir_side side, int err);
/* The source of a flow is at its end (err 0) or failed, all bytes read. */
void channel_source_ended(struct weir_channel *ch, enum weir_dir dir, int err);
/* Both sockets can be closed now; the block is freed by the reap. */
void channel_die(struct weir_channel *ch, bool reset);
/* Told by the sweep. */
void channel_timeout_due(struct timeout *t, enum timeout_kind kind);
/* Sets the time limit of what it waits for now. */
void channel_wait(
	struct weir_channel *ch, enum timeout_kind kind, uint32_t value_ms);
/* Calls what is left of the close callbacks of a dead channel, then frees it
 * unless one of them waits. */
void channel_bury(struct weir_channel *ch);
/* Its close callbacks may not wait, nor go on to. */
void channel_hurry(struct weir_channel *ch);

#endif
