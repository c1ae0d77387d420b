/* forward.c - connects to one address, or to the first of a list that takes
 * the connection. */
#include "weir.h"

struct conf {
	struct weir_list to; /* of struct weir_addr */
	struct weir_addr source;
	uint32_t connect_timeout_ms;
	int first_byte; /* enum first_byte */
	uint32_t race_after_ms;
};

/* Whose first byte is waited for where others want client bytes first. */
enum first_byte { FIRST_CLIENT, FIRST_RACE };

static const char *const first_bytes[] = { "client", "race", NULL };

struct ctx {
	const struct weir_addr *last; /* what was connected to last */
	uint32_t tried;		      /* addresses that were given a chance */
};

static const struct weir_opt opts[] = {
	WEIR_ADDRESSES("to", struct conf, to, .min = 1, .max = 1000,
		.help = "Address of the backend, or a list tried in order."),
	WEIR_TIME("connect_timeout", struct conf, connect_timeout_ms,
		.flags = WEIR_OPTIONAL, .min = 1, .max = 86400000,
		.help = "How long each address may take; else the server's "
			"connect_timeout counts."),
	WEIR_ADDRESS("source", struct conf, source, .flags = WEIR_OPTIONAL,
		.help = "Local address to connect from, with port 0 for any; "
			"else its server's backend says which."),
	WEIR_CHOICE("first_byte", struct conf, first_byte, .def = "client",
		.choices = first_bytes,
		.help = "Where other middlewares want client bytes before a "
			"backend is chosen: with race this one is connected to "
			"after a silence, and whoever speaks first decides."),
	WEIR_TIME("race_after", struct conf, race_after_ms, .def = "300ms",
		.min = 1, .max = 86400000, .help = "How long that silence is."),
	WEIR_OPT_END,
};

static int
forward_check(const void *conf, struct weir_diag *d)
{
	const struct conf *cf = conf;
	const struct weir_addr *to = cf->to.v;
	char text[WEIR_ADDR_TEXT];
	int ok = 0;
	size_t i;

	for (i = 0; i < cf->to.n; i++) {
		weir_addr_text(&to[i], text);
		if (weir_addr_lacks_port(&to[i])) {
			weir_error(
				d, "\"to\" wants a port from 1, not %s", text);
			ok = -1;
		}
		if (cf->source.len != 0 &&
			cf->source.sa.sa_family != to[i].sa.sa_family) {
			weir_error(d, "\"source\" is of another family than %s",
				text);
			ok = -1;
		}
	}
	return ok;
}

static uint32_t
forward_needs(const void *conf)
{
	const struct conf *cf = conf;

	return weir_addr_is_low(&cf->source) ? WEIR_NEEDS_NET_BIND_SERVICE : 0;
}

static bool
forward_races(const void *conf)
{
	return ((const struct conf *)conf)->first_byte == FIRST_RACE;
}

static void
forward_next(struct weir_call *c)
{
	const struct conf *cf = c->conf;
	const struct weir_addr *to = cf->to.v;
	struct ctx *cx = c->ctx;

	cx->last = &to[cx->tried++];
	weir_connect(c, cx->last,
		&(struct weir_dial){ .source = &cf->source,
			.timeout_ms = cf->connect_timeout_ms });
}

static struct weir_verdict
forward_open(struct weir_call *c)
{
	const struct conf *cf = c->conf;

	if (cf->first_byte == FIRST_RACE)
		weir_timer(c, cf->race_after_ms);
	return weir_pass(0);
}

static struct weir_verdict
forward_timer(struct weir_call *c)
{
	struct weir_facts f;

	weir_facts(c, &f);
	if (f.awaited && f.up_bytes == 0)
		forward_next(c);
	return weir_pass(0);
}

/* The address of a race comes first: its connection may be there still. */
static void
forward_route(struct weir_call *c)
{
	struct ctx *cx = c->ctx;

	if (cx->tried > 0)
		cx->tried--;
	forward_next(c);
}

static void
forward_connected(struct weir_call *c, int err)
{
	const struct conf *cf = c->conf;
	struct ctx *cx = c->ctx;

	if (err != 0 && cx->tried < cf->to.n)
		forward_next(c);
	else if (err != 0)
		cx->tried = 0; /* in a race only: the client may still come */
}

static void
forward_address(const struct weir_call *c, struct weir_value *v)
{
	const struct ctx *cx = c->ctx;

	if (cx->last != NULL)
		*v = (struct weir_value){ .type = WEIR_VALUE_ADDR,
			.addr = *cx->last };
}

static const struct weir_variable variables[] = {
	{ "address", WEIR_VALUE_ADDR, WEIR_AT_CONNECT,
		"The address that it has tried to connect to last; from the "
		"first try on, also when none accepts.",
		forward_address },
	{ .name = NULL },
};

const struct weir_middleware mw_forward = {
	.name = "forward",
	.help = "Connects to an address, or the first of a list that accepts.",
	.example = "to = \"127.0.0.1:9\";",
	.opts = opts,
	.conf_size = sizeof(struct conf),
	.ctx_size = sizeof(struct ctx),
	.variables = variables,
	.check = forward_check,
	.needs = forward_needs,
	.races = forward_races,
	.open = forward_open,
	.timer = forward_timer,
	.route = forward_route,
	.connected = forward_connected,
};
