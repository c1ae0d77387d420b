/* engine.c - one server of the configuration inside one worker. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "engine/channel.h"
#include "engine/engine.h"

int
engine_init(
	struct engine *e, struct loop *loop, const struct conf_server *server)
{
	e->loop = loop;
	e->server = server;
	TAILQ_INIT(&e->channels);
	return chain_compile(&e->chain, server);
}

void
engine_done(struct engine *e)
{
	chain_done(&e->chain);
}

void
engine_accept(
	struct engine *e, int fd, const struct weir_addr *peer, uint16_t listen)
{
	struct weir_channel *ch = channel_new(e, fd, peer, listen);

	if (ch == NULL) {
		log_error("%s: cannot open a channel: %s", e->server->name,
			strerror(errno));
		close(fd);
		return;
	}
	channel_run(ch);
}

void
engine_close_all(struct engine *e, enum weir_reason reason)
{
	struct weir_channel *ch, *next;

	/* A dead one stays in this list until the reap frees it. */
	for (ch = TAILQ_FIRST(&e->channels); ch != NULL; ch = next) {
		next = TAILQ_NEXT(ch, all_link);
		channel_close(ch, reason, WEIR_SELF, 0, ENDING_RESET);
	}
}
