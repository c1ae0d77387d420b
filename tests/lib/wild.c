/* wild.c - a neighbour that keeps the contract and does anything else. */
#include <errno.h>
#include <stdbool.h>

#include "lib/chance.h"
#include "lib/wild.h"

#define EMITS_MOST 40 /* a channel */
#define TICKETS	   8

/* Old ones are woken too: they mean nothing any more. */
static struct weir_ticket tickets[TICKETS];

struct ctx {
	unsigned emits;
	bool ended[2]; /* by direction: has passed the end */
};

void
wild_seed(uint64_t seed)
{
	unsigned i;

	chance_seed(seed);
	for (i = 0; i < TICKETS; i++)
		tickets[i] = (struct weir_ticket){ 0 };
}

/* Did it? */
static bool
wild_emit(struct weir_call *c)
{
	struct ctx *cx = c->ctx;
	enum weir_dir to = chance(2) ? WEIR_UP : WEIR_DOWN;
	uint8_t byte = (uint8_t)chance(256);

	if (chance(6) != 0 || cx->ended[to] || cx->emits == EMITS_MOST)
		return false;
	cx->emits++;
	weir_emit(c, to, &byte, 1);
	return true;
}

static struct weir_verdict
wild_part(size_t len)
{
	size_t n = chance(2) ? len : 1 + chance((unsigned)len);

	return chance(6) == 0 ? weir_drop(n) : weir_pass(n);
}

static struct weir_verdict
wild_wait(struct weir_call *c)
{
	if (chance(2))
		tickets[chance(TICKETS)] = weir_ticket(c);
	return weir_wait(1 + chance(200));
}

static struct weir_verdict
wild_refuse(struct weir_call *c)
{
	if (chance(2))
		weir_why(c, "it is wild");
	return chance(2) ? weir_close(WEIR_R_DENIED)
			 : weir_refuse(WEIR_R_DENIED,
				   (enum weir_manner)chance(WEIR_MANNER_COUNT));
}

/* Verbs that are allowed in all calls but close. */
static void
wild_ask(struct weir_call *c)
{
	if (chance(4) == 0)
		weir_wake(tickets[chance(TICKETS)], -EIO);
	if (chance(20) == 0)
		weir_timer(c, chance(100));
	if (chance(100) == 0)
		weir_signal(c, "wild");
	if (chance(30) == 0)
		weir_ready(c);
	if (chance(30) == 0)
		weir_attach(c, chance(2) ? WEIR_UP : WEIR_DOWN);
}

static struct weir_verdict
wild_judge(struct weir_call *c, struct weir_bytes in, enum weir_dir dir)
{
	struct ctx *cx = c->ctx;
	bool acted = wild_emit(c);

	wild_ask(c);
	if (chance(300) == 0)
		return wild_refuse(c);
	if (!acted && chance(30) == 0)
		return wild_wait(c);
	if (chance(200) == 0) {
		weir_end(c, dir);
		acted = cx->ended[dir] = true;
	}
	if (in.eof) {
		cx->ended[dir] = true;
		return weir_pass(in.len);
	}
	if (!acted && in.len < 64 && chance(8) == 0)
		return weir_need(in.len + 1 + chance(32));
	if (chance(12) == 0)
		return weir_skip(1 + chance(100));
	if (chance(100) == 0)
		return weir_detach();
	return wild_part(in.len);
}

static struct weir_verdict
wild_open(struct weir_call *c)
{
	wild_ask(c);
	if (chance(12) == 0)
		return wild_wait(c);
	wild_emit(c);
	return chance(60) == 0 ? wild_refuse(c) : weir_pass(0);
}

static struct weir_verdict
wild_up(struct weir_call *c, struct weir_bytes in)
{
	return wild_judge(c, in, WEIR_UP);
}

static struct weir_verdict
wild_down(struct weir_call *c, struct weir_bytes in)
{
	return wild_judge(c, in, WEIR_DOWN);
}

static struct weir_verdict
wild_target(struct weir_call *c, const struct weir_addr *to)
{
	(void)to;
	return chance(30) == 0 ? wild_refuse(c) : weir_pass(0);
}

static struct weir_verdict
wild_timer(struct weir_call *c)
{
	wild_emit(c);
	wild_ask(c);
	return chance(30) == 0 ? wild_refuse(c) : weir_pass(0);
}

static struct weir_verdict
wild_signal(struct weir_call *c, const char *event)
{
	(void)event;
	wild_emit(c);
	return chance(30) == 0 ? wild_refuse(c) : weir_pass(0);
}

static struct weir_verdict
wild_close(struct weir_call *c, enum weir_reason reason)
{
	(void)reason;
	return chance(8) == 0 ? wild_wait(c) : weir_pass(0);
}

const struct weir_middleware wild = {
	.name = "wild",
	.ctx_size = sizeof(struct ctx),
	.open = wild_open,
	.up = wild_up,
	.down = wild_down,
	.target = wild_target,
	.timer = wild_timer,
	.signal = wild_signal,
	.close = wild_close,
};
