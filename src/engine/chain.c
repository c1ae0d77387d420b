/* chain.c - run verdicts over bytes, one stage at a time.
 *
 * Rules kept here so that no module has to think about them:
 *   - a callback never runs inside another one: what it emitted or asked for
 *     takes effect when its verdict is in;
 *   - bytes of one direction keep their order, whoever emits what meanwhile;
 *   - who passes needs no copy: a view of the scratch buffer goes on. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "engine/chain.h"
#include "engine/channel.h"
#include "engine/engine.h"
#include "engine/hold.h"

/* Bytes on their way to a stage. */
struct piece {
	const uint8_t *p;
	size_t n;
	bool eof;
	bool stable;	 /* stays where it is until the flush */
	struct seg *seg; /* owner of the bytes, if they are emitted ones */
};

static void
stage_feed(struct weir_channel *, enum weir_dir, int, struct piece *);
static void
stage_show(struct weir_channel *, enum weir_dir, unsigned, struct piece *);

static struct loop *
channel_loop(const struct weir_channel *ch)
{
	return ch->engine->loop;
}

static uint64_t
bit(unsigned stage)
{
	return (uint64_t)1 << stage;
}

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
			k->active[WEIR_UP] |= bit(i);
		if (mw->down != NULL)
			k->active[WEIR_DOWN] |= bit(i);
		if ((mw->flags & WEIR_PREREAD) && mw->up != NULL)
			k->preread |= bit(i);
	}
	return 0;
}

void
chain_done(struct chain *k)
{
	free(k->stages);
	*k = (struct chain){ 0 };
}

static struct weir_call
call_begin(struct weir_channel *ch, unsigned i)
{
	const struct stage *st = &ch->engine->chain.stages[i];

	return (struct weir_call){ .ch = ch,
		.conf = st->conf,
		.ctx = ch->ctx + st->ctx_off,
		.stage = (uint16_t)i };
}

static void
stage_breach(struct weir_channel *ch, unsigned i, const char *what)
{
	const struct stage *st = &ch->engine->chain.stages[i];

	log_alert("%s/%s: #%llu: broke its contract: %s",
		ch->engine->server->name, st->name, (unsigned long long)ch->id,
		what);
	if (!channel_is_ending(ch))
		ch->end_stage = (uint8_t)i;
	channel_close(ch, WEIR_R_BUG, WEIR_SELF, 0, ENDING_RESET);
}

/* Emitted bytes enter the chain behind the stage that emitted them; nothing can
 * follow an end that is there already. */
static void
stage_give(struct weir_channel *ch, enum weir_dir dir, unsigned i,
	struct buf *emitted)
{
	struct seg *s;

	if (ch->flows[dir].ended & bit(i))
		buf_clear(emitted);
	while ((s = buf_shift(emitted)) != NULL) {
		struct piece in = { .p = s->data + s->start,
			.n = s->end - s->start,
			.seg = s };

		stage_feed(
			ch, dir, dir == WEIR_UP ? (int)i + 1 : (int)i - 1, &in);
		free(in.seg);
	}
}

/* Leaves nothing that the next callback would seem to have asked for. */
static void
call_forget(struct loop *loop)
{
	buf_clear(&loop->emitted[0]);
	buf_clear(&loop->emitted[1]);
	loop->dial.asked = loop->dial.serve = false;
	loop->misused = loop->emit_failed = false;
}

/* Makes true what the callback that has just returned asked for.  dirs: bit of
 * the direction whose bytes it was shown, 0 for other callbacks. */
static void
call_commit(struct weir_channel *ch, unsigned i, unsigned dirs)
{
	struct loop *loop = channel_loop(ch);
	struct buf emitted[2] = { loop->emitted[0], loop->emitted[1] };
	struct dial dial = loop->dial;
	bool misused = loop->misused, failed = loop->emit_failed;
	int dir;

	loop->emitted[0] = loop->emitted[1] = (struct buf){ 0 };
	call_forget(loop);
	if (misused)
		stage_breach(ch, i, "a verb where it is not allowed");
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

/* A middleware ended the channel by its verdict. */
static void
stage_close(struct weir_channel *ch, unsigned i, enum weir_reason reason)
{
	if (channel_is_ending(ch))
		return;
	if (reason == WEIR_R_NONE || reason >= WEIR_R_COUNT) {
		stage_breach(ch, i, "closed for no known reason");
		return;
	}
	ch->end_stage = (uint8_t)i;
	channel_close(ch, reason, WEIR_SELF, 0, ENDING_LINGER);
}

void
chain_open(struct weir_channel *ch)
{
	const struct chain *k = &ch->engine->chain;
	struct loop *loop = channel_loop(ch);
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
			stage_close(ch, i, v.reason);
		else if (v.kind != WEIR_V_PASS || v.n != 0)
			stage_breach(ch, i, "open wants pass(0) or close");
	}
}

