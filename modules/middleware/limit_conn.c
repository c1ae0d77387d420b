/* limit_conn.c - at most so many channels of one key at a time. */
#include "weir.h"

struct conf {
	struct weir_limiter limiter;
	const char *column;
	int64_t max;
};

struct state {
	struct weir_limiter_state limiter;
	unsigned column;
};

struct ctx {
	struct weir_limiter_key key;
	bool held;
};

static const char *const counters[] = {
#define X(id, word) word,
	WEIR_LIMITED(X)
#undef X
		NULL
};

static const struct weir_opt opts[] = {
	WEIR_INT("max", struct conf, max, .min = 1, .max = 16777215,
		.help = "Most channels at a time, of all workers together."),
	WEIR_STRING("column", struct conf, column, .def = "conns",
		.help = "Column of the table, of type held, that counts."),
	WEIR_LIMITER_TABLE(struct conf, limiter),
	WEIR_LIMITER_ROWS(struct conf, limiter, WEIR_FOR_OPEN),
	WEIR_OPT_END,
};

static bool
limit_conn_claim(const void *conf, unsigned i, struct weir_claim *claim)
{
	const struct conf *cf = conf;

	*claim = (struct weir_claim){ .by = &cf->limiter,
		.column = cf->column,
		.option = "column",
		.type = WEIR_COLUMN_HELD,
		.counts = "channels" };
	return i == 0;
}

static int
limit_conn_start(struct weir_instance *in)
{
	const struct conf *cf = in->conf;
	struct state *st = in->state;
	int column;

	if (weir_limiter_start(&st->limiter, &cf->limiter, in) == -1)
		return -1;
	column =
		weir_limiter_column(&st->limiter, cf->column, WEIR_COLUMN_HELD);
	st->column = (unsigned)column;
	return column == -1 ? -1 : 0;
}

static struct weir_verdict
limit_conn_open(struct weir_call *c)
{
	const struct conf *cf = c->conf;
	struct state *st = c->state;
	struct ctx *cx = c->ctx;
	struct weir_table *t = st->limiter.table;
	struct weir_bytes key = weir_limiter_key(c, &cf->limiter, &cx->key);

	if (key.len == 0)
		return weir_close(WEIR_R_NOMEM);
	cx->held = weir_table_hold(
			   t, key, st->column, 1, (uint64_t)cf->max, NULL) == 0;
	if (cx->held)
		return weir_pass(0);
	if (weir_limiter_refuses(c, &cf->limiter, &st->limiter,
		    "it has as many channels as it may"))
		return weir_limiter_end(&cf->limiter);
	/* Who is let pass counts nevertheless, if that can be. */
	cx->held =
		weir_table_hold(t, key, st->column, 1, UINT64_MAX, NULL) == 0;
	return weir_pass(0);
}

static struct weir_verdict
limit_conn_close(struct weir_call *c, enum weir_reason reason)
{
	struct state *st = c->state;
	struct ctx *cx = c->ctx;

	(void)reason;
	if (cx->held)
		(void)weir_table_release(st->limiter.table,
			weir_limiter_kept(&cx->key), st->column, 1);
	cx->held = false;
	weir_limiter_free(&cx->key);
	return weir_pass(0);
}

const struct weir_middleware mw_limit_conn = {
	.name = "limit_conn",
	.help = "Limits how many channels a client has at a time.",
	.example = "max = 100;",
	.opts = opts,
	.conf_size = sizeof(struct conf),
	.ctx_size = sizeof(struct ctx),
	.state_size = sizeof(struct state),
	.counters = counters,
	.claim = limit_conn_claim,
	.start = limit_conn_start,
	.open = limit_conn_open,
	.close = limit_conn_close,
};
