/* hostile.h - a middleware that does one thing, right or wrong, at one hook,
 * and knows whether the contract allows it there. */
#ifndef LIB_HOSTILE_H
#define LIB_HOSTILE_H

#include <stdbool.h>
#include <stddef.h>

#include "api/middleware.h"

#define HOSTILE_HOOKS(X)                                                       \
	X(OPEN)                                                                \
	X(UP)                                                                  \
	X(UP_END)                                                              \
	X(DOWN)                                                                \
	X(DOWN_END)                                                            \
	X(ROUTE)                                                               \
	X(TARGET)                                                              \
	X(CONNECTED)                                                           \
	X(FAILED)                                                              \
	X(TIMER)                                                               \
	X(SIGNAL)                                                              \
	X(CLOSE)

enum hostile_hook {
#define X(id) HOSTILE_##id,
	HOSTILE_HOOKS(X)
#undef X
		HOSTILE_HOOK_COUNT
};

/* What it does, and what has become of it. */
struct hostile {
	enum hostile_hook hook;
	size_t action;
	bool always;	   /* whenever it can, else once */
	unsigned done;	   /* how often it did it */
	unsigned breaches; /* how often that was not allowed */
	unsigned opens, closes;
	bool left_over;	 /* it was called after its breach */
	size_t too_many; /* more bytes than may be held */
	struct weir_addr good, refusing, unreachable, missing;
	struct weir_ticket stale; /* of a wait that is over */
};
extern struct hostile hostile;

/* Its chain may be told that it wants client bytes first. */
extern const struct weir_middleware hostile_plain, hostile_preread;

size_t hostile_actions(void);
const char *hostile_action_word(size_t action);
const char *hostile_hook_word(enum hostile_hook hook);
/* Could this be done there at all?  A hook without a verdict has none to get
 * wrong. */
bool hostile_can(enum hostile_hook hook, size_t action);
/* The reason that this gives, when it is allowed, or WEIR_R_NONE. */
enum weir_reason hostile_reason(size_t action);
/* Nothing of an earlier channel is remembered but stale tickets. */
void hostile_start(enum hostile_hook hook, size_t action, bool always);

#endif