void
chain_route(struct weir_channel *ch)
{
	const struct chain *k = &ch->engine->chain;
	struct loop *loop = channel_loop(ch);
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
	struct loop *loop = channel_loop(ch);
	struct flow *up = &ch->flows[WEIR_UP];
	struct buf held = up->out;
	unsigned teller = ch->dial_stage, i;

	/* What is emitted now goes ahead of all that was held for a backend. */
	up->out = (struct buf){ 0 };
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
	buf_move(&up->out, &held);
}

void
chain_close(struct weir_channel *ch)
{
	const struct chain *k = &ch->engine->chain;
	struct loop *loop = channel_loop(ch);
	unsigned i;

	for (i = 0; i < k->n; i++) {
		struct weir_call c = call_begin(ch, i);

		if (k->stages[i].mw->close == NULL)
			continue;
		loop->calling = &c;
		k->stages[i].mw->close(&c, ch->reason);
		loop->calling = NULL;
		call_commit(ch, i, 0);
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

/* First stage that bytes must stop at, at or behind i: it still looks, or has
 * bytes that may not be overtaken; -1: the chain's end. */
static int
stage_next(const struct weir_channel *ch, enum weir_dir dir, int i)
{
	const struct flow *fl = &ch->flows[dir];
	uint64_t left = fl->active | fl->held | channel_loop(ch)->busy[dir];

	if (dir == WEIR_UP) {
		left = i >= CONF_STAGES_MAX ? 0
					    : left & ~(bit((unsigned)i) - 1);
		return left == 0 ? -1 : __builtin_ctzll(left);
	}
	left = i < 0 ? 0 : left & (~(uint64_t)0 >> (63 - i));
	return left == 0 ? -1 : 63 - __builtin_clzll(left);
}

/* Stages that bytes have passed when they are at this one. */
static uint64_t
stages_before(enum weir_dir dir, int at)
{
	if (at == -1)
		return ~(uint64_t)0;
	return dir == WEIR_UP ? bit((unsigned)at) - 1
			      : ~(bit((unsigned)at) | (bit((unsigned)at) - 1));
}

/* Keeps the piece until the stage can be shown it. */
static void
stage_keep(struct weir_channel *ch, enum weir_dir dir, unsigned i,
	struct piece *in, bool front)
{
	if (hold_add(ch, dir, i, in->p, in->n, in->eof, front) == -1)
		channel_close(
			ch, WEIR_R_NOMEM, WEIR_SELF, ENOMEM, ENDING_RESET);
	in->n = 0;
	in->eof = false;
}

/* Hands a piece to whoever comes at or behind stage i; it is used up. */
static void
stage_feed(struct weir_channel *ch, enum weir_dir dir, int i, struct piece *in)
{
	struct flow *fl = &ch->flows[dir];
	int at;

	if (channel_is_ending(ch))
		return;
	at = stage_next(ch, dir, i);
	if (in->eof)
		fl->ended = stages_before(dir, at);
	if (at == -1) {
		flow_take(ch, dir, in->p, in->n, in->stable, in->seg);
		in->seg = NULL;
		fl->end_reached |= in->eof;
		return;
	}
	/* Nobody is shown bytes before his open callback has run. */
	if (((channel_loop(ch)->busy[dir] | fl->held) & bit((unsigned)at)) ||
		(ch->state == CHANNEL_OPEN && dir == WEIR_UP))
		stage_keep(ch, dir, (unsigned)at, in, false);
	else
		stage_show(ch, dir, (unsigned)at, in);
}

/* Applies a verdict on a piece; what it judged leaves the piece. */
static void
stage_judge(struct weir_channel *ch, enum weir_dir dir, unsigned i,
	struct piece *in, struct weir_verdict v)
{
	struct piece on = *in;

	if (v.kind >= WEIR_V_COUNT || v.n > in->n ||
		(v.n == 0 && in->n > 0 && v.kind <= WEIR_V_DROP)) {
		call_forget(channel_loop(ch));
		stage_breach(ch, i,
			v.n > in->n ? "judged more bytes than it was shown"
				    : "judged none of the bytes");
		return;
	}
	if (v.kind == WEIR_V_DETACH) {
		ch->flows[dir].active &= ~bit(i);
		v.n = in->n;
	}
	if (dir == WEIR_UP && v.kind != WEIR_V_CLOSE)
		ch->preread &= ~bit(i);
	call_commit(ch, i, 1u << dir);
	if (v.kind == WEIR_V_CLOSE) {
		stage_close(ch, i, v.reason);
		return;
	}
	on.n = v.kind == WEIR_V_DROP ? 0 : v.n;
	on.eof = in->eof && v.n == in->n;
	if (on.n != in->n)
		on.seg = NULL; /* a part of it is copied */
	in->p += v.n;
	in->n -= v.n;
	if (on.eof)
		in->eof = false;
	if (on.n == 0 && !on.eof)
		return;
	if (on.seg != NULL) {
		in->seg = NULL;
		on.seg->start = (uint32_t)(on.p - on.seg->data);
	}
	stage_feed(ch, dir, dir == WEIR_UP ? (int)i + 1 : (int)i - 1, &on);
	free(on.seg);
}

/* Shows a piece until it is used up, or kept because of backpressure. */
static void
stage_show_piece(struct weir_channel *ch, enum weir_dir dir, unsigned i,
	struct piece *in)
{
	const struct stage *st = &ch->engine->chain.stages[i];
	struct loop *loop = channel_loop(ch);

	while ((in->n > 0 || in->eof) && !channel_is_ending(ch)) {
		struct weir_call c = call_begin(ch, i);
		struct weir_bytes bytes = { in->p, in->n, in->eof };
		struct weir_verdict v;

		if (!(ch->flows[dir].active & bit(i))) {
			stage_feed(ch, dir,
				dir == WEIR_UP ? (int)i + 1 : (int)i - 1, in);
			return;
		}
		if (chain_blocked(ch, dir)) {
			stage_keep(ch, dir, i, in, true);
			return;
		}
		loop->calling = &c;
		v = (dir == WEIR_UP ? st->mw->up : st->mw->down)(&c, bytes);
		loop->calling = NULL;
		stage_judge(ch, dir, i, in, v);
	}
}

/* Shows what is held, in order, for as long as backpressure allows. */
static void
stage_show_held(struct weir_channel *ch, enum weir_dir dir, unsigned i)
{
	struct piece in = { 0 };

	while (!channel_is_ending(ch) && !chain_blocked(ch, dir) &&
		hold_shift(ch, dir, i, &in.seg, &in.eof)) {
		static const uint8_t nothing;

		in.p = in.seg == NULL ? &nothing : in.seg->data + in.seg->start;
		in.n = in.seg == NULL ? 0 : in.seg->end - in.seg->start;
		stage_show_piece(ch, dir, i, &in);
		free(in.seg);
	}
}

static void
stage_show(struct weir_channel *ch, enum weir_dir dir, unsigned i,
	struct piece *in)
{
	struct loop *loop = channel_loop(ch);

	/* What comes meanwhile waits behind this piece. */
	loop->busy[dir] |= bit(i);
	stage_show_piece(ch, dir, i, in);
	stage_show_held(ch, dir, i);
	loop->busy[dir] &= ~bit(i);
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
	struct loop *loop = channel_loop(ch);
	struct flow *fl = &ch->flows[dir];
	uint64_t left = fl->held;

	/* The last stages first, so that the others find them empty. */
	while (left != 0 && !channel_is_ending(ch) && !chain_blocked(ch, dir)) {
		unsigned i = dir == WEIR_UP
				     ? 63u - (unsigned)__builtin_clzll(left)
				     : (unsigned)__builtin_ctzll(left);

		left &= ~bit(i);
		loop->busy[dir] |= bit(i);
		stage_show_held(ch, dir, i);
		loop->busy[dir] &= ~bit(i);
	}
}
