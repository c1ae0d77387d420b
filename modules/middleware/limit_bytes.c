/* limit_bytes.c - ends a channel that carries more than so many bytes. */
#include "weir.h"

struct conf {
	size_t up, down; /* 0: no limit */
};

struct ctx {
	bool counted[2]; /* by direction: all that is allowed has been let go */
};

static const struct weir_opt opts[] = {
	WEIR_SIZE("up", struct conf, up, .def = "off", .flags = WEIR_OFF,
		.help = "Most bytes from the client."),
	WEIR_SIZE("down", struct conf, down, .def = "off", .flags = WEIR_OFF,
		.help = "Most bytes to the client."),
	WEIR_OPT_END,
};

static int
limit_bytes_check(const void *conf, struct weir_diag *d)
{
	const struct conf *cf = conf;

	if (cf->up != 0 || cf->down != 0)
		return 0;
	weir_error(d, "wants \"up\" or \"down\", else it limits nothing");
	return -1;
}

/* Nothing is looked at before the limit is passed. */
static struct weir_verdict
limit(struct weir_call *c, struct weir_bytes in, enum weir_dir dir, size_t most)
{
	struct ctx *cx = c->ctx;

	if (most == 0)
		return weir_detach();
	if (in.len == 0)
		return weir_pass(0);
	if (cx->counted[dir])
		return weir_close(WEIR_R_LIMIT);
	cx->counted[dir] = true;
	return weir_skip(most);
}

static struct weir_verdict
limit_bytes_up(struct weir_call *c, struct weir_bytes in)
{
	const struct conf *cf = c->conf;

	return limit(c, in, WEIR_UP, cf->up);
}

static struct weir_verdict
limit_bytes_down(struct weir_call *c, struct weir_bytes in)
{
	const struct conf *cf = c->conf;

	return limit(c, in, WEIR_DOWN, cf->down);
}

const struct weir_middleware mw_limit_bytes = {
	.name = "limit_bytes",
	.help = "Ends a channel that carries more than so many bytes.",
	.example = "up = \"64k\";",
	.opts = opts,
	.conf_size = sizeof(struct conf),
	.ctx_size = sizeof(struct ctx),
	.check = limit_bytes_check,
	.up = limit_bytes_up,
	.down = limit_bytes_down,
};
