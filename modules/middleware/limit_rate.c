/* limit_rate.c - no more than so many bytes in a second.
 *
 * Bytes pass by budgets, unshown, so that bulk is spliced.  A budget is taken
 * out of a bucket before it has filled up so far, and waited for: so all who
 * share one have their turns, however many and in whichever workers they are.
 */
#include <errno.h>

#include "weir.h"

#define SLICES	  20  /* of a second: what passes at once */
#define STEADY_MS 250 /* who is back so soon goes on */

struct conf {
	struct weir_limiter limiter;
	size_t rates[2];	/* by direction; 0: no limit */
	const char *columns[2]; /* the same */
	size_t burst;
};

struct state {
	struct weir_limiter_state limiter;
	struct weir_bucket buckets[2];
	unsigned columns[2];
};

/* One direction. */
struct pace {
	struct weir_tokens own;
	uint64_t booked;   /* waits for these */
	uint64_t given_ms; /* age of the channel at its last budget, if any */
	bool given;
	bool alone; /* what is booked is of its own bucket */
};

struct ctx {
	struct weir_limiter_key key;
	struct pace paces[2];
};

enum { PAUSED = WEIR_LIMITED_COUNT };

static const char *const counters[] = {
#define X(id, word) word,
	WEIR_LIMITED(X)
#undef X
		[PAUSED] = "paused",
	NULL
};

#define RATE WEIR_OFF, .min = 100, .max = (int64_t)1 << 40

static const struct weir_opt opts[] = {
	WEIR_SIZE("up", struct conf, rates[WEIR_UP], .def = "off",
		.flags = RATE,
		.help = "Most bytes a second from the client.  What it has "
			"sent beyond that, up to the server's read_max, waits "
			"in memory, and the rest where it comes from."),
	WEIR_SIZE("down", struct conf, rates[WEIR_DOWN], .def = "off",
		.flags = RATE, .help = "Most bytes a second to the client."),
	WEIR_SIZE("burst", struct conf, burst, .def = "off", .flags = WEIR_OFF,
		.min = 1, .max = (int64_t)1 << 40,
		.help = "How many bytes may pass at once, after a time "
			"without; off: those of 50 ms."),
	WEIR_STRING("table", struct conf, limiter.table,
		.flags = WEIR_NAMES_EXTENSION | WEIR_OPTIONAL,
		.choices = weir_limiter_types,
		.help = "Which entry of extensions, of type table, keeps count "
			"of it: then all channels of one key have that rate "
			"together, in fair parts, in all workers.  Without one "
			"each channel has a rate of its own."),
	WEIR_STRING("up_column", struct conf, columns[WEIR_UP], .def = "up",
		.help = "Column of the table, of type tokens, for bytes from "
			"the client."),
	WEIR_STRING("down_column", struct conf, columns[WEIR_DOWN],
		.def = "down", .help = "The same for bytes to the client."),
	WEIR_LIMITER_ROWS(struct conf, limiter, WEIR_FOR_BYTES),
	WEIR_OPT_END,
};

static int
limit_rate_check(const void *conf, struct weir_diag *d)
{
	const struct conf *cf = conf;

	if (cf->rates[WEIR_UP] == 0 && cf->rates[WEIR_DOWN] == 0) {
		weir_error(
			d, "wants \"up\" or \"down\", else it limits nothing");
		return -1;
	}
	if (cf->limiter.key == NULL || cf->limiter.table != NULL)
		return 0;
	weir_error(d, "\"key\" wants a \"table\" too: without one each "
		      "channel has a rate of its own");
	return -1;
}

static struct weir_bucket
bucket_of(const struct conf *cf, unsigned dir)
{
	size_t slice = cf->rates[dir] / SLICES;

	return (struct weir_bucket){ .rate = cf->rates[dir],
		.per_ms = 1000,
		.burst = cf->burst != 0 ? cf->burst : slice };
}

/* A direction without a limit needs no column. */
static bool
limit_rate_claim(const void *conf, unsigned i, struct weir_claim *claim)
{
	static const char *const options[] = {
		[WEIR_UP] = "up_column", [WEIR_DOWN] = "down_column"
	};
	const struct conf *cf = conf;
	unsigned dir = cf->rates[WEIR_UP] == 0 ? i + 1 : i;

	if (cf->limiter.table == NULL || dir > WEIR_DOWN || cf->rates[dir] == 0)
		return false;
	*claim = (struct weir_claim){ .by = &cf->limiter,
		.column = cf->columns[dir],
		.option = options[dir],
		.type = WEIR_COLUMN_TOKENS,
		.counts = "bytes",
		.bucket = bucket_of(cf, dir) };
	return true;
}

static int
limit_rate_start(struct weir_instance *in)
{
	const struct conf *cf = in->conf;
	struct state *st = in->state;
	unsigned dir;
	int column;

	for (dir = 0; dir < 2; dir++)
		st->buckets[dir] = bucket_of(cf, dir);
	if (cf->limiter.table == NULL)
		return 0;
	if (weir_limiter_start(&st->limiter, &cf->limiter, in) == -1)
		return -1;
	for (dir = 0; dir < 2; dir++) {
		if (cf->rates[dir] == 0)
			continue;
		column = weir_limiter_column(
			&st->limiter, cf->columns[dir], WEIR_COLUMN_TOKENS);
		if (column == -1)
			return -1;
		st->columns[dir] = (unsigned)column;
	}
	return 0;
}

static uint64_t
age_ms(const struct weir_call *c)
{
	struct weir_facts f;

	weir_facts(c, &f);
	return f.age_ms;
}

