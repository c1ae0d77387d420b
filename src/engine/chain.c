/* chain.c - the middlewares of a server, called in order. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "engine/aside.h"
#include "engine/call.h"
#include "engine/chain.h"
#include "engine/channel.h"
#include "engine/engine.h"
#include "engine/hold.h"
#include "engine/stage.h"
#include "engine/wait.h"

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
			.when = from->when,
			.ctx_off = k->ctx_size };
		if (mw->state_size > 0 && (k->stages[i].state = calloc(
						   1, mw->state_size)) == NULL)
			return -1;
		k->ctx_size += (mw->ctx_size + 15) & ~(size_t)15;
		if (mw->up != NULL)
			k->active[WEIR_UP] |= stage_bit(i);
		if (mw->down != NULL)
			k->active[WEIR_DOWN] |= stage_bit(i);
		if ((mw->flags & WEIR_PREREAD) && mw->up != NULL)
			k->preread |= stage_bit(i);
		if (from->when != NULL && from->when_since != WEIR_AT_OPEN)
			k->late |= stage_bit(i);
		while (mw->counters != NULL &&
			mw->counters[k->stages[i].nevents] != NULL)
			k->stages[i].nevents++;
		k->has_target |= mw->target != NULL;
		k->has_signal |= mw->signal != NULL;
	}
	return 0;
}

static struct weir_instance
chain_instance(
	const struct chain *k, const struct conf_server *server, unsigned i)
{
	return (struct weir_instance){ .conf = k->stages[i].conf,
		.state = k->stages[i].state,
		.name = k->stages[i].name,
		.server = server->name,
		.services = k->services };
}

/* Calls stop in reverse order of the first n. */
static void
chain_stop_first(struct chain *k, const struct conf_server *server, unsigned n)
{
	while (n-- > 0) {
		struct weir_instance in = chain_instance(k, server, n);

		if (k->stages[n].mw->stop != NULL)
			k->stages[n].mw->stop(&in);
	}
}

int
chain_start(struct chain *k, const struct conf_server *server)
{
	unsigned i;

	for (i = 0; i < k->n; i++) {
		struct weir_instance in = chain_instance(k, server, i);
		int err;

		if (k->stages[i].mw->start == NULL ||
			k->stages[i].mw->start(&in) == 0)
			continue;
		err = errno;
		log_error("%s/%s: cannot start: %s", server->name,
			k->stages[i].name, strerror(err));
		chain_stop_first(k, server, i);
		errno = err;
		return -1;
	}
	return 0;
}

void
chain_stop(struct chain *k, const struct conf_server *server)
{
	chain_stop_first(k, server, k->n);
}

void
chain_done(struct chain *k)
{
	unsigned i;

	for (i = 0; k->stages != NULL && i < k->n; i++)
		free(k->stages[i].state);
	free(k->stages);
	*k = (struct chain){ 0 };
}

/* Is the stage to be called for this channel, and has it such a callback? */
#define chain_has(ch, i, callback)                                             \
	((ch)->engine->chain.stages[i].mw->callback != NULL &&                 \
		!((ch)->off & stage_bit(i)))

/* Has the middleware's condition come true?  If not, it is as if it were not
 * there. */
static bool
chain_applies(struct weir_channel *ch, unsigned i)
{
	const struct stage *st = &ch->engine->chain.stages[i];
	struct weir_call c = call_begin(ch, i, HOOK_OTHER);
	bool holds = weir_condition_holds(&c, st->when);
	int dir;

	call_lock_all(ch); /* values may have come from other contexts */
	if (holds)
		return true;
	ch->off |= stage_bit(i);
	ch->preread &= ~stage_bit(i);
	for (dir = 0; dir < 2; dir++)
		ch->flows[dir].active &= ~stage_bit(i);
	return false;
}

/* Stages whose open has not been called yet, of those that are being opened. */
static uint64_t
chain_unopened(const struct weir_channel *ch)
{
	const struct chain *k = &ch->engine->chain;
	unsigned next = ch->next_stage + ch->asked;
	uint64_t from = next < CONF_STAGES_MAX ? ~(uint64_t)0 << next : 0;

	if (ch->decided)
		return 0;
	if (ch->late)
		return from & k->late;
	return ch->opened ? k->late : from | k->late;
}

