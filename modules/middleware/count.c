/* count.c - counts the lines of both directions. */
#include <inttypes.h>
#include <string.h>

#include "weir.h"

#define LANES 16

/* So many bytes that are compared at once. */
typedef uint8_t lanes __attribute__((vector_size(LANES)));

struct conf {
	bool report;
};

struct ctx {
	uint64_t lines[2]; /* by direction */
};

static const struct weir_opt opts[] = {
	WEIR_BOOL("report", struct conf, report, .def = "true",
		.help = "Whether a line of the log tells the counts, when a "
			"channel has closed."),
	WEIR_OPT_END,
};

static void
up_lines(const struct weir_call *c, struct weir_value *v)
{
	const struct ctx *cx = c->ctx;

	*v = (struct weir_value){ .type = WEIR_VALUE_NUMBER,
		.number = cx->lines[WEIR_UP] };
}

static void
down_lines(const struct weir_call *c, struct weir_value *v)
{
	const struct ctx *cx = c->ctx;

	*v = (struct weir_value){ .type = WEIR_VALUE_NUMBER,
		.number = cx->lines[WEIR_DOWN] };
}

static const struct weir_variable variables[] = {
	{ "up_lines", WEIR_VALUE_NUMBER, WEIR_AT_OPEN,
		"Line ends that the client has sent so far.", up_lines },
	{ "down_lines", WEIR_VALUE_NUMBER, WEIR_AT_OPEN,
		"Line ends that the backend has sent so far.", down_lines },
	{ .name = NULL },
};

/* memchr(3) is slower where lines are short: each one is a call. */
static uint64_t
lines_count(const uint8_t *p, size_t n)
{
	uint64_t lines = 0;

	while (n >= LANES) {
		size_t rounds = n / LANES < 255 ? n / LANES : 255, i;
		lanes bytes, found = { 0 };

		n -= rounds * LANES;
		for (; rounds > 0; rounds--, p += LANES) {
			memcpy(&bytes, p, LANES);
			found -= (lanes)(bytes == '\n');
		}
		for (i = 0; i < LANES; i++)
			lines += found[i];
	}
	for (; n > 0; n--)
		lines += *p++ == '\n';
	return lines;
}

static struct weir_verdict
count_up(struct weir_call *c, struct weir_bytes in)
{
	struct ctx *cx = c->ctx;

	cx->lines[WEIR_UP] += lines_count(in.p, in.len);
	return weir_pass(in.len);
}

static struct weir_verdict
count_down(struct weir_call *c, struct weir_bytes in)
{
	struct ctx *cx = c->ctx;

	cx->lines[WEIR_DOWN] += lines_count(in.p, in.len);
	return weir_pass(in.len);
}

static struct weir_verdict
count_close(struct weir_call *c, enum weir_reason reason)
{
	const struct conf *cf = c->conf;
	const struct ctx *cx = c->ctx;

	(void)reason;
	if (cf->report)
		weir_log(c, "up_lines=%" PRIu64 " down_lines=%" PRIu64,
			cx->lines[WEIR_UP], cx->lines[WEIR_DOWN]);
	return weir_pass(0);
}

const struct weir_middleware mw_count = {
	.name = "count",
	.help = "Counts the lines of both directions.",
	.opts = opts,
	.conf_size = sizeof(struct conf),
	.ctx_size = sizeof(struct ctx),
	.variables = variables,
	.up = count_up,
	.down = count_down,
	.close = count_close,
};
