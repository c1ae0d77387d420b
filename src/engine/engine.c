/* engine.c - one server of the configuration inside one worker. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "engine/channel.h"
#include "engine/engine.h"
#include "engine/observe.h"

int
engine_init(
	struct engine *e, struct loop *loop, const struct conf_server *server)
{
	e->loop = loop;
	e->server = server;
	e->moved = &e->unseen;
	TAILQ_INIT(&e->channels);
	if (chain_compile(&e->chain, server) == -1) {
		chain_done(&e->chain);
		return -1;
	}
	e->chain.services = loop->services;
	if (loop->observers != NULL)
		observe_engine(e);
	if (chain_start(&e->chain, server) == -1) {
		chain_done(&e->chain);
		return -1;
	}
	pool_init(&e->blocks,
		sizeof(struct weir_channel) + e->chain.ctx_size +
			(loop->observers == NULL ? 0 : loop->observers->size));
	TAILQ_INSERT_TAIL(&loop->engines, e, link);
	return 0;
}

void
engine_done(struct engine *e)
{
	TAILQ_REMOVE(&e->loop->engines, e, link);
	pool_trim(&e->blocks);
	chain_stop(&e->chain, e->server);
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

void
engine_signal(struct engine *e, const char *event)
{
	struct weir_channel *ch;

	if (!e->chain.has_signal)
		return;
	e->names[e->events++ % ENGINE_EVENTS_KEPT] = event;
	TAILQ_FOREACH(ch, &e->channels, all_link)
	{
		if (!channel_is_ending(ch))
			channel_queue(ch);
	}
}

void
engine_tell(struct weir_channel *ch)
{
	struct engine *e = ch->engine;
	uint32_t last = e->events; /* who signals meanwhile is told later */

	if (ch->state == CHANNEL_OPEN)
		return;
	/* Callbacks may add to the ring, and so take the oldest out of it. */
	while ((int32_t)(last - ch->told) > 0 && !channel_is_ending(ch)) {
		uint32_t lost = e->events - ch->told;

		if (lost > ENGINE_EVENTS_KEPT) {
			lost -= ENGINE_EVENTS_KEPT;
			log_error("%s: #%llu: %u events were lost",
				e->server->name, (unsigned long long)ch->id,
				lost);
			ch->told += lost;
			continue;
		}
		chain_signal(ch, e->names[ch->told++ % ENGINE_EVENTS_KEPT]);
	}
}

static void
engine_say_stop(struct weir_channel *ch)
{
	if (ch->state != CHANNEL_OPEN && !channel_is_ending(ch))
		chain_signal(ch, "stop");
}

/* Who goes first: see engine_shed(). */
static int
channel_compare(const void *left, const void *right)
{
	const struct weir_channel *a = *(struct weir_channel *const *)left;
	const struct weir_channel *b = *(struct weir_channel *const *)right;
	uint64_t silent_ms = clock_ms() - ENGINE_SILENT_MS;
	bool a_silent = a->last_ms <= silent_ms;
	bool b_silent = b->last_ms <= silent_ms;
	uint64_t at = a_silent ? a->last_ms : a->opened_ms;
	uint64_t bt = b_silent ? b->last_ms : b->opened_ms;

	if (a_silent != b_silent)
		return a_silent ? -1 : 1;
	return (at > bt) - (at < bt);
}

void
engine_shed(struct engine *e, size_t n)
{
	struct weir_channel *ch, **v;
	size_t live = 0, i = 0;

	TAILQ_FOREACH(ch, &e->channels, all_link)
	{
		live += !channel_is_ending(ch);
	}
	v = calloc(live + 1, sizeof(ch));
	/* The next time comes soon. */
	if (v == NULL)
		return;
	TAILQ_FOREACH(ch, &e->channels, all_link)
	{
		if (!channel_is_ending(ch))
			v[i++] = ch;
	}
	qsort(v, live, sizeof(ch), channel_compare);
	for (i = 0; i < live && i < n; i++) {
		engine_say_stop(v[i]);
		channel_close(v[i], WEIR_R_STOPPED, WEIR_SELF, 0, ENDING_RESET);
	}
	free(v);
}

void
engine_stop(struct engine *e)
{
	struct weir_channel *ch, *next;

	e->hurried = true;
	for (ch = TAILQ_FIRST(&e->channels); ch != NULL; ch = next) {
		next = TAILQ_NEXT(ch, all_link);
		engine_say_stop(ch);
		channel_hurry(ch);
	}
	engine_close_all(e, WEIR_R_STOPPED);
}
