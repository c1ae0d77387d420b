/* verbs.c - what a middleware may ask for while one of its callbacks runs.
 *
 * Nothing happens here: what was asked takes effect when it has returned. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "engine/channel.h"
#include "engine/engine.h"
#include "engine/stage.h"

#define LINE_MAX_BYTES 2048

void
weir_emit(struct weir_call *c, enum weir_dir dir, const void *p, size_t n)
{
	struct loop *loop = c->ch->engine->loop;

	if (loop->calling != c)
		loop->misused = true;
	else if (buf_append(&loop->emitted[dir], p, n) == -1)
		loop->emit_failed = true;
}

/* May a backend be chosen, or refused, right now? */
static bool
call_may_choose(const struct weir_call *c)
{
	const struct weir_channel *ch = c->ch;
	const struct loop *loop = ch->engine->loop;

	return loop->calling == c && !loop->dial.asked && !loop->dial.serve &&
	       (ch->state == CHANNEL_ROUTE ||
		       (ch->state == CHANNEL_CONNECT && ch->dial_err != 0));
}

void
weir_connect(struct weir_call *c, const struct weir_addr *to,
	const struct weir_dial *how)
{
	struct loop *loop = c->ch->engine->loop;

	if (!call_may_choose(c)) {
		loop->misused = true;
		return;
	}
	loop->dial = (struct dial){ .to = *to, .asked = true };
	if (how != NULL) {
		loop->dial.timeout_ms = how->timeout_ms;
		if (how->source != NULL)
			loop->dial.source = *how->source;
	}
}

void
weir_serve(struct weir_call *c)
{
	struct loop *loop = c->ch->engine->loop;

	if (call_may_choose(c) && c->ch->state == CHANNEL_ROUTE)
		loop->dial.serve = true;
	else
		loop->misused = true;
}

void
weir_ready(struct weir_call *c)
{
	c->ch->preread &= ~stage_bit(c->stage);
}

void
weir_attach(struct weir_call *c, enum weir_dir dir)
{
	const struct weir_middleware *mw =
		c->ch->engine->chain.stages[c->stage].mw;

	if ((dir == WEIR_UP ? mw->up : mw->down) == NULL)
		c->ch->engine->loop->misused = true;
	else
		c->ch->flows[dir].active |= stage_bit(c->stage);
}

void
weir_facts(const struct weir_call *c, struct weir_facts *f)
{
	const struct weir_channel *ch = c->ch;
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
		.err = ch->err };
	if (ch->end_stage != CHANNEL_NO_STAGE)
		f->module = ch->engine->chain.stages[ch->end_stage].name;
	endpoint_peer(&ch->ends[WEIR_FRONTEND], &f->client);
	endpoint_peer(&ch->ends[WEIR_BACKEND], &f->target);
}

void
weir_log(const struct weir_call *c, const char *fmt, ...)
{
	const struct engine *e = c->ch->engine;
	char text[LINE_MAX_BYTES];
	va_list ap;

	if (!log_enabled(LOG_LEVEL_INFO))
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	log_info("%s/%s: #%llu: %s", e->server->name,
		e->chain.stages[c->stage].name, (unsigned long long)c->ch->id,
		text);
}
