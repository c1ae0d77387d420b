/* verdict.h - what a callback says about the bytes it was shown. */
#ifndef WEIR_VERDICT_H
#define WEIR_VERDICT_H

#include <stddef.h>
#include <stdint.h>

enum weir_reason {
#define WEIR_REASON(id, word, text, is_error) WEIR_R_##id,
#include "reason.def"
#undef WEIR_REASON
	WEIR_R_COUNT
};

enum weir_kind {
	WEIR_V_PASS,
	WEIR_V_DROP,
	WEIR_V_DETACH,
	WEIR_V_CLOSE,
	WEIR_V_NEED,
	WEIR_V_SKIP,
	WEIR_V_WAIT,
	WEIR_V_COUNT
};

/* How a channel that a middleware ends looks to its client; the words are the
 * choices of an option, weir_manner_words[]. */
#define WEIR_MANNERS(X)                                                        \
	X(CLOSE, "close")   /* last words, then an end; it may finish */       \
	X(RESET, "reset")   /* a reset at once, last words are lost */         \
	X(SILENT, "silent") /* nothing: no end, no reset, as if lost */

enum weir_manner {
#define X(id, word) WEIR_MANNER_##id,
	WEIR_MANNERS(X)
#undef X
		WEIR_MANNER_COUNT
};

/* In order of enum weir_manner; ends with NULL. */
extern const char *const weir_manner_words[];

struct weir_verdict {
	uint8_t kind;
	uint8_t reason;
	uint32_t ms;
	size_t n;
};
_Static_assert(sizeof(struct weir_verdict) == 16, "returned in two registers");

#define WEIR_USE __attribute__((warn_unused_result))

/* First n bytes go on; the rest is shown again at once. */
WEIR_USE static inline struct weir_verdict
weir_pass(size_t n)
{
	return (struct weir_verdict){ .kind = WEIR_V_PASS, .n = n };
}

/* First n bytes vanish; the rest is shown again at once. */
WEIR_USE static inline struct weir_verdict
weir_drop(size_t n)
{
	return (struct weir_verdict){ .kind = WEIR_V_DROP, .n = n };
}

/* The next n bytes, seen or not yet, pass unshown; then it is shown again. */
WEIR_USE static inline struct weir_verdict
weir_skip(size_t n)
{
	return (struct weir_verdict){ .kind = WEIR_V_SKIP, .n = n };
}

/* Shows the same bytes again when there are at least n, or at their end; not
 * after an emit, not at the end, and n is more than there are. */
WEIR_USE static inline struct weir_verdict
weir_need(size_t n)
{
	return (struct weir_verdict){ .kind = WEIR_V_NEED, .n = n };
}

/* Stops this direction until weir_wake() with a ticket of this call, or for so
 * long (0: as long as the limits of the server let it); then shows the same
 * bytes again (and what has come behind them), c->result telling what came: the
 * waker's result, or -ETIMEDOUT. Not after an emit.  From open: calls open
 * again.  From close: the context lives on so long, at most close_wait, and
 * nothing is called again. */
WEIR_USE static inline struct weir_verdict
weir_wait(uint32_t ms)
{
	return (struct weir_verdict){ .kind = WEIR_V_WAIT, .ms = ms };
}

/* These and all later bytes pass; never called again in this direction. */
WEIR_USE static inline struct weir_verdict
weir_detach(void)
{
	return (struct weir_verdict){ .kind = WEIR_V_DETACH };
}

/* Ends the channel, after what was emitted has been written. */
WEIR_USE static inline struct weir_verdict
weir_close(enum weir_reason reason)
{
	return (struct weir_verdict){ .kind = WEIR_V_CLOSE,
		.reason = (uint8_t)reason };
}

/* The same, in that manner. */
WEIR_USE static inline struct weir_verdict
weir_refuse(enum weir_reason reason, enum weir_manner manner)
{
	return (struct weir_verdict){ .kind = WEIR_V_CLOSE,
		.reason = (uint8_t)reason,
		.ms = (uint32_t)manner };
}

/* Log word of a reason ("done"); borrowed for ever. */
const char *weir_reason_word(enum weir_reason reason);

#endif
