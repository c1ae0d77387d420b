/* call.c - one callback of a middleware, and what it asked for.
 *
 * A callback never runs inside another one: what it emitted or asked for takes
 * effect when its verdict is in. */
#include <errno.h>

#include "base/log.h"
#include "engine/call.h"
#include "engine/channel.h"
#include "engine/connect.h"
#include "engine/engine.h"
#include "engine/stage.h"

struct weir_call
call_begin(struct weir_channel *ch, unsigned i)
{
	const struct stage *st = &ch->engine->chain.stages[i];

	return (struct weir_call){ .ch = ch,
		.conf = st->conf,
		.ctx = ch->ctx + st->ctx_off,
		.stage = (uint16_t)i };
}

void
call_breach(struct weir_channel *ch, unsigned i, const char *what)
{
	const struct stage *st = &ch->engine->chain.stages[i];

	log_alert("%s/%s: #%llu: broke its contract: %s",
		ch->engine->server->name, st->name, (unsigned long long)ch->id,
		what);
	if (!channel_is_ending(ch))
		ch->end_stage = (uint8_t)i;
	channel_close(ch, WEIR_R_BUG, WEIR_SELF, 0, ENDING_RESET);
}

void
call_forget(struct loop *loop)
{
	buf_clear(&loop->emitted[0]);
	buf_clear(&loop->emitted[1]);
	loop->dial.asked = loop->dial.serve = false;
	loop->misused = loop->emit_failed = false;
}

void
call_commit(struct weir_channel *ch, unsigned i, unsigned dirs)
{
	struct loop *loop = ch->engine->loop;
	struct buf emitted[2] = { loop->emitted[0], loop->emitted[1] };
	struct dial dial = loop->dial;
	bool misused = loop->misused, failed = loop->emit_failed;
	int dir;

	loop->emitted[0] = loop->emitted[1] = (struct buf){ 0 };
	call_forget(loop);
	if (misused)
		call_breach(ch, i, "a verb where it is not allowed");
	else if (failed)
		channel_close(
			ch, WEIR_R_NOMEM, WEIR_SELF, ENOMEM, ENDING_RESET);
	for (dir = 0; dir < 2; dir++) {
		if (emitted[dir].len > 0)
			ch->flows[dir].emitters |= (uint8_t)dirs;
		if (misused || failed)
			buf_clear(&emitted[dir]);
		else
			stage_give(ch, (enum weir_dir)dir, i, &emitted[dir]);
	}
	if (channel_is_ending(ch))
		return;
	if (dial.serve) {
		ch->served = true;
		channel_state(ch, CHANNEL_JOINED);
	} else if (dial.asked) {
		connect_start(ch, &dial, i);
	}
}

void
call_close(struct weir_channel *ch, unsigned i, enum weir_reason reason)
{
	if (channel_is_ending(ch))
		return;
	if (reason == WEIR_R_NONE || reason >= WEIR_R_COUNT) {
		call_breach(ch, i, "closed for no known reason");
		return;
	}
	ch->end_stage = (uint8_t)i;
	channel_close(ch, reason, WEIR_SELF, 0, ENDING_LINGER);
}
