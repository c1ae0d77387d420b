/* stage.c - bytes on their way through the stages of a chain.
 *
 * Bytes of one direction keep their order, whoever emits what meanwhile; who
 * passes needs no copy: a view of the scratch buffer goes on. */
#include <errno.h>
#include <stdlib.h>

#include "engine/aside.h"
#include "engine/call.h"
#include "engine/chain.h"
#include "engine/channel.h"
#include "engine/engine.h"
#include "engine/hold.h"
#include "engine/stage.h"
#include "engine/wait.h"

static void
stage_show(struct weir_channel *, enum weir_dir, unsigned, struct piece *);

/* Place in the chain of what comes behind stage i. */
static int
stage_behind(enum weir_dir dir, unsigned i)
{
	return dir == WEIR_UP ? (int)i + 1 : (int)i - 1;
}

/* Has the end of this direction gone past the stage, or begun there? */
static bool
stage_has_ended(const struct weir_channel *ch, enum weir_dir dir, unsigned i)
{
	return (ch->flows[dir].ended | aside_cut(ch, dir)) & stage_bit(i);
}

bool
stage_cut(struct weir_channel *ch, enum weir_dir dir, unsigned i)
{
	if (channel_is_ending(ch) || stage_has_ended(ch, dir, i))
		return false;
	hold_clear(ch, dir, i);
	flow_cut(ch, dir, i);
	/* It is shown no client bytes any more. */
	if (dir == WEIR_UP)
		ch->preread &= ~stage_bit(i);
	return true;
}

void
stage_give(struct weir_channel *ch, enum weir_dir dir, unsigned i,
	struct buf *emitted, bool end)
{
	struct piece last = { .p = (const uint8_t *)"", .eof = true };
	struct seg *s;

	if (!end && stage_has_ended(ch, dir, i))
		buf_clear(emitted);
	while ((s = buf_shift(emitted)) != NULL) {
		struct piece in = { .p = s->data + s->start,
			.n = s->end - s->start,
			.seg = s };

		stage_feed(ch, dir, stage_behind(dir, i), &in);
		seg_free(in.seg);
	}
	if (end)
		stage_feed(ch, dir, stage_behind(dir, i), &last);
}

/* First stage that bytes must stop at, at or behind i: it still looks, or has
 * bytes that may not be overtaken; -1: the chain's end. */
