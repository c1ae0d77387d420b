/* wild.c - a neighbour that keeps the contract and does anything else. */
#include <stdbool.h>

#include "lib/wild.h"

#define EMITS_MOST 40 /* a channel */

static uint64_t state = 1;

struct ctx {
	unsigned emits;
	bool ended[2]; /* by direction: has passed the end */
};

void
wild_seed(uint64_t seed)
{
	state = seed | 1;
}

unsigned
wild_chance(unsigned n)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (unsigned)(state >> 20) % n;
}

/* Did it? */
static bool
wild_emit(struct weir_call *c)
{
	struct ctx *cx = c->ctx;
	enum weir_dir to = wild_chance(2) ? WEIR_UP : WEIR_DOWN;
	uint8_t byte = (uint8_t)wild_chance(256);

	if (wild_chance(6) != 0 || cx->ended[to] || cx->emits == EMITS_MOST)
		return false;
	cx->emits++;
	weir_emit(c, to, &byte, 1);
	return true;
}

static struct weir_verdict
wild_part(size_t len)
{
	size_t n = wild_chance(2) ? len : 1 + wild_chance((unsigned)len);

	return wild_chance(6) == 0 ? weir_drop(n) : weir_pass(n);
}

static struct weir_verdict
wild_judge(struct weir_call *c, struct weir_bytes in, enum weir_dir dir)
{
	struct ctx *cx = c->ctx;
	bool emitted = wild_emit(c);

	if (wild_chance(300) == 0)
		return weir_close(WEIR_R_DENIED);
	if (in.len == 0) {
		cx->ended[dir] = true;
		return weir_pass(0);
	}
	if (in.eof) {
		cx->ended[dir] = true;
		return weir_pass(in.len);
	}
	if (!emitted && in.len < 64 && wild_chance(8) == 0)
		return weir_need(in.len + 1 + wild_chance(32));
	if (wild_chance(12) == 0)
		return weir_skip(1 + wild_chance(100));
	if (wild_chance(100) == 0)
		return weir_detach();
	return wild_part(in.len);
}

static struct weir_verdict
wild_open(struct weir_call *c)
{
	wild_emit(c);
	return wild_chance(60) == 0 ? weir_close(WEIR_R_DENIED) : weir_pass(0);
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

const struct weir_middleware wild = {
	.name = "wild",
	.ctx_size = sizeof(struct ctx),
	.open = wild_open,
	.up = wild_up,
	.down = wild_down,
};
