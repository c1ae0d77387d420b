/* wait.h - callbacks that asked to be called again later. */
#ifndef ENGINE_WAIT_H
#define ENGINE_WAIT_H

#include <stdbool.h>
#include <stdint.h>

#include "api/channel.h"
#include "engine/timeouts.h"

/* Callbacks; the first two are enum weir_dir, the first four may wait. */
enum hook {
	HOOK_UP,
	HOOK_DOWN,
	HOOK_OPEN,
	HOOK_CLOSE,
	HOOK_ROUTE,
	HOOK_CONNECTED,
	HOOK_TIMER,
	HOOK_OTHER
};

struct wait {
	struct wait *next;
	struct weir_channel *ch;
	struct timeout limit;
	uint64_t since_ms; /* when the callback asked to wait */
	uint32_t serial;
	int result;
	uint8_t stage;
	uint8_t hook;  /* enum hook */
	bool begun;    /* the verdict is in; before, there is only a ticket */
	bool over;     /* woken, or its time is up */
	bool released; /* and the channel has run since */
};

/* The wait of that callback, made when there is none; NULL with ENOMEM. */
struct wait *wait_get(struct weir_channel *ch, unsigned stage, enum hook hook);
/* The callback has asked to wait for so long (0: no limit); the channel is
 * queued when the wait is over, which may be now.  -1 with ENOMEM. */
int wait_begin(
	struct weir_channel *ch, unsigned stage, enum hook hook, uint32_t ms);
/* Does it last? */
bool wait_lasts(const struct weir_channel *ch, unsigned stage, enum hook hook);
/* Does any wait of that kind last? */
bool wait_any_lasts(const struct weir_channel *ch, enum hook hook);
/* Result of a wait that is over, which is forgotten; 0 when there was none. */
int wait_take(struct weir_channel *ch, unsigned stage, enum hook hook);
/* Ends the wait of that serial, if it is still there; the first one counts. */
void wait_wake(struct weir_channel *ch, uint32_t serial, int result);
/* Told by the sweep: its time is up. */
void wait_due(struct timeout *t);
/* Lets the stages go on whose wait is over: the channel runs. */
void wait_release(struct weir_channel *ch);
/* Ends all waits of that kind. */
void wait_end(struct weir_channel *ch, enum hook hook);
/* Voids the tickets of a callback that has not asked to wait. */
void wait_void(struct weir_channel *ch, unsigned stage);
/* Frees all. */
void wait_drop(struct weir_channel *ch);

#endif
