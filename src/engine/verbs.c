/* verbs.c - what a middleware may ask for while one of its callbacks runs.
 *
 * Nothing happens here: what was asked takes effect when it has returned. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "engine/aside.h"
#include "engine/call.h"
#include "engine/channel.h"
#include "engine/engine.h"
#include "engine/services.h"
#include "engine/stage.h"
#include "engine/timer.h"
#include "engine/wait.h"

#define LINE_MAX_BYTES 2048

/* What comes from elsewhere as an enum may be any number. */
static bool
is_dir(enum weir_dir dir)
{
	return dir == WEIR_UP || dir == WEIR_DOWN;
}

void
weir_emit(struct weir_call *c, enum weir_dir dir, const void *p, size_t n)
{
	struct loop *loop = c->ch->engine->loop;

	if (loop->calling != c || !is_dir(dir))
		loop->misused = true;
	else if (buf_append(&loop->emitted[dir], p, n) == -1)
		loop->failed = true;
}

void
weir_end(struct weir_call *c, enum weir_dir dir)
{
	struct loop *loop = c->ch->engine->loop;

	if (loop->calling != c || !is_dir(dir))
		loop->misused = true;
	else
		loop->end[dir] = true;
}

/* Does the one who calls choose early, while the client may still have its say?
 */
static bool
call_races(const struct weir_call *c)
{
	return c->hook == HOOK_TIMER && c->ch->preread != 0;
}

/* May a backend be chosen right now, by this one? */
static bool
call_may_choose(const struct weir_call *c)
{
	const struct weir_channel *ch = c->ch;
	const struct loop *loop = ch->engine->loop;

	if (loop->calling != c || loop->dial.asked || loop->dial.serve)
		return false;
	if (c->hook == HOOK_CONNECTED)
		return (ch->state == CHANNEL_CONNECT ||
			       ch->state == CHANNEL_RACE) &&
		       ch->dial_err != 0;
	return ch->state == CHANNEL_ROUTE &&
	       (ch->aside == NULL || ch->aside->chosen == NULL) &&
	       (c->hook == HOOK_UP || c->hook == HOOK_ROUTE || call_races(c));
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
	loop->dial = (struct dial){
		.to = *to, .asked = true, .race = call_races(c)
	};
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

	if (call_may_choose(c) && c->hook != HOOK_CONNECTED && !call_races(c))
		loop->dial.serve = true;
	else
		loop->misused = true;
}

void
weir_ready(struct weir_call *c)
{
	struct loop *loop = c->ch->engine->loop;

	if (loop->calling != c)
		loop->misused = true;
	else
		c->ch->preread &= ~stage_bit(c->stage);
}

void
weir_attach(struct weir_call *c, enum weir_dir dir)
{
	const struct weir_middleware *mw =
		c->ch->engine->chain.stages[c->stage].mw;

	if (c->ch->engine->loop->calling != c || !is_dir(dir) ||
		(dir == WEIR_UP ? mw->up : mw->down) == NULL)
		c->ch->engine->loop->misused = true;
	else
		c->ch->flows[dir].active |= stage_bit(c->stage);
}

struct weir_ticket
weir_ticket(const struct weir_call *c)
{
	struct loop *loop = c->ch->engine->loop;
	struct wait *w;
	struct aside *aside;

	if (loop->calling != c || c->hook > HOOK_CLOSE) {
		loop->misused = true;
		return (struct weir_ticket){ 0 };
	}
	w = wait_get(c->ch, c->stage, (enum hook)c->hook);
	aside = c->ch->aside;
	if (w != NULL && aside->slot == 0)
		aside->slot = ticket_take(&loop->tickets, c->ch);
	if (w == NULL || aside->slot == 0) {
		loop->failed = true;
		return (struct weir_ticket){ 0 };
	}
	loop->ticketed = true;
	return (struct weir_ticket){ .loop = loop,
		.slot = aside->slot,
		.age = ticket_age(&loop->tickets, aside->slot),
		.serial = w->serial };
}

void
weir_wake(struct weir_ticket t, int result)
{
	struct loop *loop = t.loop;
	struct weir_channel *ch;

	if (loop == NULL)
		return;
	ch = ticket_owner(&loop->tickets, t.slot, t.age);
	if (ch != NULL)
		wait_wake(ch, t.serial, result);
}

void
weir_timer(struct weir_call *c, uint32_t ms)
{
	struct loop *loop = c->ch->engine->loop;

	if (loop->calling != c || c->hook == HOOK_CLOSE ||
		c->ch->engine->chain.stages[c->stage].mw->timer == NULL)
		loop->misused = true;
	else if (timer_set(c->ch, c->stage, ms) == -1)
		loop->failed = true;
}

void
weir_signal(struct weir_call *c, const char *event)
{
	struct loop *loop = c->ch->engine->loop;

	if (loop->calling != c)
		loop->misused = true;
	else
		engine_signal(c->ch->engine, event);
}

void
weir_why(struct weir_call *c, const char *text)
{
	struct loop *loop = c->ch->engine->loop;

	if (loop->calling != c)
		loop->misused = true;
	else
		loop->why = text;
}

void
weir_count(const struct weir_call *c, unsigned index, uint64_t n)
{
	const struct engine *e = c->ch->engine;
	const struct stage *st = &e->chain.stages[c->stage];

	if (index >= st->nevents)
		e->loop->misused = true;
	else if (st->events != NULL)
		weir_cell_add(&st->events[index], n);
}

void
weir_peer(const struct weir_call *c, enum weir_side side, struct weir_addr *a)
{
	*a = (struct weir_addr){ 0 };
	if (side == WEIR_FRONTEND || side == WEIR_BACKEND)
		endpoint_peer(&c->ch->ends[side], a);
}

void
weir_local(const struct weir_call *c, enum weir_side side, struct weir_addr *a)
{
	*a = (struct weir_addr){ 0 };
	if (side == WEIR_FRONTEND || side == WEIR_BACKEND)
		endpoint_local(&c->ch->ends[side], a);
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

struct weir_service *
weir_extension(const struct weir_call *c, const char *name)
{
	const struct services *s = c->ch->engine->loop->services;

	return s != NULL ? services_find(s, name) : NULL;
}

struct weir_service *
weir_instance_extension(const struct weir_instance *in, const char *name)
{
	return in->services != NULL ? services_find(in->services, name) : NULL;
}

static struct weir_table *
service_table(const struct weir_service *service)
{
	return service != NULL && service->ntables > 0 ? service->tables[0]
						       : NULL;
}

struct weir_table *
weir_table(const struct weir_call *c, const char *name)
{
	return service_table(weir_extension(c, name));
}

struct weir_table *
weir_instance_table(const struct weir_instance *in, const char *name)
{
	return service_table(weir_instance_extension(in, name));
}
