/* facts.c - what is known of a channel. */
#include "base/clock.h"
#include "engine/channel.h"
#include "engine/engine.h"

void
channel_facts(const struct weir_channel *ch, struct weir_facts *f)
{
	const struct conf_server *server = ch->engine->server;

	*f = (struct weir_facts){ .id = ch->id,
		.server = server->name,
		.listen = conf_listen_at(server, ch->listen)->text,
		.up_bytes = ch->flows[WEIR_UP].in_bytes,
		.down_bytes = ch->flows[WEIR_DOWN].out_bytes,
		.age_ms = clock_ms() - ch->opened_ms,
		.reason = ch->reason,
		.ended_by = ch->ended_by,
		.detail = ch->detail,
		.err = ch->err,
		.ended_ms = ch->ended_ms,
		.awaited = ch->state == CHANNEL_ROUTE && ch->preread != 0 };
	if (ch->end_stage != CHANNEL_NO_STAGE)
		f->module = ch->engine->chain.stages[ch->end_stage].name;
	endpoint_peer(&ch->ends[WEIR_FRONTEND], &f->client);
	endpoint_peer(&ch->ends[WEIR_BACKEND], &f->target);
}

void
weir_facts(const struct weir_call *c, struct weir_facts *f)
{
	channel_facts(c->ch, f);
}
