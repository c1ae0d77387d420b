/* timeouts.h - the time limits of all channels: links, not timer objects.
 *
 * A wheel of 64 slots a level, the slots of a level as long as all of the level
 * below; a link moves down a level as its time comes near.  I/O only stores a
 * timestamp: who looks at a link that is due may find that it is early. */
#ifndef ENGINE_TIMEOUTS_H
#define ENGINE_TIMEOUTS_H

#include <sys/queue.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* id and word, as it stands in the log behind the reason. */
#define TIMEOUT_KINDS(X)                                                       \
	X(NONE, "none")                                                        \
	X(DUMB, "dumb_connect_timeout")                                        \
	X(PREREAD, "preread_timeout")                                          \
	X(CONNECT, "connect_timeout")                                          \
	X(IDLE, "idle_timeout")                                                \
	X(HALF_CLOSE, "half_close_timeout")                                    \
	X(SESSION, "session_timeout")                                          \
	X(LINGER, "linger")                                                    \
	X(RESET_FLUSH, "reset_flush")                                          \
	X(RESET_POLL, "reset_poll")                                            \
	X(CLOSE_WAIT, "close_wait")                                            \
	/* From here on modules ask for them, and want them on the ms. */      \
	X(WAIT, "wait")                                                        \
	X(TIMER, "timer")

enum timeout_kind {
#define X(id, word) TIMEOUT_##id,
	TIMEOUT_KINDS(X)
#undef X
		TIMEOUT_COUNT
};

struct timeout {
	TAILQ_ENTRY(timeout) link;
	uint64_t due_ms;
	uint8_t kind; /* TIMEOUT_NONE: in no slot */
	uint8_t level, slot;
};

TAILQ_HEAD(timeout_head, timeout);

#define TIMEOUTS_LEVELS 6 /* 64^6 ms are more than UINT32_MAX */
#define TIMEOUTS_SLOTS	64

struct timeouts {
	uint64_t now_ms;  /* of the last sweep */
	uint64_t next_ms; /* nothing to do before; UINT64_MAX: nothing at all */
	size_t exact;	  /* how many there are that modules asked for */
	uint64_t used[TIMEOUTS_LEVELS]; /* bits of slots that are not empty */
	struct timeout_head slots[TIMEOUTS_LEVELS][TIMEOUTS_SLOTS];
};

/* Told of each link that is due, already taken out. */
typedef void timeouts_due(struct timeout *t, enum timeout_kind kind);

void timeouts_init(struct timeouts *ts, uint64_t now_ms);
/* Makes t due value_ms after since_ms, whatever it was before; 0 = never. */
void timeouts_set(struct timeouts *ts, struct timeout *t,
	enum timeout_kind kind, uint32_t value_ms, uint64_t since_ms);
void timeouts_clear(struct timeouts *ts, struct timeout *t);
/* Calls due for all links that are due at now_ms, in the order of their time,
 * then finds next_ms anew; what is set meanwhile waits for the next sweep. */
void timeouts_sweep(struct timeouts *ts, uint64_t now_ms, timeouts_due *due);
/* Word of a kind. */
const char *timeout_word(enum timeout_kind kind);

#endif
