/* variables.c - what conf/reading asks of the engine for a variable's value. */
#include "conf/reading.h"
#include "engine/call.h"
#include "engine/channel.h"
#include "engine/engine.h"

struct weir_call
weir_call_of(const struct weir_call *c, unsigned stage)
{
	struct weir_call own = *c;

	if (stage != c->stage) {
		own = call_begin(c->ch, stage, HOOK_OTHER);
		call_look(&own);
	}
	return own;
}

const struct conf_server *
weir_server_of(const struct weir_call *c)
{
	return c->ch->engine->server;
}
