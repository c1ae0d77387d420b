/* quota.c - no more than so many bytes of one key in each period.
 *
 * Bytes are spent before they pass, in budgets, so that bulk is spliced and
 * none is beyond the quota; what of its last budget a channel has not used is
 * given back at its end. */
#include <errno.h>

#include "weir.h"

#define BUDGET_MOST ((uint64_t)1 << 20)
#define PARTS	    64	/* of a quota: one channel keeps no more for itself */
#define STEADY_MS   250 /* who is back so soon goes on */

enum { COUNT_BOTH, COUNT_UP, COUNT_DOWN };

struct conf {
	struct weir_limiter limiter;
	const char *column;
	size_t max;
	uint32_t period_ms;
	int count;
};

struct state {
	struct weir_limiter_state limiter;
	unsigned column;
};

/* One direction. */
struct purse {
	uint64_t owed;	   /* passed when the table could not count */
	uint64_t spent;	   /* in all */
	uint64_t budget;   /* the last */
	uint64_t given_ms; /* age of the channel at that */
	uint64_t until_ms; /* age of the channel when its period ends */
};

struct ctx {
	struct weir_limiter_key key;
	struct purse purses[2];
};

static const char *const counters[] = {
#define X(id, word) word,
	WEIR_LIMITED(X)
#undef X
		NULL
};

static const char *const counts[] = { "both", "up", "down", NULL };
static const char used_up[] = "its quota is used up";

static const struct weir_opt opts[] = {
	WEIR_SIZE("max", struct conf, max, .min = 1, .max = (int64_t)1 << 60,
		.help = "Most bytes in each \"period\", of all workers "
			"together."),
	WEIR_TIME("period", struct conf, period_ms, .def = "1d", .min = 1000,
		.max = 2592000000,
		.help = "How long that is.  Periods begin when the time since "
			"1970 is a multiple of it: those of \"1d\" at midnight "
			"(UTC)."),
	WEIR_CHOICE("count", struct conf, count, .def = "both",
		.choices = counts,
		.help = "Which bytes: from the client, to it, or both."),
	WEIR_STRING("column", struct conf, column, .def = "quota",
		.help = "Column of the table, of type period, that counts."),
	WEIR_LIMITER_TABLE(struct conf, limiter),
	WEIR_LIMITER_ROWS(struct conf, limiter, WEIR_FOR_OPEN),
	WEIR_OPT_END,
};

static bool
quota_claim(const void *conf, unsigned i, struct weir_claim *claim)
{
	static const char *const bytes[] = {
		[COUNT_BOTH] = "bytes of both directions",
		[COUNT_UP] = "bytes from the client",
		[COUNT_DOWN] = "bytes to the client",
	};
	const struct conf *cf = conf;

	*claim = (struct weir_claim){ .by = &cf->limiter,
		.column = cf->column,
		.option = "column",
		.type = WEIR_COLUMN_PERIOD,
		.counts = bytes[cf->count],
		.period_ms = cf->period_ms };
	return i == 0;
}

static int
quota_start(struct weir_instance *in)
{
	const struct conf *cf = in->conf;
	struct state *st = in->state;
	int column;

	if (weir_limiter_start(&st->limiter, &cf->limiter, in) == -1)
		return -1;
	column = weir_limiter_column(
		&st->limiter, cf->column, WEIR_COLUMN_PERIOD);
	st->column = (unsigned)column;
	return column == -1 ? -1 : 0;
}

/* Spends up to *n bytes.  -1 with errno: none, or the table cannot say. */
static int
bytes_spend(struct weir_call *c, uint64_t *n, uint64_t *left_ms)
{
	const struct conf *cf = c->conf;
	struct state *st = c->state;
	struct ctx *cx = c->ctx;
	struct weir_bytes key = weir_limiter_kept(&cx->key);
	uint64_t want = *n;

	*left_ms = 0;
	if (weir_table_spend(st->limiter.table, key, st->column, cf->period_ms,
		    want, cf->max, n, left_ms) == 0)
		return 0;
	*n = want;
	return -1;
}

static struct weir_verdict
quota_open(struct weir_call *c)
{
	const struct conf *cf = c->conf;
	struct state *st = c->state;
	struct ctx *cx = c->ctx;
	uint64_t none = 0, left_ms;

	if (weir_limiter_key(c, &cf->limiter, &cx->key).len == 0)
		return weir_close(WEIR_R_NOMEM);
	if (bytes_spend(c, &none, &left_ms) == -1 &&
		weir_limiter_refuses(c, &cf->limiter, &st->limiter, used_up))
		return weir_limiter_end(&cf->limiter);
	return weir_pass(0);
}

