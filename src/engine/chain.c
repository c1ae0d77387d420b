/* chain.c - the middlewares of a server, called in order. */
#include <stdlib.h>
#include <string.h>

#include "engine/call.h"
#include "engine/chain.h"
#include "engine/channel.h"
#include "engine/engine.h"
#include "engine/stage.h"

int
chain_compile(struct chain *k, const struct conf_server *server)
{
	unsigned i;

	*k = (struct chain){ .n = (unsigned)server->stages.n };
	k->stages = calloc(k->n > 0 ? k->n : 1, sizeof(*k->stages));
	if (k->stages == NULL)
		return -1;
	for (i = 0; i < k->n; i++) {
		const struct conf_stage *from = conf_stage_at(server, i);
		const struct weir_middleware *mw = from->mw;

		k->stages[i] = (struct stage){ .mw = mw,
			.conf = from->conf,
			.name = from->name,
			.ctx_off = k->ctx_size };
		k->ctx_size += (mw->ctx_size + 15) & ~(size_t)15;
		if (mw->up != NULL)
			k->active[WEIR_UP] |= stage_bit(i);
		if (mw->down != NULL)
			k->active[WEIR_DOWN] |= stage_bit(i);
		if ((mw->flags & WEIR_PREREAD) && mw->up != NULL)
			k->preread |= stage_bit(i);
	}
	return 0;
}

void
chain_done(struct chain *k)
{
	free(k->stages);
	*k = (struct chain){ 0 };
}

void
chain_open(struct weir_channel *ch)
{
	const struct chain *k = &ch->engine->chain;
	struct loop *loop = ch->engine->loop;
	unsigned i;

	for (i = 0; i < k->n && !channel_is_ending(ch); i++) {
		struct weir_call c = call_begin(ch, i);
		struct weir_verdict v;

		if (k->stages[i].mw->open == NULL)
			continue;
		loop->calling = &c;
		v = k->stages[i].mw->open(&c);
		loop->calling = NULL;
		call_commit(ch, i, 0);
		if (v.kind == WEIR_V_CLOSE)
			call_close(ch, i, v.reason);
		else if (v.kind != WEIR_V_PASS || v.n != 0)
			call_breach(ch, i, "open wants pass(0) or close");
	}
}

void
chain_route(struct weir_channel *ch)
{
	const struct chain *k = &ch->engine->chain;
	struct loop *loop = ch->engine->loop;
	unsigned i;

	for (i = 0; i < k->n && ch->state == CHANNEL_ROUTE; i++) {
		struct weir_call c = call_begin(ch, i);

		if (k->stages[i].mw->route == NULL)
			continue;
		loop->calling = &c;
		k->stages[i].mw->route(&c);
		loop->calling = NULL;
		call_commit(ch, i, 0);
	}
}

void
chain_connected(struct weir_channel *ch, int err)
{
	const struct chain *k = &ch->engine->chain;
	struct loop *loop = ch->engine->loop;
	struct flow *up = &ch->flows[WEIR_UP];
	struct buf held = up->out;
	uint64_t ended = up->ended;
	unsigned teller = ch->dial_stage, i;

	/* What is emitted now goes ahead of all that was held for a backend,
	 * even of its end. */
	up->out = (struct buf){ 0 };
	up->ended = 0;
	for (i = 0; i < k->n && !channel_is_ending(ch); i++) {
		struct weir_call c = call_begin(ch, i);

		if (k->stages[i].mw->connected == NULL ||
			(err != 0 && i != teller))
			continue;
		loop->calling = &c;
		k->stages[i].mw->connected(&c, err);
		loop->calling = NULL;
		call_commit(ch, i, 0);
	}
	up->ended |= ended;
	buf_move(&up->out, &held);
}

void
chain_close(struct weir_channel *ch)
{
	const struct chain *k = &ch->engine->chain;
	struct loop *loop = ch->engine->loop;
	unsigned i;

	for (i = 0; i < k->n; i++) {
		struct weir_call c = call_begin(ch, i);
		struct weir_verdict v;

		if (k->stages[i].mw->close == NULL)
			continue;
		loop->calling = &c;
		v = k->stages[i].mw->close(&c, ch->reason);
		loop->calling = NULL;
		call_commit(ch, i, 0);
		if (v.kind != WEIR_V_PASS || v.n != 0)
			call_breach(ch, i, "close wants pass(0) or wait");
	}
}

bool
chain_blocked(const struct weir_channel *ch, enum weir_dir dir)
{
	size_t most = ch->engine->server->hold_max;
	unsigned dirs = 1u << dir;

	return (ch->flows[0].out.len > most &&
		       (ch->flows[0].emitters & dirs)) ||
	       (ch->flows[1].out.len > most && (ch->flows[1].emitters & dirs));
}

void
chain_feed(struct weir_channel *ch, enum weir_dir dir, const uint8_t *p,
	size_t n, bool eof)
{
	struct piece in = { .p = p, .n = n, .eof = eof, .stable = true };

	stage_feed(ch, dir, dir == WEIR_UP ? 0 : (int)ch->engine->chain.n - 1,
		&in);
}

void
chain_resume(struct weir_channel *ch, enum weir_dir dir)
{
	struct flow *fl = &ch->flows[dir];
	uint64_t left = fl->held;

	/* The last stages first, so that the others find them empty. */
	while (left != 0 && !channel_is_ending(ch) && !chain_blocked(ch, dir)) {
		unsigned i = dir == WEIR_UP
				     ? 63u - (unsigned)__builtin_clzll(left)
				     : (unsigned)__builtin_ctzll(left);

		left &= ~stage_bit(i);
		stage_resume(ch, dir, i);
	}
}
