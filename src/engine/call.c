/* call.c - one callback of a middleware, and what it asked for.
 *
 * A callback never runs inside another one: what it emitted or asked for takes
 * effect when its verdict is in. */
#include <errno.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/poison.h"
#include "engine/aside.h"
#include "engine/call.h"
#include "engine/channel.h"
#include "engine/connect.h"
#include "engine/engine.h"
#include "engine/history.h"
#include "engine/observe.h"
#include "engine/opening.h"
#include "engine/stage.h"

#ifdef WEIR_DEBUG
bool call_aborts = true;
#else
bool call_aborts = false;
#endif

struct weir_call
call_begin(struct weir_channel *ch, unsigned i, enum hook hook)
{
	const struct stage *st = &ch->engine->chain.stages[i];

	return (struct weir_call){ .ch = ch,
		.conf = st->conf,
		.ctx = st->mw->ctx_size > 0 ? ch->ctx + st->ctx_off : NULL,
		.state = st->state,
		.stage = (uint16_t)i,
		.hook = (uint16_t)hook };
}

void
call_unlock(const struct weir_call *c)
{
	memory_poison(c->ctx,
		c->ch->engine->chain.stages[c->stage].mw->ctx_size, false);
}

void
call_lock_all(struct weir_channel *ch)
{
	memory_poison(ch->ctx, ch->engine->chain.ctx_size, true);
}

void
call_unlock_all(struct weir_channel *ch)
{
	memory_poison(ch->ctx, ch->engine->chain.ctx_size, false);
}

void
call_enter(struct weir_call *c)
{
	struct loop *loop = c->ch->engine->loop;

	call_unlock(c);
	loop->calling = c;
	loop->why = NULL;
	if (loop->observers != NULL)
		observe_enter(loop);
}

void
call_leave(struct weir_call *c)
{
	struct loop *loop = c->ch->engine->loop;

	if (loop->observers != NULL)
		observe_leave(c);
	loop->calling = NULL;
	call_lock_all(c->ch);
}

void
call_breach(struct weir_channel *ch, unsigned i, const char *what)
{
	const struct stage *st = &ch->engine->chain.stages[i];

	log_alert("%s/%s: #%llu: broke its contract: %s",
		ch->engine->server->name, st->name, (unsigned long long)ch->id,
		what);
	history_note(ch, HISTORY_MIDDLEWARE_ERROR, WEIR_SELF, 0);
	if (!channel_is_ending(ch) && ch->reason == WEIR_R_NONE) {
		ch->end_stage = (uint8_t)i;
		ch->detail = what;
	}
	channel_close(ch, WEIR_R_BUG, WEIR_SELF, 0, ENDING_RESET);
}

void
call_forget(struct loop *loop)
{
	buf_clear(&loop->emitted[0]);
	buf_clear(&loop->emitted[1]);
	loop->dial.asked = loop->dial.serve = false;
	loop->end[0] = loop->end[1] = false;
	loop->misused = loop->failed = loop->ticketed = false;
}

bool
call_has_acted(struct weir_channel *ch, unsigned i)
{
	struct loop *loop = ch->engine->loop;

	if (loop->emitted[0].len + loop->emitted[1].len == 0 &&
		!loop->dial.asked && !loop->dial.serve && !loop->end[0] &&
		!loop->end[1])
		return false;
	call_forget(loop);
	call_breach(ch, i, "holds bytes after it has acted on them");
	if (call_aborts)
		abort();
	return true;
}

/* Marks directions that stop while what was emitted into dir has not drained.
 * Who emits at other times than when shown bytes has them, as a rule, from the
 * source of that direction; what is answered here comes from the client. */
static void
call_mark(struct weir_channel *ch, unsigned i, enum weir_dir dir, unsigned dirs)
{
	if (dirs == 0) {
		dirs = 1u << dir | (ch->served ? 1u << WEIR_UP : 0) |
		       FLOW_BY_TIME;
		if (ch->aside != NULL)
			ch->aside->by_time |= stage_bit(i);
	}
	ch->flows[dir].emitters |= (uint8_t)dirs;
}