/* Takes up to *n bytes out of the bucket: they may pass in *wait_ms.  -1 with
 * errno: it cannot say. */
static int
bytes_book(
	struct weir_call *c, enum weir_dir dir, uint64_t *n, uint64_t *wait_ms)
{
	const struct conf *cf = c->conf;
	struct state *st = c->state;
	struct ctx *cx = c->ctx;
	const struct weir_bucket *b = &st->buckets[dir];
	struct weir_bytes key;

	*wait_ms = 0;
	cx->paces[dir].alone = cf->limiter.table == NULL;
	if (!cx->paces[dir].alone) {
		key = weir_limiter_kept(&cx->key);
		if (weir_table_book(st->limiter.table, key, st->columns[dir], b,
			    n, wait_ms) == 0)
			return 0;
		/* Without the others it has the rate for itself. */
		if (!weir_limiter_hangs(c, &st->limiter))
			return -1;
		cx->paces[dir].alone = true;
	}
	*wait_ms = weir_tokens_book(&cx->paces[dir].own, b, n, age_ms(c));
	return 0;
}

/* The same in a dry run: who waits for nothing must not book. */
static int
bytes_draw(struct weir_call *c, enum weir_dir dir, uint64_t *n)
{
	const struct conf *cf = c->conf;
	struct state *st = c->state;
	struct ctx *cx = c->ctx;
	const struct weir_bucket *b = &st->buckets[dir];

	if (*n > b->burst)
		*n = b->burst;
	if (cf->limiter.table != NULL)
		return weir_table_draw(st->limiter.table,
			weir_limiter_kept(&cx->key), st->columns[dir], b, *n,
			NULL);
	if (weir_tokens_draw(&cx->paces[dir].own, b, *n, age_ms(c), NULL))
		return 0;
	errno = EDQUOT;
	return -1;
}

static struct weir_verdict
pace_dry(struct weir_call *c, enum weir_dir dir, uint64_t n)
{
	const struct conf *cf = c->conf;
	struct state *st = c->state;

	if (bytes_draw(c, dir, &n) == -1)
		(void)weir_limiter_refuses(c, &cf->limiter, &st->limiter,
			"it sends faster than it may");
	return weir_skip(n);
}

static struct weir_verdict
pace_go(struct weir_call *c, enum weir_dir dir, uint64_t n)
{
	struct ctx *cx = c->ctx;

	cx->paces[dir].booked = 0;
	cx->paces[dir].given_ms = age_ms(c);
	cx->paces[dir].given = true;
	return weir_skip(n);
}

static struct weir_verdict
pace(struct weir_call *c, struct weir_bytes in, enum weir_dir dir)
{
	const struct conf *cf = c->conf;
	struct state *st = c->state;
	struct ctx *cx = c->ctx;
	struct pace *p = &cx->paces[dir];
	uint64_t n = in.len, wait_ms;

	if (cf->rates[dir] == 0)
		return weir_detach();
	if (in.len == 0)
		return weir_pass(0);
	if (p->booked > 0)
		return pace_go(c, dir, p->booked);
	if (cf->limiter.table != NULL &&
		weir_limiter_key(c, &cf->limiter, &cx->key).len == 0)
		return weir_close(WEIR_R_NOMEM);
	/* Who has used up a budget at once wants more than is here. */
	if (p->given && p->given_ms + STEADY_MS >= age_ms(c) &&
		n < cf->rates[dir] / SLICES)
		n = cf->rates[dir] / SLICES;
	if (cf->limiter.dry_run)
		return pace_dry(c, dir, n);
	if (bytes_book(c, dir, &n, &wait_ms) == -1) {
		if (weir_limiter_refuses(c, &cf->limiter, &st->limiter, ""))
			return weir_limiter_end(&cf->limiter);
		return weir_skip(n);
	}
	if (wait_ms == 0)
		return pace_go(c, dir, n);
	weir_count(c, PAUSED, 1);
	p->booked = n;
	return weir_wait(wait_ms < UINT32_MAX ? (uint32_t)wait_ms : UINT32_MAX);
}

static struct weir_verdict
limit_rate_up(struct weir_call *c, struct weir_bytes in)
{
	return pace(c, in, WEIR_UP);
}

static struct weir_verdict
limit_rate_down(struct weir_call *c, struct weir_bytes in)
{
	return pace(c, in, WEIR_DOWN);
}

/* What was not waited for is the others'. */
static struct weir_verdict
limit_rate_close(struct weir_call *c, enum weir_reason reason)
{
	struct state *st = c->state;
	struct ctx *cx = c->ctx;
	int dir;

	(void)reason;
	for (dir = 0; dir < 2; dir++)
		if (!cx->paces[dir].alone && cx->paces[dir].booked > 0)
			(void)weir_table_refund(st->limiter.table,
				weir_limiter_kept(&cx->key), st->columns[dir],
				cx->paces[dir].booked);
	weir_limiter_free(&cx->key);
	return weir_pass(0);
}

const struct weir_middleware mw_limit_rate = {
	.name = "limit_rate",
	.help = "Limits bytes in a second, of each channel or of a client.",
	.example = "up = \"1M\"; down = \"1M\";",
	.opts = opts,
	.conf_size = sizeof(struct conf),
	.ctx_size = sizeof(struct ctx),
	.state_size = sizeof(struct state),
	.counters = counters,
	.check = limit_rate_check,
	.claim = limit_rate_claim,
	.start = limit_rate_start,
	.up = limit_rate_up,
	.down = limit_rate_down,
	.close = limit_rate_close,
};
