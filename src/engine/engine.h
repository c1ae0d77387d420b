/* engine.h - one server of the configuration inside one worker. */
#ifndef ENGINE_ENGINE_H
#define ENGINE_ENGINE_H

#include <sys/queue.h>

#include "api/channel.h"
#include "conf/conf.h"
#include "engine/chain.h"
#include "engine/loop.h"

struct engine {
	struct loop *loop;
	const struct conf_server *server;
	struct chain chain;
	TAILQ_HEAD(, weir_channel) channels;
};

/* -1 with ENOMEM. */
int engine_init(
	struct engine *e, struct loop *loop, const struct conf_server *server);
void engine_done(struct engine *e);
/* Opens a channel for an accepted socket, and takes fd in any case. */
void engine_accept(struct engine *e, int fd, const struct weir_addr *peer,
	uint16_t listen);
/* Resets every channel, for this reason. */
void engine_close_all(struct engine *e, enum weir_reason reason);

#endif
