/* bang.c - refuses every channel whose first byte is "!". */
#include "weir.h"

static struct weir_verdict
bang_up(struct weir_call *c, struct weir_bytes in)
{
	if (in.len == 0 || in.p[0] != '!')
		return weir_detach();
	weir_why(c, "it begins with !");
	return weir_close(WEIR_R_DENIED);
}

const struct weir_middleware mw_bang = {
	.name = "bang",
	.help = "Refuses every channel whose first byte is \"!\".",
	.flags = WEIR_PREREAD,
	.up = bang_up,
};
