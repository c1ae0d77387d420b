/* cut.h - the same bytes must mean the same, however they are cut. */
#ifndef LIB_CUT_H
#define LIB_CUT_H

#include <stdbool.h>

#include "api/middleware.h"

/* What came of a client's bytes. */
struct cut_seen {
	const char *up;	 /* what the backend got; NULL: there was none */
	const char *why; /* log word of the reason */
};

/* Sends text through the middleware, cut in every way, then an end; each time
 * it must come to this. */
void each_cut(const struct weir_middleware *mw, const void *conf,
	const char *text, const struct cut_seen *want);

#endif
