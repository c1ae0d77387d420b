/* engine.h - one server of the configuration inside one worker. */
#ifndef ENGINE_ENGINE_H
#define ENGINE_ENGINE_H

#include <sys/queue.h>

#include "api/channel.h"
#include "api/observer.h"
#include "base/pool.h"
#include "conf/conf.h"
#include "engine/chain.h"
#include "engine/loop.h"

#define ENGINE_EVENTS_KEPT 16
#define ENGINE_SILENT_MS   1000 /* without a byte: not in use now */

struct engine {
	struct loop *loop;
	const struct conf_server *server;
	struct chain chain;
	TAILQ_HEAD(, weir_channel) channels;
	struct pool blocks;		       /* of those */
	TAILQ_ENTRY(engine) link;	       /* of the loop */
	const char *names[ENGINE_EVENTS_KEPT]; /* of the last events */
	uint32_t events;		       /* how many there have been */
	struct weir_moved *moved;	       /* where its bytes are counted */
	struct weir_moved unseen; /* or here, when nobody wants them */
	unsigned number;	  /* of its server in the plan; for observers */
	bool hurried;		  /* close callbacks may not wait any more */
};

/* Starts its middlewares; -1 with errno. */
int engine_init(
	struct engine *e, struct loop *loop, const struct conf_server *server);
/* Stops its middlewares; there are no channels. */
void engine_done(struct engine *e);
/* Opens a channel for an accepted socket, and takes fd in any case. */
void engine_accept(struct engine *e, int fd, const struct weir_addr *peer,
	uint16_t listen);
/* Tells every channel of an event when it runs next; borrows the name for
 * ever. */
void engine_signal(struct engine *e, const char *event);
/* Tells one channel of all events that it has not been told of. */
void engine_tell(struct weir_channel *ch);
/* Resets every channel, for this reason. */
void engine_close_all(struct engine *e, enum weir_reason reason);
/* Resets so many channels, told of "stop" before: those that are silent first,
 * the longest silence before the others; then the oldest. */
void engine_shed(struct engine *e, size_t n);
/* The worker leaves: tells all of "stop", resets them, and lets no close
 * callback wait. */
void engine_stop(struct engine *e);

#endif
