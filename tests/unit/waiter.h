/* waiter.h - a middleware that waits where it is told to. */
#ifndef UNIT_WAITER_H
#define UNIT_WAITER_H

#include <stdio.h>
#include <string.h>

#include "lib/pair.h"

#define WAITERS 3

/* What a waiter does, and what has become of it. */
static struct waiter {
	uint32_t ms;
	bool opens, closes; /* waits there too */
	bool early;	    /* wakes itself before it waits */
	bool endless;	    /* and waits again whenever it is woken */
	struct weir_ticket ticket;
	char shown[128]; /* "bytes=result " for each call */
	unsigned closed;
} waiters[WAITERS];

static void
waiter_note(struct waiter *w, const struct weir_bytes *in, int result)
{
	size_t len = strlen(w->shown);

	snprintf(w->shown + len, sizeof(w->shown) - len, "%.*s=%d ",
		in == NULL ? 4 : (int)in->len,
		in == NULL ? "open" : (const char *)in->p, result);
}

static struct weir_verdict
waiter_wait(struct weir_call *c, struct waiter *w)
{
	w->ticket = weir_ticket(c);
	if (w->early)
		weir_wake(w->ticket, 7);
	return weir_wait(w->ms);
}

static struct weir_verdict
waiter_open(struct weir_call *c)
{
	struct waiter *w = &waiters[c->stage];
	bool *asked = c->ctx;

	if (!w->opens)
		return weir_pass(0);
	waiter_note(w, NULL, c->result);
	if (!*asked) {
		*asked = true;
		return waiter_wait(c, w);
	}
	return c->result < 0 ? weir_close(WEIR_R_DENIED) : weir_pass(0);
}

/* Waits at each '?'. */
static struct weir_verdict
waiter_see(struct weir_call *c, struct weir_bytes in)
{
	struct waiter *w = &waiters[c->stage];

	waiter_note(w, &in, c->result);
	if (in.len == 0 || in.p[0] != '?')
		return weir_pass(in.len);
	if (c->result == 0 || w->endless)
		return waiter_wait(c, w);
	return weir_pass(1);
}

static struct weir_verdict
waiter_close(struct weir_call *c, enum weir_reason reason)
{
	struct waiter *w = &waiters[c->stage];

	(void)reason;
	w->closed++;
	return w->closes ? waiter_wait(c, w) : weir_pass(0);
}

static const struct weir_middleware mw_waiter = { .name = "waiter",
	.ctx_size = sizeof(bool),
	.open = waiter_open,
	.up = waiter_see,
	.down = waiter_see,
	.close = waiter_close };

static inline int
waiter_start(void **state)
{
	memset(waiters, 0, sizeof(waiters));
	return pair_start(state);
}

static inline void
waiter_join(void)
{
	rig_add(&rig, &mw_waiter, NULL);
	pair_join();
}

#endif
