/* delay.c - adds latency and jitter; order is kept, and nothing is lost, but by
 * a reset.
 *
 * What comes is kept, with the moment at which it goes on: so a delay does not
 * limit the rate, as long as no more than "max" is under way. */
#include <bsd/stdlib.h>
#include <stdlib.h>
#include <string.h>

#include "weir.h"

struct conf {
	uint32_t delay_ms[2]; /* by direction */
	uint32_t jitter_ms;
	size_t max;
};

/* Bytes that came at once. */
struct batch {
	struct batch *next;
	uint64_t due_ms;
	size_t len;
	uint8_t bytes[];
};

struct queue {
	struct batch *first, *last;
	size_t size;	 /* with the batches' own memory */
	uint64_t due_ms; /* of what came last, be it the end */
	bool ended;
};

struct ctx {
	struct queue queues[2]; /* by direction */
};

static const struct weir_opt opts[] = {
	WEIR_TIME("up", struct conf, delay_ms[WEIR_UP], .def = "off",
		.flags = WEIR_OFF, .min = 1, .max = 3600000,
		.help = "How much later all arrives at the backend; keep it, "
			"with \"jitter\", below the server's idle_timeout "
			"and half_close_timeout: only what comes in and goes "
			"out starts these anew, so a channel that waits "
			"longer ends, and what is under way is lost."),
	WEIR_TIME("down", struct conf, delay_ms[WEIR_DOWN], .def = "off",
		.flags = WEIR_OFF, .min = 1, .max = 3600000,
		.help = "How much later all arrives at the client, with the "
			"same bounds as \"up\"."),
	WEIR_TIME("jitter", struct conf, jitter_ms, .def = "off",
		.flags = WEIR_OFF, .min = 1, .max = 3600000,
		.help = "Up to so much comes on top, at random, in both "
			"directions; no byte overtakes another."),
	WEIR_SIZE("max", struct conf, max, .def = "1M", .min = 4096,
		.max = 1 << 30,
		.help = "Most memory for bytes under way in one direction; "
			"when it is used up, no more is read."),
	WEIR_OPT_END,
};

static int
delay_check(const void *conf, struct weir_diag *d)
{
	const struct conf *cf = conf;

	if (cf->delay_ms[WEIR_UP] != 0 || cf->delay_ms[WEIR_DOWN] != 0 ||
		cf->jitter_ms != 0)
		return 0;
	weir_error(d, "wants \"up\", \"down\" or \"jitter\", else it delays "
		      "nothing");
	return -1;
}

static uint64_t
now_ms(const struct weir_call *c)
{
	struct weir_facts f;

	weir_facts(c, &f);
	return f.age_ms;
}

/* When something goes on that comes now. */
static uint64_t
due_ms(const struct conf *cf, const struct queue *q, enum weir_dir dir,
	uint64_t now)
{
	uint64_t due = now + cf->delay_ms[dir];

	if (cf->jitter_ms != 0)
		due += arc4random_uniform(cf->jitter_ms + 1);
	return due > q->due_ms ? due : q->due_ms;
}

/* Keeps a copy; NULL when there is no memory. */
static struct batch *
queue_add(struct queue *q, const uint8_t *p, size_t n)
{
	struct batch *b = malloc(sizeof(*b) + n);

	if (b == NULL)
		return NULL;
	b->next = NULL;
	b->due_ms = q->due_ms;
	b->len = n;
	memcpy(b->bytes, p, n);
	if (q->first == NULL)
		q->first = b;
	else
		q->last->next = b;
	q->last = b;
	q->size += sizeof(*b) + n;
	return b;
}

static void
queue_shift(struct queue *q)
{
	struct batch *b = q->first;

	q->first = b->next;
	q->size -= sizeof(*b) + b->len;
	free(b);
}

/* Lets go what is due. */
static void
queue_release(struct weir_call *c, enum weir_dir dir, uint64_t now)
{
	struct ctx *cx = c->ctx;
	struct queue *q = &cx->queues[dir];

	for (; q->first != NULL && q->first->due_ms <= now; queue_shift(q))
		weir_emit(c, dir, q->first->bytes, q->first->len);
}

/* Sets the timer to what is due first. */
static void
timer_set(struct weir_call *c, uint64_t now)
{
	struct ctx *cx = c->ctx;
	uint64_t due = UINT64_MAX;
	int dir;

	for (dir = 0; dir < 2; dir++) {
		const struct batch *b = cx->queues[dir].first;

		if (b != NULL && b->due_ms < due)
			due = b->due_ms;
	}
	if (due != UINT64_MAX)
		weir_timer(c, due > now ? (uint32_t)(due - now) : 1);
}

static struct weir_verdict
delay(struct weir_call *c, struct weir_bytes in, enum weir_dir dir)
{
	const struct conf *cf = c->conf;
	struct ctx *cx = c->ctx;
	struct queue *q = &cx->queues[dir];
	uint64_t now = now_ms(c);
	size_t n;

	if (cf->delay_ms[dir] == 0 && cf->jitter_ms == 0)
		return weir_detach();
	if (in.eof) {
		/* Nothing comes any more: it may as well wait outside. */
		if (!q->ended)
			q->due_ms = due_ms(cf, q, dir, now);
		q->ended = true;
		if (now < q->due_ms)
			return weir_wait((uint32_t)(q->due_ms - now));
		queue_release(c, dir, now);
		return weir_pass(in.len);
	}
	if (q->size + sizeof(*q->first) >= cf->max) {
		if (q->first->due_ms > now)
			return weir_wait((uint32_t)(q->first->due_ms - now));
		queue_release(c, dir, now);
	}
	n = cf->max - q->size - sizeof(*q->first);
	if (n > in.len)
		n = in.len;
	q->due_ms = due_ms(cf, q, dir, now);
	if (queue_add(q, in.p, n) == NULL)
		return weir_close(WEIR_R_NOMEM);
	timer_set(c, now);
	return weir_drop(n);
}

static struct weir_verdict
delay_up(struct weir_call *c, struct weir_bytes in)
{
	return delay(c, in, WEIR_UP);
}

static struct weir_verdict
delay_down(struct weir_call *c, struct weir_bytes in)
{
	return delay(c, in, WEIR_DOWN);
}

static struct weir_verdict
delay_timer(struct weir_call *c)
{
	uint64_t now = now_ms(c);

	queue_release(c, WEIR_UP, now);
	queue_release(c, WEIR_DOWN, now);
	timer_set(c, now);
	return weir_pass(0);
}

static struct weir_verdict
delay_close(struct weir_call *c, enum weir_reason reason)
{
	struct ctx *cx = c->ctx;
	int dir;

	(void)reason;
	for (dir = 0; dir < 2; dir++)
		while (cx->queues[dir].first != NULL)
			queue_shift(&cx->queues[dir]);
	return weir_pass(0);
}

const struct weir_middleware mw_delay = {
	.name = "delay",
	.help = "Adds latency and jitter to each direction.",
	.example = "up = \"5ms\"; down = \"5ms\"; jitter = \"5ms\";",
	.opts = opts,
	.conf_size = sizeof(struct conf),
	.ctx_size = sizeof(struct ctx),
	.check = delay_check,
	.up = delay_up,
	.down = delay_down,
	.timer = delay_timer,
	.close = delay_close,
};
