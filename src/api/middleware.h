/* middleware.h - the descriptor that a middleware publishes as mw_NAME. */
#ifndef WEIR_MIDDLEWARE_H
#define WEIR_MIDDLEWARE_H

#include "channel.h"
#include "option.h"
#include "variable.h"
#include "verdict.h"

enum weir_middleware_flag {
	/* Wants client bytes before a backend is chosen; its first pass, drop
	 * or detach upwards says that the route may be taken. */
	WEIR_PREREAD = 1
};

/* What workers are allowed only where a configuration needs it: id, capability,
 * its number, what it is for (capabilities(7)). */
#define WEIR_NEEDS(X)                                                          \
	X(NET_BIND_SERVICE, "CAP_NET_BIND_SERVICE", 10) /* bind low ports */   \
	X(NET_ADMIN, "CAP_NET_ADMIN", 12)		/* set SO_MARK */      \
	X(NET_RAW, "CAP_NET_RAW", 13) /* bind foreign addresses */

enum weir_needs {
#define X(id, word, number) WEIR_NEEDS_##id = 1 << (number),
	WEIR_NEEDS(X)
#undef X
};

struct services;
struct weir_claim;

/* One entry of a chain inside one worker. */
struct weir_instance {
	const void *conf;
	void *state; /* your state_size bytes, zeroed before start */
	const char *name;
	const char *server;
	const struct services *services; /* the engine's own */
};

struct weir_middleware {
	const char *name;
	const char *help; /* one sentence with its full stop */
	/* Options of an entry that works, for the manual and for tests, as in
	 * to = "127.0.0.1:9"; (which becomes the address of their backend).
	 * NULL: it works without any. */
	const char *example;
	const struct weir_opt *opts;
	size_t conf_size;
	size_t ctx_size;   /* for each channel */
	size_t state_size; /* for each worker */
	unsigned flags;
	const struct weir_variable *variables; /* ends with name NULL */
	/* What it counts with weir_count(), in that order; ends with NULL.
	 * Lower case, digits and "_", as in "refused". */
	const char *const *counters;

	/* Cross-field checks of one instance, in -t and at start: 0, or -1
	 * after weir_error().  conf is filled and stays as it is. */
	int (*check)(const void *conf, struct weir_diag *d);
	/* Fills in the i-th column of a table that it counts in (limiter.h),
	 * from 0 on; false: there are no more.  -t looks whether they are there
	 * and go together. */
	bool (*claim)(const void *conf, unsigned i, struct weir_claim *claim);
	/* Which of WEIR_NEEDS_... its workers need for this; they keep those
	 * and no others.  weir refuses to start without them. */
	uint32_t (*needs)(const void *conf);
	/* Is a silent client perhaps connected, as its backend may speak first?
	 * Then listeners of the server cannot have defer_accept. */
	bool (*races)(const void *conf);
	/* A worker starts with this entry: 0, or -1 with errno when it cannot.
	 */
	int (*start)(struct weir_instance *in);
	/* It leaves, all channels closed; only after a start that was 0. */
	void (*stop)(struct weir_instance *in);
	/* A frontend was accepted: weir_pass(0), weir_wait() or weir_close().*/
	struct weir_verdict (*open)(struct weir_call *c);
	/* Bytes in one direction; a NULL slot is detached from the start. */
	struct weir_verdict (*up)(struct weir_call *c, struct weir_bytes in);
	struct weir_verdict (*down)(struct weir_call *c, struct weir_bytes in);
	/* May choose with weir_connect() or weir_serve(); the first one wins.*/
	void (*route)(struct weir_call *c);
	/* A backend is about to be connected to at this address: weir_pass(0),
	 * or weir_close(). */
	struct weir_verdict (*target)(
		struct weir_call *c, const struct weir_addr *to);
	/* err is 0, or why the backend could not be reached (errno; told only
	 * to the middleware that connected, which may try another). */
	void (*connected)(struct weir_call *c, int err);
	/* The time of weir_timer() has come: weir_pass(0) or weir_close(). */
	struct weir_verdict (*timer)(struct weir_call *c);
	/* An event of the engine: "drain" when new connections go elsewhere,
	 * "stop" when all channels are about to be reset, or one of
	 * weir_signal(): weir_pass(0) or weir_close(). */
	struct weir_verdict (*signal)(struct weir_call *c, const char *event);
	/* Exactly once for each channel, its sockets already closed:
	 * weir_pass(0) or weir_wait(). */
	struct weir_verdict (*close)(
		struct weir_call *c, enum weir_reason reason);
};

#endif
