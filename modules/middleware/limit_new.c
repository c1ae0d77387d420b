/* limit_new.c - at most so many new channels of one key in a while. */
#include "weir.h"

struct conf {
	struct weir_limiter limiter;
	const char *column;
	int64_t max, burst;
	uint32_t window_ms;
};

struct state {
	struct weir_limiter_state limiter;
	struct weir_bucket bucket;
	unsigned column;
};

static const char *const counters[] = {
#define X(id, word) word,
	WEIR_LIMITED(X)
#undef X
		NULL
};

#define MOST	    1000000000
#define WINDOW_MOST 2592000000 /* 30 days in ms */

static const struct weir_opt opts[] = {
	WEIR_INT("max", struct conf, max, .min = 1, .max = MOST,
		.help = "How many new channels there may be in each "
			"\"window\", of all workers together."),
	WEIR_TIME("window", struct conf, window_ms, .def = "1s", .min = 1,
		.max = WINDOW_MOST, .help = "How long that is."),
	WEIR_INT("burst", struct conf, burst, .def = "0", .flags = WEIR_OFF,
		.min = 1, .max = MOST,
		.help = "How many there may be at once, after a time without; "
			"off: as many as \"max\".  More come as time passes, "
			"evenly: \"max\" in a \"window\"."),
	WEIR_STRING("column", struct conf, column, .def = "new",
		.help = "Column of the table, of type tokens, that counts."),
	WEIR_LIMITER_TABLE(struct conf, limiter),
	WEIR_LIMITER_ROWS(struct conf, limiter, WEIR_FOR_OPEN),
	WEIR_OPT_END,
};

static struct weir_bucket
bucket_of(const struct conf *cf)
{
	return (struct weir_bucket){ .rate = (uint64_t)cf->max,
		.per_ms = cf->window_ms,
		.burst = (uint64_t)(cf->burst != 0 ? cf->burst : cf->max) };
}

static bool
limit_new_claim(const void *conf, unsigned i, struct weir_claim *claim)
{
	const struct conf *cf = conf;

	*claim = (struct weir_claim){ .by = &cf->limiter,
		.column = cf->column,
		.option = "column",
		.type = WEIR_COLUMN_TOKENS,
		.counts = "new channels",
		.bucket = bucket_of(cf) };
	return i == 0;
}

static int
limit_new_start(struct weir_instance *in)
{
	const struct conf *cf = in->conf;
	struct state *st = in->state;
	int column;

	st->bucket = bucket_of(cf);
	if (weir_limiter_start(&st->limiter, &cf->limiter, in) == -1)
		return -1;
	column = weir_limiter_column(
		&st->limiter, cf->column, WEIR_COLUMN_TOKENS);
	st->column = (unsigned)column;
	return column == -1 ? -1 : 0;
}

static struct weir_verdict
limit_new_open(struct weir_call *c)
{
	const struct conf *cf = c->conf;
	struct state *st = c->state;
	struct weir_limiter_key made = { .len = 0 };
	struct weir_bytes key = weir_limiter_key(c, &cf->limiter, &made);
	bool refuses;

	if (key.len == 0)
		return weir_close(WEIR_R_NOMEM);
	refuses = weir_table_draw(st->limiter.table, key, st->column,
			  &st->bucket, 1, NULL) == -1 &&
		  weir_limiter_refuses(c, &cf->limiter, &st->limiter,
			  "it has opened as many channels as it may for now");
	weir_limiter_free(&made);
	return refuses ? weir_limiter_end(&cf->limiter) : weir_pass(0);
}

const struct weir_middleware mw_limit_new = {
	.name = "limit_new",
	.help = "Limits how many channels a client opens in a while.",
	.example = "max = 100;",
	.opts = opts,
	.conf_size = sizeof(struct conf),
	.state_size = sizeof(struct state),
	.counters = counters,
	.claim = limit_new_claim,
	.start = limit_new_start,
	.open = limit_new_open,
};
