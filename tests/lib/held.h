/* held.h - a weir with a channel in each state in which one may stay, or in one
 * of these alone. */
#ifndef LIB_HELD_H
#define LIB_HELD_H

#include <stddef.h>

#include "lib/hole.h"

#define HELD_ALL ((size_t)-1)
#define HELD_FDS 64

/* X(word, its chain); the last one does not stay for
 * long by itself. */
#define HELD_STATES(X)                                                         \
	X(open, "{ type = \"stay\"; }, " HELD_FORWARD)                         \
	X(route, "{ type = \"gate\"; }, " HELD_FORWARD)                        \
	X(race, "{ type = \"gate\"; }, { type = \"forward\";"                  \
		" first_byte = \"race\"; race_after = \"10ms\";"               \
		" to = \"${BACKEND}\"; }")                                     \
	X(connect, "{ type = \"forward\"; to = \"${HOLE}\"; }")                \
	X(relay, HELD_FORWARD)                                                 \
	X(unread, HELD_FORWARD)                                                \
	X(half, HELD_FORWARD)                                                  \
	X(delayed, "{ type = \"delay\"; up = \"1h\"; }, " HELD_FORWARD)        \
	X(closing, "{ type = \"heed\"; close = \"1h\"; }, " HELD_FORWARD)      \
	X(linger, "{ type = \"deny\"; }, " HELD_FORWARD)
#define HELD_FORWARD "{ type = \"forward\"; to = \"${BACKEND}\"; }"

struct daemon;

struct held {
	struct daemon *d;
	struct hole hole;
	int backend;
	int fds[HELD_FDS]; /* far ends of the channels */
	size_t nfds;
	char variables[2][40];
};

/* How many states there are, and the word of one. */
size_t held_states(void);
const char *held_word(size_t state);
/* Starts a weir with one worker, a close_wait of wait and the same
 * drain_timeout; holds a channel in that state, or one in each: HELD_ALL. */
void held_start(struct held *h, size_t state, const char *wait);
/* Lets go of the channels; the daemon has been finished. */
void held_done(struct held *h);

#endif
