/* drain.h - letting the channels of each server finish: until when, and how
 * those that do not are ended, all at once or a few at a time. */
#ifndef WORKER_DRAIN_H
#define WORKER_DRAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/engine.h"

struct drain;
struct event;
struct heritage;

/* How long the channels of one server may finish. */
struct patience {
	struct drain *drain;
	struct engine *engine;
	struct event *end;
	uint64_t end_ms; /* UINT64_MAX: they may for ever */
	size_t channels; /* that do not end yet, when last counted */
};

struct drain {
	struct loop *loop;
	const struct heritage *heritage;
	struct patience *v;	 /* one a server */
	struct patience **order; /* whose time is over first */
	size_t n;
	size_t nwaiting;      /* servers whose time is not over */
	struct event *spread; /* ends a few now and then */
	uint64_t spread_ms;   /* when it last did */
	uint64_t first_ms;    /* when the first server's time is over */
	double allowed; /* channels that may be ended now, parts included */
	bool on;
};

/* Does not begin it; engines in order of the servers.  -1 with errno, and
 * then drain_done() all the same. */
int drain_init(struct drain *d, struct loop *loop, struct engine *engines,
	size_t n, const struct heritage *h);
void drain_done(struct drain *d);
/* Tells the channels of "drain", once; then each server's have so many ms, 0
 * for ever, or (own) the server's close_wait.  With process.drain_rate those
 * that are left are ended at that rate, so that all are gone by then.  The loop
 * is left when the time of all servers is over. */
void drain_begin(struct drain *d, bool own, uint32_t ms);

#endif