/* Calls open of stage i; false: it waits, and is called again later. */
static bool
chain_open_one(struct weir_channel *ch, unsigned i)
{
	struct weir_call c = call_begin(ch, i, HOOK_OPEN);
	struct weir_verdict v;

	c.result = wait_take(ch, i, HOOK_OPEN);
	call_enter(&c);
	v = ch->engine->chain.stages[i].mw->open(&c);
	call_leave(&c);
	if (v.kind == WEIR_V_WAIT)
		return !call_wait(ch, i, HOOK_OPEN, v.ms);
	call_judge(ch, i, v);
	return true;
}

/* Opens those of the chain that are late, or those that are not. */
static bool
chain_open_some(struct weir_channel *ch, uint64_t these)
{
	const struct chain *k = &ch->engine->chain;

	for (; ch->next_stage < k->n; ch->next_stage++, ch->asked = false) {
		unsigned i = ch->next_stage;

		if (channel_is_ending(ch))
			return true;
		if (!(these & stage_bit(i)) ||
			(!ch->asked && !chain_applies(ch, i)) ||
			!chain_has(ch, i, open))
			continue;
		ch->asked = true;
		if (wait_lasts(ch, i, HOOK_OPEN) || !chain_open_one(ch, i))
			return false;
	}
	return true;
}

bool
chain_open(struct weir_channel *ch)
{
	if (!chain_open_some(ch, ~ch->engine->chain.late))
		return false;
	if (channel_is_ending(ch))
		return true;
	ch->opened = true;
	ch->next_stage = 0;
	return true;
}

bool
chain_open_late(struct weir_channel *ch)
{
	if (ch->decided || channel_is_ending(ch))
		return true;
	ch->late = true;
	if (ch->engine->chain.late != 0 &&
		!chain_open_some(ch, ch->engine->chain.late))
		return false;
	if (channel_is_ending(ch))
		return true;
	ch->decided = true;
	return true;
}

void
chain_route(struct weir_channel *ch)
{
	const struct chain *k = &ch->engine->chain;
	unsigned i;

	for (i = 0; i < k->n && ch->state == CHANNEL_ROUTE; i++) {
		struct weir_call c = call_begin(ch, i, HOOK_ROUTE);

		if (!chain_has(ch, i, route))
			continue;
		call_enter(&c);
		k->stages[i].mw->route(&c);
		call_leave(&c);
		call_hear(ch, i, call_commit(ch, i, 0));
	}
}

void
chain_target(
	struct weir_channel *ch, const struct weir_addr *to, uint64_t these)
{
	const struct chain *k = &ch->engine->chain;
	unsigned i;

	if (!k->has_target)
		return;
	for (i = 0; i < k->n && !channel_is_ending(ch); i++) {
		struct weir_call c = call_begin(ch, i, HOOK_OTHER);
		struct weir_verdict v;

		if (!(these & stage_bit(i)) || !chain_has(ch, i, target))
			continue;
		call_enter(&c);
		v = k->stages[i].mw->target(&c, to);
		call_leave(&c);
		call_judge(ch, i, v);
	}
}

void
chain_timer(struct weir_channel *ch, unsigned i)
{
	struct weir_call c = call_begin(ch, i, HOOK_TIMER);
	struct weir_verdict v;

	call_enter(&c);
	v = ch->engine->chain.stages[i].mw->timer(&c);
	call_leave(&c);
	call_judge(ch, i, v);
}

void
chain_signal(struct weir_channel *ch, const char *event)
{
	const struct chain *k = &ch->engine->chain;
	unsigned i;

	for (i = 0; i < k->n && !channel_is_ending(ch); i++) {
		struct weir_call c = call_begin(ch, i, HOOK_OTHER);
		struct weir_verdict v;

		if (!chain_has(ch, i, signal) ||
			(chain_unopened(ch) & k->late & stage_bit(i)))
			continue;
		call_enter(&c);
		v = k->stages[i].mw->signal(&c, event);
		call_leave(&c);
		call_judge(ch, i, v);
	}
}

void
chain_connected(struct weir_channel *ch, int err)
{
	const struct chain *k = &ch->engine->chain;
	struct flow *up = &ch->flows[WEIR_UP];
	struct buf held = up->out;
	uint64_t ended = up->ended;
	unsigned teller = ch->dial_stage, i;

	/* What is emitted now goes ahead of all that was held for a backend,
	 * even of its end, and past those who hold it. */
	up->out = (struct buf){ 0 };
	up->ended = 0;
	ch->ahead = true;
	for (i = 0; i < k->n && !channel_is_ending(ch); i++) {
		struct weir_call c = call_begin(ch, i, HOOK_CONNECTED);

		if (!chain_has(ch, i, connected) || (err != 0 && i != teller))
			continue;
		call_enter(&c);
		k->stages[i].mw->connected(&c, err);
		call_leave(&c);
		call_hear(ch, i, call_commit(ch, i, 0));
	}
	ch->ahead = false;
	up->ended |= ended;
	buf_move(&up->out, &held);
}

