/* echo.c - answers every byte with itself; needs no backend. */
#include "weir.h"

static void
echo_route(struct weir_call *c)
{
	weir_serve(c);
}

static struct weir_verdict
echo_up(struct weir_call *c, struct weir_bytes in)
{
	if (in.len > 0)
		weir_emit(c, WEIR_DOWN, in.p, in.len);
	return weir_drop(in.len);
}

const struct weir_middleware mw_echo = {
	.name = "echo",
	.help = "Answers every byte with itself; needs no backend.",
	.route = echo_route,
	.up = echo_up,
};
