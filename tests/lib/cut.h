/* cut.h - the same bytes must mean the same, however they are cut: at once, one
 * by one, in every other way (short ones) or in some 300 (long ones).  What
 * fails names its cut, as in "he|llo"; the environment variable SEED chooses
 * the cuts of long ones again. */
#ifndef LIB_CUT_H
#define LIB_CUT_H

#include <stddef.h>

#include "api/middleware.h"

/* What came of the bytes. */
struct cut_seen {
	const char *up;	  /* what the backend got; NULL: there was none */
	const char *down; /* what the client got; NULL: it does not matter */
	const char *why;  /* log word of the reason; NULL: it does not matter */
	size_t up_len, down_len; /* where there may be NULs among it, else 0 */
};

/* Who says what through which middleware. */
struct cut_talk {
	const struct weir_middleware *mw;
	const char *options; /* as in a file; ${BACKEND} is where it listens */
	const void *conf;    /* or a struct conf, when options is NULL */
	enum weir_dir dir;   /* who says text: WEIR_UP the client, or WEIR_DOWN
				the backend, and then its end */
	const char *ask;     /* what the client says before; or NULL */
	const char *text;
	size_t len; /* of text with NULs, else 0 */
};

/* The client says text, in every way, then its end: it must come to this. */
void each_cut(const struct weir_middleware *mw, const void *conf,
	const char *text, const struct cut_seen *want);
/* The same for any talk.  want NULL: to whatever it comes when uncut. */
void each_cut_of(const struct cut_talk *talk, const struct cut_seen *want);
/* The same for the first 0, 1, 2, ... bytes of text, and all, with the end
 * behind them.  want says to what that part comes (it has a NUL behind it, and
 * seen is empty before); NULL: to whatever it comes when uncut. */
void each_end_of(const struct cut_talk *talk,
	void (*want)(const char *text, size_t len, struct cut_seen *seen));

#endif
