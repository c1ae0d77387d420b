/* observe.c - extensions that look at all channels of this process. */
#include <stdlib.h>
#include <time.h>

#include "engine/channel.h"
#include "engine/engine.h"
#include "engine/observe.h"
#include "engine/wait.h"

#define ALIGN 16

/* What every channel has that is observed, behind the contexts. */
struct watched {
	uint64_t since_ns; /* of the connect under way, or of the backend */
};

static const char *const hooks[] = {
	[HOOK_UP] = "up",
	[HOOK_DOWN] = "down",
	[HOOK_OPEN] = "open",
	[HOOK_CLOSE] = "close",
	[HOOK_ROUTE] = "route",
	[HOOK_CONNECTED] = "connected",
	[HOOK_TIMER] = "timer",
	[HOOK_OTHER] = "other",
};

static size_t
aligned(size_t n)
{
	return (n + ALIGN - 1) & ~(size_t)(ALIGN - 1);
}

/* clock_gettime(2) without a system call, for what takes less than a turn. */
static uint64_t
now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

int
observers_init(struct observers *o, struct weir_service *services, size_t n,
	const struct conf_server *servers)
{
	size_t i;

	*o = (struct observers){ .servers = servers,
		.size = aligned(sizeof(struct watched)) };
	o->v = calloc(n > 0 ? n : 1, sizeof(*o->v));
	if (o->v == NULL)
		return -1;
	for (i = 0; i < n; i++) {
		const struct weir_observer *look =
			services[i].type == NULL ? NULL
						 : services[i].type->observer;

		if (look == NULL)
			continue;
		o->v[o->n++] = (struct observation){ .service = &services[i],
			.called = look->called,
			.own_off = o->size };
		o->size += aligned(look->channel_size);
		o->times |= look->called != NULL;
	}
	return 0;
}

void
observers_done(struct observers *o)
{
	free(o->v);
	*o = (struct observers){ .v = NULL };
}

static unsigned
server_number(const struct engine *e)
{
	return (unsigned)(e->server - e->loop->observers->servers);
}

void
observe_engine(struct engine *e)
{
	const struct observers *o = e->loop->observers;
	struct weir_moved *moved = NULL;
	unsigned i, stage;

	e->number = server_number(e);
	for (i = o->n; i-- > 0;) {
		struct weir_service *s = o->v[i].service;
		const struct weir_observer *look = s->type->observer;

		moved = look->moved == NULL ? NULL : look->moved(s, e->number);
		if (moved != NULL)
			e->moved = moved;
		for (stage = 0; look->events != NULL && stage < e->chain.n;
			stage++) {
			_Atomic uint64_t *events =
				e->chain.stages[stage].nevents == 0
					? NULL
					: look->events(s, e->number, stage);

			if (events != NULL)
				e->chain.stages[stage].events = events;
		}
	}
}

/* ---- channels ------------------------------------------------------------ */

static uint8_t *
channel_watched(struct weir_channel *ch)
{
	return ch->ctx + ch->engine->chain.ctx_size;
}

/* Calls a callback of all who have it. */
#define observers_tell(ch, callback, ...)                                      \
	do {                                                                   \
		const struct observers *o = (ch)->engine->loop->observers;     \
		unsigned n;                                                    \
		for (n = 0; n < o->n; n++) {                                   \
			struct weir_service *s = o->v[n].service;              \
			struct weir_seen seen = {                              \
				.server = (ch)->engine->number,                \
				.id = (ch)->id,                                \
				.own = channel_watched(ch) + o->v[n].own_off   \
			};                                                     \
			if (s->type->observer->callback != NULL)               \
				s->type->observer->callback(                   \
					s, &seen __VA_ARGS__);                 \
		}                                                              \
	} while (0)
#define AND ,

void
observe_opened(struct weir_channel *ch)
{
	observers_tell(ch, opened, );
}

void
observe_dial(struct weir_channel *ch)
{
	struct watched *w = (void *)channel_watched(ch);

	w->since_ns = now_ns();
}

void
observe_connected(struct weir_channel *ch, int err)
{
	struct watched *w = (void *)channel_watched(ch);
	uint64_t ns = now_ns(), us = (ns - w->since_ns) / 1000;
	struct weir_addr to;

	w->since_ns = ns;
	ch->unanswered = err == 0;
	endpoint_peer(&ch->ends[WEIR_BACKEND], &to);
	observers_tell(ch, connected, AND & to AND err AND us);
}

void
observe_answered(struct weir_channel *ch)
{
	const struct watched *w = (void *)channel_watched(ch);
	uint64_t us = (now_ns() - w->since_ns) / 1000;

	ch->unanswered = false;
	observers_tell(ch, answered, AND us);
}

void
observe_closed(struct weir_channel *ch)
{
	struct weir_facts facts;

	channel_facts(ch, &facts);
	observers_tell(ch, closed, AND & facts);
}

/* ---- callbacks ----------------------------------------------------------- */

void
observe_enter(struct loop *loop)
{
	if (loop->observers->times)
		loop->entered_ns = now_ns();
}

/* Every callback pays for this: it is observers_tell() without what is the same
 * for all of them. */
void
observe_leave(const struct weir_call *c)
{
	const struct engine *e = c->ch->engine;
	const struct observers *o = e->loop->observers;
	const struct observation *v = o->v;
	uint8_t *watched = channel_watched(c->ch);
	struct weir_called called;
	struct weir_seen seen;
	unsigned left = o->n;

	if (!o->times)
		return;
	called.ns = now_ns() - e->loop->entered_ns;
	called.stage = c->stage;
	called.hook = hooks[c->hook];
	called.bytes = c->hook <= HOOK_DOWN ? e->loop->shown : 0;
	seen.server = e->number;
	seen.id = c->ch->id;
	for (; left > 0; left--, v++) {
		if (v->called == NULL)
			continue;
		seen.own = watched + v->own_off;
		v->called(v->service, &seen, &called);
	}
}
