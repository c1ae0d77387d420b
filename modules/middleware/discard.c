/* discard.c - reads and drops every byte; needs no backend. */
#include "weir.h"

static void
discard_route(struct weir_call *c)
{
	weir_serve(c);
}

static struct weir_verdict
discard_up(struct weir_call *c, struct weir_bytes in)
{
	(void)c;
	return weir_drop(in.len);
}

const struct weir_middleware mw_discard = {
	.name = "discard",
	.help = "Reads and drops every byte; needs no backend.",
	.route = discard_route,
	.up = discard_up,
};