void
chain_leave(struct weir_channel *ch)
{
	const struct chain *k = &ch->engine->chain;
	uint64_t left = chain_unopened(ch);
	unsigned i;

	if (!ch->late)
		ch->off |= k->late;
	/* The others can be asked still. */
	for (i = 0; i < k->n; i++)
		if ((left & stage_bit(i)) && !(k->late & stage_bit(i)))
			chain_applies(ch, i);
	ch->off |= left & k->late;
	ch->next_stage = 0;
}

/* Calls close of stage i; true: it waits. */
static bool
chain_close_one(struct weir_channel *ch, unsigned i)
{
	const struct conf_server *server = ch->engine->server;
	struct weir_call c = call_begin(ch, i, HOOK_CLOSE);
	struct weir_verdict v;

	call_enter(&c);
	v = ch->engine->chain.stages[i].mw->close(&c, ch->reason);
	call_leave(&c);
	if (v.kind != WEIR_V_WAIT && (v.kind != WEIR_V_PASS || v.n != 0)) {
		call_forget(ch->engine->loop);
		call_breach(ch, i, "close wants pass(0) or wait");
		return false;
	}
	if (v.kind != WEIR_V_WAIT || ch->hurried ||
		server->close_wait_ms == 0) {
		call_hear(ch, i, call_commit(ch, i, 0));
		return false;
	}
	if (!call_wait(ch, i, HOOK_CLOSE, v.ms))
		return false;
	if (ch->phase.kind == TIMEOUT_NONE)
		channel_wait(ch, TIMEOUT_CLOSE_WAIT, server->close_wait_ms);
	return wait_lasts(ch, i, HOOK_CLOSE);
}

bool
chain_close(struct weir_channel *ch)
{
	const struct conf_server *server = ch->engine->server;
	const struct chain *k = &ch->engine->chain;
	bool serial = server->close_channel_mode == CONF_CLOSE_SERIAL;

	ch->hurried |= ch->engine->hurried;
	while (ch->next_stage < k->n) {
		unsigned i = ch->next_stage;

		if (serial && wait_any_lasts(ch, HOOK_CLOSE))
			return false;
		ch->next_stage++;
		if (chain_has(ch, i, close) && chain_close_one(ch, i) && serial)
			return false;
	}
	return !wait_any_lasts(ch, HOOK_CLOSE);
}

/* Is an output too full into which one of these has emitted? */
static bool
chain_is_full(const struct weir_channel *ch, unsigned emitters)
{
	int dir;

	for (dir = 0; dir < 2; dir++) {
		const struct flow *fl = &ch->flows[dir];
		size_t len = fl->out.len;

		if (!(fl->emitters & emitters))
			continue;
		/* What others hold back will be shown when out has drained. */
		if (fl->held != 0)
			len += hold_len(ch, (enum weir_dir)dir,
				chain_barred(ch, (enum weir_dir)dir));
		if (len > ch->engine->server->hold_max)
			return true;
	}
	return false;
}

bool
chain_blocked(const struct weir_channel *ch, enum weir_dir dir)
{
	return chain_is_full(ch, 1u << dir);
}

bool
chain_blocks_timer(const struct weir_channel *ch, unsigned i)
{
	return ch->aside != NULL && (ch->aside->by_time & stage_bit(i)) &&
	       chain_is_full(ch, FLOW_BY_TIME);
}

uint64_t
chain_barred(const struct weir_channel *ch, enum weir_dir dir)
{
	uint64_t barred = aside_waiting(ch, dir);

	if (!ch->decided)
		barred |= ch->engine->chain.late;
	/* Nobody is shown client bytes before his open callback has run. */
	if (ch->state == CHANNEL_OPEN && dir == WEIR_UP)
		barred = ~(uint64_t)0;
	return barred;
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
	uint64_t left = fl->held & ~chain_barred(ch, dir);

	/* The last stages first, so that the others find them empty. */
	while (left != 0 && !channel_is_ending(ch) && !chain_blocked(ch, dir)) {
		unsigned i = dir == WEIR_UP
				     ? 63u - (unsigned)__builtin_clzll(left)
				     : (unsigned)__builtin_ctzll(left);

		left &= ~stage_bit(i);
		stage_resume(ch, dir, i);
	}
}
