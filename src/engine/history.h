/* history.h - the last events of a channel, kept at log level debug. */
#ifndef ENGINE_HISTORY_H
#define ENGINE_HISTORY_H

#include <stdbool.h>
#include <stdint.h>

#include "api/channel.h"

/* id, words; those of a side have it behind them in the log. */
#define HISTORY_EVENTS(X)                                                      \
	X(CONNECTED, "connected")                                              \
	X(START_READING, "start reading")                                      \
	X(READ_FINISHED, "read finished")                                      \
	X(CLOSE, "close")                                                      \
	X(CLEANUP_FINISHED, "cleanup finished")                                \
	X(TRANSPORT_FINISHED, "transport finished")                            \
	X(READ_TIMEOUT, "read timeout")                                        \
	X(READ_ERROR, "read error")                                            \
	X(WRITE_ERROR, "write error")                                          \
	X(CLOSE_ERROR, "close error")                                          \
	X(MIDDLEWARE_ERROR, "middleware error")

enum history_event {
#define X(id, words) HISTORY_##id,
	HISTORY_EVENTS(X)
#undef X
		HISTORY_EVENT_COUNT
};

/* Starts to keep them, if debug lines are written; without memory nothing is
 * kept. */
void history_keep(struct weir_channel *ch);
/* Notes an event of a side (WEIR_SELF: of none), with its errno or 0. */
void history_note(struct weir_channel *ch, enum history_event event,
	enum weir_side side, int err);
/* Logs what is kept as one line. */
void history_log(const struct weir_channel *ch);
/* Frees it; the channel has an aside. */
void history_drop(struct weir_channel *ch);

#endif
