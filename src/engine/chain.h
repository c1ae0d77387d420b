/* chain.h - the middlewares of a server, and the bytes that pass them. */
#ifndef ENGINE_CHAIN_H
#define ENGINE_CHAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/middleware.h"

struct conf_server;

struct stage {
	const struct weir_middleware *mw;
	const void *conf;
	const char *name;
	size_t ctx_off; /* of its context in the channel's block */
};

/* Compiled once per worker; up runs in order, down in reverse. */
struct chain {
	struct stage *stages;
	unsigned n;
	size_t ctx_size;    /* of all contexts */
	uint64_t active[2]; /* stages with a callback, by direction */
	uint64_t preread;   /* stages that want client bytes first */
};

/* -1 with ENOMEM. */
int chain_compile(struct chain *k, const struct conf_server *server);
void chain_done(struct chain *k);

/* Calls open in order; the channel is closing when one refused. */
void chain_open(struct weir_channel *ch);
/* Calls route in order until one has connected or served. */
void chain_route(struct weir_channel *ch);
/* err 0: tells every middleware; else only the one that connected. */
void chain_connected(struct weir_channel *ch, int err);
/* Calls close in order; the sockets are closed. */
void chain_close(struct weir_channel *ch);
/* Bytes or the end of a source enter the chain.  The bytes stay where they
 * are until both flows are flushed. */
void chain_feed(struct weir_channel *ch, enum weir_dir dir, const uint8_t *p,
	size_t n, bool eof);
/* Shows held bytes again, as far as backpressure allows. */
void chain_resume(struct weir_channel *ch, enum weir_dir dir);
/* Is an output too full into which callbacks of this direction have emitted?
 * Then they are shown nothing more until it has drained. */
bool chain_blocked(const struct weir_channel *ch, enum weir_dir dir);

#endif