/* What is left of the quota in this period, as far as it is known. */
static uint64_t
quota_left(const struct weir_call *c)
{
	const struct conf *cf = c->conf;
	const struct state *st = c->state;
	const struct ctx *cx = c->ctx;
	uint64_t used = 0;

	if (weir_table_read(st->limiter.table, weir_limiter_kept(&cx->key),
		    st->column, &used) == -1)
		used = 0;
	return used < cf->max ? cf->max - used : 0;
}

/* How many bytes are spent at once: more than are here, if more passed just
 * now, but the less the less is left, so that who is idle then keeps little
 * from others. */
static uint64_t
budget_next(const struct weir_call *c, const struct purse *p, uint64_t here,
	uint64_t age_ms)
{
	const struct conf *cf = c->conf;
	uint64_t n = p->budget * 2, most = cf->max / PARTS;

	if (age_ms > p->given_ms + STEADY_MS)
		return here;
	if (most > BUDGET_MOST)
		most = BUDGET_MOST;
	if (n > most)
		n = most;
	if (n <= here)
		return here;
	most = quota_left(c) / PARTS;
	if (n > most)
		n = most;
	return n > here ? n : here;
}

/* Bytes go on in a dry run, or have gone on already: they count as well. */
static int
bytes_spend_more(struct weir_call *c, uint64_t n)
{
	const struct conf *cf = c->conf;
	struct state *st = c->state;
	struct ctx *cx = c->ctx;
	uint64_t got, left_ms;

	return weir_table_spend(st->limiter.table, weir_limiter_kept(&cx->key),
		st->column, cf->period_ms, n, UINT64_MAX, &got, &left_ms);
}

/* Counts what the table could not be told of when it passed. */
static void
purse_settle(struct weir_call *c, struct purse *p)
{
	if (p->owed == 0 || bytes_spend_more(c, p->owed) == -1)
		return;
	p->spent += p->owed;
	p->owed = 0;
}

/* They pass, and nobody has counted them yet. */
static struct weir_verdict
purse_owe(struct purse *p, size_t n)
{
	p->owed += n;
	return weir_skip(n);
}

static struct weir_verdict
spend(struct weir_call *c, struct weir_bytes in, enum weir_dir dir)
{
	const struct conf *cf = c->conf;
	struct state *st = c->state;
	struct ctx *cx = c->ctx;
	struct purse *p = &cx->purses[dir];
	uint64_t left_ms, n;
	struct weir_facts f;

	if (cf->count != COUNT_BOTH &&
		(cf->count == COUNT_UP) != (dir == WEIR_UP))
		return weir_detach();
	if (in.len == 0)
		return weir_pass(0);
	weir_facts(c, &f);
	purse_settle(c, p);
	n = budget_next(c, p, in.len, f.age_ms);
	if (bytes_spend(c, &n, &left_ms) == -1) {
		if (weir_limiter_hangs(c, &st->limiter))
			return purse_owe(p, in.len);
		if (weir_limiter_refuses(
			    c, &cf->limiter, &st->limiter, used_up))
			return weir_limiter_end(&cf->limiter);
		if (bytes_spend_more(c, n) == -1)
			return purse_owe(p, in.len);
	}
	p->budget = n;
	p->spent += n;
	p->given_ms = f.age_ms;
	p->until_ms = f.age_ms + left_ms;
	return weir_skip(n);
}

static struct weir_verdict
quota_up(struct weir_call *c, struct weir_bytes in)
{
	return spend(c, in, WEIR_UP);
}

static struct weir_verdict
quota_down(struct weir_call *c, struct weir_bytes in)
{
	return spend(c, in, WEIR_DOWN);
}

static struct weir_verdict
quota_close(struct weir_call *c, enum weir_reason reason)
{
	struct state *st = c->state;
	struct ctx *cx = c->ctx;
	struct weir_facts f;
	int dir;

	(void)reason;
	weir_facts(c, &f);
	for (dir = 0; dir < 2; dir++) {
		struct purse *p = &cx->purses[dir];
		uint64_t used = dir == WEIR_UP ? f.up_bytes : f.down_bytes;
		uint64_t left;

		purse_settle(c, p);
		left = p->spent > used ? p->spent - used : 0;

		/* Others may have dropped or added bytes. */
		if (left > p->budget)
			left = p->budget;
		if (left > 0 && f.age_ms < p->until_ms)
			(void)weir_table_refund(st->limiter.table,
				weir_limiter_kept(&cx->key), st->column, left);
	}
	weir_limiter_free(&cx->key);
	return weir_pass(0);
}

const struct weir_middleware mw_quota = {
	.name = "quota",
	.help = "Limits how many bytes a client has in a day, or any period.",
	.example = "max = \"10G\"; period = \"1h\";",
	.opts = opts,
	.conf_size = sizeof(struct conf),
	.ctx_size = sizeof(struct ctx),
	.state_size = sizeof(struct state),
	.counters = counters,
	.claim = quota_claim,
	.start = quota_start,
	.open = quota_open,
	.up = quota_up,
	.down = quota_down,
	.close = quota_close,
};
