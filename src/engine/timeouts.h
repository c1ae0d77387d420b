/* timeouts.h - the time limits of all channels: links, not timer objects.
 *
 * One list per length, in order of start, so that only its head can be due.
 * I/O stores a timestamp; a link that turns out to be early is moved. */
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
	X(RESET_POLL, "reset_poll")

enum timeout_kind {
#define X(id, word) TIMEOUT_##id,
	TIMEOUT_KINDS(X)
#undef X
		TIMEOUT_COUNT
};

struct timeout {
	TAILQ_ENTRY(timeout) link;
	uint64_t since_ms;
	uint16_t list;
	uint8_t kind; /* TIMEOUT_NONE: in no list */
};

struct timeout_list;

struct timeouts {
	struct timeout_list **lists;
	uint16_t nlists;
	uint64_t
		next_ms; /* nothing is due before; UINT64_MAX: nothing at all */
};

/* Told of each link that is due, already taken out of its list. */
typedef void timeouts_due(struct timeout *t, enum timeout_kind kind);

void timeouts_init(struct timeouts *ts);
void timeouts_done(struct timeouts *ts);
/* Makes t due value_ms after since_ms, whatever it was before; 0 = never.
 * -1 with ENOMEM, then t is in no list. */
int timeouts_set(struct timeouts *ts, struct timeout *t, enum timeout_kind kind,
	uint32_t value_ms, uint64_t since_ms);
void timeouts_clear(struct timeouts *ts, struct timeout *t);
/* Calls due for all links that are due at now_ms, then finds next_ms anew. */
void timeouts_sweep(struct timeouts *ts, uint64_t now_ms, timeouts_due *due);
/* Word of a kind. */
const char *timeout_word(enum timeout_kind kind);

#endif
