/* forward.c - connects to one address, or to the first of a list that takes
 * the connection. */
#include "weir.h"

struct conf {
	struct weir_list to; /* of struct weir_addr */
	struct weir_addr source;
	uint32_t connect_timeout_ms;
};

struct ctx {
	uint32_t tried; /* addresses that were given a chance */
};

static const struct weir_opt opts[] = {
	WEIR_ADDRESSES("to", struct conf, to, .min = 1, .max = 1000,
		.help = "Address of the backend, or a list tried in order."),
	WEIR_TIME("connect_timeout", struct conf, connect_timeout_ms,
		.flags = WEIR_OPTIONAL, .min = 1, .max = 86400000,
		.help = "How long each address may take; else the server's "
			"connect_timeout counts."),
	WEIR_ADDRESS("source", struct conf, source, .flags = WEIR_OPTIONAL,
		.help = "Local address to connect from, with port 0 for any."),
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

static void
forward_next(struct weir_call *c)
{
	const struct conf *cf = c->conf;
	const struct weir_addr *to = cf->to.v;
	struct ctx *cx = c->ctx;

	weir_connect(c, &to[cx->tried++],
		&(struct weir_dial){ .source = &cf->source,
			.timeout_ms = cf->connect_timeout_ms });
}

static void
forward_route(struct weir_call *c)
{
	forward_next(c);
}

static void
forward_connected(struct weir_call *c, int err)
{
	const struct conf *cf = c->conf;
	const struct ctx *cx = c->ctx;

	if (err != 0 && cx->tried < cf->to.n)
		forward_next(c);
}

const struct weir_middleware mw_forward = {
	.name = "forward",
	.help = "Connects to an address, or the first of a list that accepts.",
	.opts = opts,
	.conf_size = sizeof(struct conf),
	.ctx_size = sizeof(struct ctx),
	.check = forward_check,
	.route = forward_route,
	.connected = forward_connected,
};
