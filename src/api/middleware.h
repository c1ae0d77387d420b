/* middleware.h - the descriptor that a middleware publishes as mw_NAME. */
#ifndef WEIR_MIDDLEWARE_H
#define WEIR_MIDDLEWARE_H

#include "channel.h"
#include "option.h"
#include "verdict.h"

enum weir_middleware_flag {
	/* Wants client bytes before a backend is chosen; its first pass, drop
	 * or detach upwards says that the route may be taken. */
	WEIR_PREREAD = 1
};

struct weir_middleware {
	const char *name;
	const char *help; /* one sentence with its full stop */
	const struct weir_opt *opts;
	size_t conf_size;
	size_t ctx_size;
	unsigned flags;

	/* Cross-field checks of one instance, in -t and at start: 0, or -1
	 * after weir_error().  conf is filled and stays as it is. */
	int (*check)(const void *conf, struct weir_diag *d);
	/* A frontend was accepted: weir_pass(0) or weir_close(). */
	struct weir_verdict (*open)(struct weir_call *c);
	/* Bytes in one direction; a NULL slot is detached from the start. */
	struct weir_verdict (*up)(struct weir_call *c, struct weir_bytes in);
	struct weir_verdict (*down)(struct weir_call *c, struct weir_bytes in);
	/* May choose with weir_connect() or weir_serve(); the first one wins.*/
	void (*route)(struct weir_call *c);
	/* err is 0, or why the backend could not be reached (errno; told only
	 * to the middleware that connected, which may try another). */
	void (*connected)(struct weir_call *c, int err);
	/* Exactly once for each channel, its sockets already closed. */
	void (*close)(struct weir_call *c, enum weir_reason reason);
};

#endif