static int
stage_next(const struct weir_channel *ch, enum weir_dir dir, int i)
{
	const struct flow *fl = &ch->flows[dir];
	uint64_t left = fl->active | fl->held | ch->engine->loop->busy[dir];

	if (ch->ahead && dir == WEIR_UP)
		left &= ~fl->held;

	if (dir == WEIR_UP) {
		left = i >= CONF_STAGES_MAX
			       ? 0
			       : left & ~(stage_bit((unsigned)i) - 1);
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
	return dir == WEIR_UP ? stage_bit((unsigned)at) - 1
			      : ~(stage_bit((unsigned)at) |
					(stage_bit((unsigned)at) - 1));
}

/* Stages that bytes pass, unshown, from place i on until this one. */
static uint64_t
stages_passed(enum weir_dir dir, int i, int at)
{
	return stages_before(dir, at) &
	       ~stages_before(dir, i < CONF_STAGES_MAX ? i : -1);
}

/* Is the piece, at place i and not shown to anybody before at, going to pass a
 * stage that has ended this direction? */
static bool
stage_is_cut(const struct weir_channel *ch, enum weir_dir dir, int i, int at)
{
	uint64_t to = stages_passed(dir, i, at);

	if (at != -1)
		to |= stage_bit((unsigned)at);
	return aside_cut(ch, dir) & to;
}

/* Keeps the piece until the stage can be shown it. */
static void
stage_keep(struct weir_channel *ch, enum weir_dir dir, unsigned i,
	struct piece *in, bool front)
{
	int rc;

	if (front && in->seg != NULL) {
		in->seg->start = (uint32_t)(in->p - in->seg->data);
		rc = hold_put_back(ch, dir, i, in->seg, in->eof);
		if (rc == 0)
			in->seg = NULL;
	} else {
		rc = hold_add(ch, dir, i, in->p, in->n, in->eof, front);
	}
	if (rc == -1)
		channel_close(
			ch, WEIR_R_NOMEM, WEIR_SELF, ENOMEM, ENDING_RESET);
	in->n = 0;
	in->eof = false;
}

void
stage_feed(struct weir_channel *ch, enum weir_dir dir, int i, struct piece *in)
{
	struct flow *fl = &ch->flows[dir];
	int at;

	if (channel_is_ending(ch))
		return;
	at = stage_next(ch, dir, i);
	if (stage_is_cut(ch, dir, i, at)) {
		in->n = 0;
		in->eof = false;
		return;
	}
	/* Those before, if it began here, are shown what the source still says.
	 */
	if (in->eof)
		fl->ended |= stages_passed(dir, i, at);
	if (at == -1) {
		flow_take(ch, dir, in->p, in->n, in->stable, in->seg);
		in->seg = NULL;
		fl->end_reached |= in->eof;
		return;
	}
	if ((ch->engine->loop->busy[dir] | fl->held | chain_barred(ch, dir)) &
		stage_bit((unsigned)at)) {
		bool was_short = fl->needing & stage_bit((unsigned)at);

		stage_keep(ch, dir, (unsigned)at, in, false);
		/* Who is busy comes back to it himself. */
		if (was_short && !((fl->needing | ch->engine->loop->busy[dir]) &
					 stage_bit((unsigned)at)))
			stage_resume(ch, dir, (unsigned)at);
	} else {
		stage_show(ch, dir, (unsigned)at, in);
	}
}

/* Holds a piece until there is more of it: nothing else may have happened. */
static void
stage_need(struct weir_channel *ch, enum weir_dir dir, unsigned i,
	struct piece *in, size_t n)
{
	if (n <= in->n || in->eof) {
		call_forget(ch->engine->loop);
		call_breach(ch, i,
			in->eof ? "needs more than there will ever be"
				: "needs no more than it was shown");
	} else if (call_has_acted(ch, i)) {
		return;
	} else if (n > ch->engine->server->hold_max) {
		call_commit(ch, i, 1u << dir);
		ch->engine->loop->why = "needs more than hold_max";
		call_close(ch, i, weir_close(WEIR_R_LIMIT));
	} else {
		call_commit(ch, i, 1u << dir);
		stage_keep(ch, dir, i, in, true);
		hold_need(ch, dir, i, n);
	}
}

/* The first n bytes of a piece leave it: they go on, or vanish; its end goes on
 * with the last of them. */
static void
stage_on(struct weir_channel *ch, enum weir_dir dir, unsigned i,
	struct piece *in, size_t n, bool drop)
{
	struct piece on = *in;

	/* It has ended this direction itself: nothing of it goes on. */
	if (stage_has_ended(ch, dir, i)) {
		in->n = 0;
		in->eof = false;
		return;
	}
	on.n = drop ? 0 : n;
	on.eof = in->eof && n == in->n;
	if (on.n != in->n)
		on.seg = NULL; /* a part of it is copied */
	in->p += n;
	in->n -= n;
	if (on.eof) {
		in->eof = false;
		ch->flows[dir].ended |= stage_bit(i);
	}
	if (on.n == 0 && !on.eof)
		return;
	if (on.seg != NULL)
		in->seg = NULL;
	stage_feed(ch, dir, stage_behind(dir, i), &on);
	seg_free(on.seg);
}

/* Bytes pass unshown; their end, if it is there, is shown. */
static void
stage_skip(struct weir_channel *ch, enum weir_dir dir, unsigned i,
	struct piece *in)
{
	bool eof = in->eof;

	in->eof = false;
	stage_on(ch, dir, i, in, hold_skipped(ch, dir, i, in->n), false);
	in->eof = eof && !stage_has_ended(ch, dir, i);
}

/* Applies a verdict on a piece; what it judged leaves the piece. */
static void
stage_judge(struct weir_channel *ch, enum weir_dir dir, unsigned i,
	struct piece *in, struct weir_verdict v)
{
	unsigned answered;

	if (v.kind == WEIR_V_NEED) {
		stage_need(ch, dir, i, in, v.n);
		return;
	}
	if (v.kind == WEIR_V_WAIT) {
		if (call_wait(ch, i, (enum hook)dir, v.ms))
			stage_keep(ch, dir, i, in, true);
		return;
	}
	if (v.kind == WEIR_V_SKIP && v.n > 0) {
		size_t now = v.n < in->n ? v.n : in->n;

		if (v.n > now && hold_skip(ch, dir, i, v.n - now) == -1)
			channel_close(ch, WEIR_R_NOMEM, WEIR_SELF, ENOMEM,
				ENDING_RESET);
		v = (struct weir_verdict){ .kind = WEIR_V_PASS, .n = now };
	}
	if (v.kind >= WEIR_V_COUNT || v.n > in->n ||
		(v.n == 0 && in->n > 0 && v.kind <= WEIR_V_DROP) ||
		v.kind == WEIR_V_SKIP) {
		call_forget(ch->engine->loop);
		call_breach(ch, i,
			v.n > in->n ? "judged more bytes than it was shown"
				    : "judged none of the bytes");
		return;
	}
	if (v.kind == WEIR_V_DETACH) {
		ch->flows[dir].active &= ~stage_bit(i);
		v.n = in->n;
	}
	if (dir == WEIR_UP && v.kind != WEIR_V_CLOSE)
		ch->preread &= ~stage_bit(i);
	answered = call_commit(ch, i, 1u << dir);
	if (v.kind == WEIR_V_CLOSE)
		call_close(ch, i, v);
	else
		stage_on(ch, dir, i, in, v.n, v.kind == WEIR_V_DROP);
	call_hear(ch, i, answered);
}

/* Shows a piece until it is used up, or kept because of backpressure. */
static void
stage_show_piece(struct weir_channel *ch, enum weir_dir dir, unsigned i,
	struct piece *in)
{
	const struct stage *st = &ch->engine->chain.stages[i];

	while ((in->n > 0 || in->eof) && !channel_is_ending(ch)) {
		struct weir_call c = call_begin(ch, i, (enum hook)dir);
		struct weir_bytes bytes = { in->p, in->n, in->eof };
		struct weir_verdict v;

		if (!(ch->flows[dir].active & stage_bit(i))) {
			stage_feed(ch, dir, stage_behind(dir, i), in);
			return;
		}
		if (in->n > 0 && ch->flows[dir].skipping & stage_bit(i)) {
			stage_skip(ch, dir, i, in);
			continue;
		}
		if (chain_blocked(ch, dir)) {
			stage_keep(ch, dir, i, in, true);
			return;
		}
		if (ch->aside != NULL)
			c.result = wait_take(ch, i, (enum hook)dir);
		ch->engine->loop->shown = in->n;
		call_enter(&c);
		v = (dir == WEIR_UP ? st->mw->up : st->mw->down)(&c, bytes);
		call_leave(&c);
		stage_judge(ch, dir, i, in, v);
		if (chain_barred(ch, dir) & stage_bit(i))
			return;
	}
}

/* Shows what is held, in order, for as long as backpressure allows. */
static void
stage_show_held(struct weir_channel *ch, enum weir_dir dir, unsigned i)
{
	struct piece in = { 0 };

	while (!channel_is_ending(ch) && !chain_blocked(ch, dir) &&
		!(chain_barred(ch, dir) & stage_bit(i)) &&
		hold_shift(ch, dir, i, &in.seg, &in.eof)) {
		static const uint8_t nothing;

		in.p = in.seg == NULL ? &nothing : in.seg->data + in.seg->start;
		in.n = in.seg == NULL ? 0 : in.seg->end - in.seg->start;
		stage_show_piece(ch, dir, i, &in);
		seg_free(in.seg);
	}
}

static void
stage_show(struct weir_channel *ch, enum weir_dir dir, unsigned i,
	struct piece *in)
{
	struct loop *loop = ch->engine->loop;

	/* What comes meanwhile waits behind this piece. */
	loop->busy[dir] |= stage_bit(i);
	stage_show_piece(ch, dir, i, in);
	stage_show_held(ch, dir, i);
	loop->busy[dir] &= ~stage_bit(i);
}

void
stage_resume(struct weir_channel *ch, enum weir_dir dir, unsigned i)
{
	struct loop *loop = ch->engine->loop;

	loop->busy[dir] |= stage_bit(i);
	stage_show_held(ch, dir, i);
	loop->busy[dir] &= ~stage_bit(i);
}
