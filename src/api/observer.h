/* observer.h - what an extension may learn of all channels of its process. */
#ifndef WEIR_OBSERVER_H
#define WEIR_OBSERVER_H

#include "channel.h"
#include "counter.h"

struct weir_middleware;
struct weir_plan;
struct weir_service;

/* Name of server i of the configuration; NULL: there are no more. */
const char *weir_plan_server(const struct weir_plan *p, unsigned i);
/* Name of the i-th middleware in the chain of a server, and its type; NULL:
 * there are no more. */
const char *weir_plan_stage(const struct weir_plan *p, unsigned server,
	unsigned i, const struct weir_middleware **mw);

/* A channel that is looked at. */
struct weir_seen {
	unsigned server; /* of the plan */
	uint64_t id;
	void *own; /* your channel_size bytes, zeroed when it opens */
};

/* One callback of a middleware that has returned. */
struct weir_called {
	unsigned stage;	  /* of the server */
	const char *hook; /* "up"; borrowed for ever */
	size_t bytes;	  /* that it was shown */
	uint64_t ns;	  /* that it took */
};

/* Where the engine counts the bytes of a server, as they move. */
struct weir_moved {
	_Atomic uint64_t copied[2];  /* read from the source, by enum weir_dir*/
	_Atomic uint64_t spliced[2]; /* the same, past us */
	_Atomic uint64_t sent[2];    /* written to the sink */
};

#define WEIR_MOVED (sizeof(struct weir_moved) / sizeof(uint64_t))

/* Callbacks of an extension; each may be NULL, and may not touch the channel.
 * Those of times and bytes cost only where they are. */
struct weir_observer {
	size_t channel_size;
	/* A server begins in this worker: where its bytes are counted, or NULL.
	 * The first extension that says something is heard. */
	struct weir_moved *(*moved)(struct weir_service *s, unsigned server);
	/* The same of weir_count() of a middleware: a cell for each counter. */
	_Atomic uint64_t *(*events)(
		struct weir_service *s, unsigned server, unsigned stage);
	/* A client was accepted. */
	void (*opened)(struct weir_service *s, const struct weir_seen *seen);
	/* A backend is connected to (err 0), or could not be (errno). */
	void (*connected)(struct weir_service *s, const struct weir_seen *seen,
		const struct weir_addr *to, int err, uint64_t us);
	/* The backend has sent its first bytes, so long after it was connected
	 * to. */
	void (*answered)(struct weir_service *s, const struct weir_seen *seen,
		uint64_t us);
	/* A middleware's callback has returned. */
	void (*called)(struct weir_service *s, const struct weir_seen *seen,
		const struct weir_called *called);
	/* The sockets are closed; after this comes nothing of it but close
	 * callbacks. */
	void (*closed)(struct weir_service *s, const struct weir_seen *seen,
		const struct weir_facts *facts);
};

#endif