unsigned
call_commit(struct weir_channel *ch, unsigned i, unsigned dirs)
{
	struct loop *loop = ch->engine->loop;
	struct buf emitted[2] = { loop->emitted[0], loop->emitted[1] };
	struct dial dial = loop->dial;
	bool misused = loop->misused, failed = loop->failed;
	bool end[2] = { loop->end[0], loop->end[1] };
	const char *why = loop->why;
	unsigned answered = 0;
	uint64_t mine[2], kept[2];
	int dir;

	if (loop->ticketed)
		wait_void(ch, i);
	loop->emitted[0] = loop->emitted[1] = (struct buf){ 0 };
	call_forget(loop);
	if (misused)
		call_breach(ch, i, "a verb where it is not allowed");
	else if (failed)
		channel_close(
			ch, WEIR_R_NOMEM, WEIR_SELF, ENOMEM, ENDING_RESET);
	/* Both before others are called: what it emits then comes too late. */
	for (dir = 0; dir < 2; dir++)
		end[dir] = end[dir] && stage_cut(ch, (enum weir_dir)dir, i);
	/* What others answer to a part of it comes behind all of it; so does
	 * what it is shown because they gave it what it still needed. */
	for (dir = 0; dir < 2; dir++) {
		mine[dir] = stage_bit(i) & ~loop->busy[dir];
		kept[dir] = ch->flows[dir].held & ~ch->flows[dir].needing;
		loop->busy[dir] |= mine[dir];
	}
	for (dir = 0; dir < 2; dir++) {
		if (emitted[dir].len > 0)
			call_mark(ch, i, (enum weir_dir)dir, dirs);
		if (misused || failed)
			buf_clear(&emitted[dir]);
		else
			stage_give(ch, (enum weir_dir)dir, i, &emitted[dir],
				end[dir]);
	}
	for (dir = 0; dir < 2; dir++) {
		loop->busy[dir] &= ~mine[dir];
		if (ch->flows[dir].held & mine[dir] & ~kept[dir])
			answered |= 1u << dir;
	}
	loop->why = why; /* who was shown what was emitted has his own */
	if (!channel_is_ending(ch) && (dial.serve || dial.asked))
		opening_choose(ch, &dial, i);
	return answered;
}

void
call_hear(struct weir_channel *ch, unsigned i, unsigned answered)
{
	int dir;

	for (dir = 0; dir < 2; dir++)
		if (answered & 1u << dir)
			stage_resume(ch, (enum weir_dir)dir, i);
}

void
call_close(struct weir_channel *ch, unsigned i, struct weir_verdict v)
{
	static const uint8_t endings[] = {
		[WEIR_MANNER_CLOSE] = ENDING_LINGER,
		[WEIR_MANNER_RESET] = ENDING_RESET,
		[WEIR_MANNER_SILENT] = ENDING_SILENT,
	};

	if (channel_is_ending(ch))
		return;
	if (v.reason == WEIR_R_NONE || v.reason >= WEIR_R_COUNT ||
		v.ms >= WEIR_MANNER_COUNT) {
		call_breach(ch, i, "closed for no known reason");
		return;
	}
	/* A reset that was seen before is the first end. */
	if (ch->reason == WEIR_R_NONE) {
		ch->end_stage = (uint8_t)i;
		ch->detail = ch->engine->loop->why;
	}
	channel_close(ch, v.reason, WEIR_SELF, 0, endings[v.ms]);
}

void
call_judge(struct weir_channel *ch, unsigned i, struct weir_verdict v)
{
	unsigned answered;

	if (v.kind != WEIR_V_CLOSE && (v.kind != WEIR_V_PASS || v.n != 0)) {
		call_forget(ch->engine->loop);
		call_breach(ch, i, "wants pass(0) or close here");
		return;
	}
	answered = call_commit(ch, i, 0);
	if (v.kind == WEIR_V_CLOSE)
		call_close(ch, i, v);
	call_hear(ch, i, answered);
}

bool
call_wait(struct weir_channel *ch, unsigned i, enum hook hook, uint32_t ms)
{
	if (call_has_acted(ch, i))
		return false;
	ch->engine->loop->ticketed = false;
	call_commit(ch, i, 0);
	if (channel_is_ending(ch) && hook != HOOK_CLOSE)
		return false;
	if (wait_begin(ch, i, hook, ms) == 0)
		return true;
	channel_close(ch, WEIR_R_NOMEM, WEIR_SELF, ENOMEM, ENDING_RESET);
	return false;
}
