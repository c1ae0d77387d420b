/* chain.h - the middlewares of a server, and the bytes that pass them. */
#ifndef ENGINE_CHAIN_H
#define ENGINE_CHAIN_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/middleware.h"

struct conf_server;

struct stage {
	const struct weir_middleware *mw;
	const void *conf;
	const char *name;
	const struct weir_condition *when; /* NULL: always */
	void *state;			   /* of this worker */
	size_t ctx_off;		  /* of its context in the channel's block */
	_Atomic uint64_t *events; /* its counters; NULL: nobody wants them */
	unsigned nevents;
};

/* Compiled once per worker; up runs in order, down in reverse. */
struct chain {
	struct stage *stages;
	const struct services *services; /* of the loop */
	unsigned n;
	size_t ctx_size;    /* of all contexts */
	uint64_t active[2]; /* stages with a callback, by direction */
	uint64_t preread;   /* stages that want client bytes first */
	uint64_t late;	    /* stages whose condition is decided at the route */
	bool has_target;    /* a stage wants to see addresses */
	bool has_signal;    /* a stage wants to hear events */
};

/* -1 with ENOMEM. */
int chain_compile(struct chain *k, const struct conf_server *server);
/* Calls start in order; -1 with errno when one cannot, which is logged, those
 * before it stopped again. */
int chain_start(struct chain *k, const struct conf_server *server);
/* Calls stop in reverse order. */
void chain_stop(struct chain *k, const struct conf_server *server);
void chain_done(struct chain *k);

/* Calls open in order of those whose condition is known from the beginning and
 * true; the channel is closing when one refused.  False: one waits. */
bool chain_open(struct weir_channel *ch);
/* The same of the others: client bytes have been seen. */
bool chain_open_late(struct weir_channel *ch);
/* Calls route in order until one has connected or served; all are opened. */
void chain_route(struct weir_channel *ch);
/* Asks these whether the address may be connected to; if not, the channel is
 * closing. */
void chain_target(
	struct weir_channel *ch, const struct weir_addr *to, uint64_t these);
/* Tells a stage that its time has come, or all of an event of the engine. */
void chain_timer(struct weir_channel *ch, unsigned i);
void chain_signal(struct weir_channel *ch, const char *event);
/* err 0: tells every middleware; else only the one that connected. */
void chain_connected(struct weir_channel *ch, int err);
/* The channel is over: whose condition is still unknown takes no part. */
void chain_leave(struct weir_channel *ch);
/* Calls close in order; the sockets are closed.  False: it is to be called
 * again, for one waits. */
bool chain_close(struct weir_channel *ch);
/* Bytes or the end of a source enter the chain.  The bytes stay where they
 * are until both flows are flushed. */
void chain_feed(struct weir_channel *ch, enum weir_dir dir, const uint8_t *p,
	size_t n, bool eof);
/* Shows held bytes again, as far as backpressure allows. */
void chain_resume(struct weir_channel *ch, enum weir_dir dir);
/* Is an output too full into which callbacks of this direction have emitted?
 * Then they are shown nothing more until it has drained. */
bool chain_blocked(const struct weir_channel *ch, enum weir_dir dir);
/* The same of what stage i has emitted when it was shown no bytes. */
bool chain_blocks_timer(const struct weir_channel *ch, unsigned i);
/* Stages that may not be shown bytes yet, as they wait or are not opened. */
uint64_t chain_barred(const struct weir_channel *ch, enum weir_dir dir);

#endif
