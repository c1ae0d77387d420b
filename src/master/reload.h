/* reload.h - a new generation, prepared beside the one that runs: nothing of
 * what serves is touched until it is ready. */
#ifndef MASTER_RELOAD_H
#define MASTER_RELOAD_H

#include <sys/types.h>

#include <stdbool.h>
#include <stdint.h>

#include "master/generation.h"

struct conf_overrides;

/* id, log word, what is true in it. */
#define RELOAD_STATES(X)                                                       \
	X(IDLE, "idle")	  /* nothing is being prepared */                      \
	X(LOAD, "load")	  /* a child reads and loads the file */               \
	X(BIND, "bind")	  /* it is loaded; addresses are missing */            \
	X(START, "start") /* all is bound, its workers start */                \
	X(READY, "ready") /* they are: it may take over */

enum reload_state {
#define X(id, word) RELOAD_##id,
	RELOAD_STATES(X)
#undef X
		RELOAD_STATE_COUNT
};

struct reload {
	/* Set by the owner, who outlives this. */
	const char *file;
	const struct conf_overrides *over;
	const struct drop *drop;
	struct shm *shm;
	struct generation_runs runs;
	/* How many descriptors the master has, or may have, open now. */
	size_t (*files)(void *arg);
	void *arg; /* of all these */

	enum reload_state state;
	pid_t loader; /* 0: none */
	int status;   /* of the loader, once it is reaped */
	int said_fd;  /* what the loader says; -1: none */
	int texts_fd; /* what it has read; -1: none */
	size_t said_len;
	char said[1024]; /* a line of it that is not whole yet */
	uint64_t deadline_ms;
	uint64_t retry_ms;
	const struct generation *current;
	unsigned number;
	struct generation *next; /* NULL: not loaded yet */
	pid_t *dying;		 /* children that were killed, not reaped yet */
	size_t ndying;
};

void reload_init(struct reload *r);
/* Begins to prepare generation number beside current. */
void reload_start(struct reload *r, const struct generation *current,
	unsigned number, uint64_t now_ms);
/* Takes what the loader says: to the log. */
void reload_read(struct reload *r);
/* Was that child the loader, or one of those that were killed in vain? */
bool reload_reaped(struct reload *r, pid_t pid, int status);
/* Goes on as far as it can; false: it failed, which is logged, and nothing is
 * left of it. */
bool reload_turn(struct reload *r, uint64_t now_ms);
/* When reload_turn() has something to do next; UINT64_MAX: nothing. */
uint64_t reload_next(const struct reload *r);
/* The generation that is ready; idle from here on. */
struct generation *reload_take(struct reload *r);
/* Undoes all of it, in reverse; its processes may still be dying. */
void reload_cancel(struct reload *r);
/* Frees what is left when none is under way. */
void reload_done(struct reload *r);
/* In a child: closes what it has open. */
void reload_shed(struct reload *r);
/* Log word of a state. */
const char *reload_word(enum reload_state state);

#endif
