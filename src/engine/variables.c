/* variables.c - what the values of variables ask of a channel. */
#include "conf/reading.h"
#include "engine/call.h"
#include "engine/channel.h"
#include "engine/engine.h"

void
reading_ask(const struct weir_call *c, unsigned stage,
	const struct weir_variable *row, struct weir_value *v)
{
	struct weir_call own = call_begin(c->ch, stage, HOOK_OTHER);
	struct loop *loop = c->ch->engine->loop;
	bool misused = loop->misused;

	/* What it gives may lie in its context: locked again with all others.
	 */
	call_unlock(&own);
	loop->misused = false;
	row->get(&own, v);
	/* That is nobody else's fault. */
	if (loop->misused)
		call_breach(c->ch, stage, "a verb where it is not allowed");
	loop->misused = misused;
}

const struct conf_server *
reading_server(const struct weir_call *c)
{
	return c->ch->engine->server;
}
