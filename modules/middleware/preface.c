/* preface.c - a client has to begin with certain bytes, or is refused. */
#include <string.h>

#include "weir.h"

struct conf {
	const char *bytes;
	bool keep;
};

struct ctx {
	bool begun;
};

static const struct weir_opt opts[] = {
	WEIR_STRING("bytes", struct conf, bytes, .min = 1, .max = 4096,
		.help = "What every client sends first."),
	WEIR_BOOL("keep", struct conf, keep, .def = "false",
		.help = "Whether these bytes go on to the backend."),
	WEIR_OPT_END,
};

static struct weir_verdict
preface_up(struct weir_call *c, struct weir_bytes in)
{
	const struct conf *cf = c->conf;
	struct ctx *cx = c->ctx;
	size_t want = strlen(cf->bytes);

	if (cx->begun)
		return weir_detach();
	if (memcmp(in.p, cf->bytes, in.len < want ? in.len : want) != 0)
		return weir_close(WEIR_R_PROTOCOL);
	if (in.len < want)
		return in.eof ? weir_close(WEIR_R_PROTOCOL)
			      : weir_need(in.len + 1);
	cx->begun = true;
	return cf->keep ? weir_detach() : weir_drop(want);
}

const struct weir_middleware mw_preface = {
	.name = "preface",
	.help = "Refuses clients that do not begin with certain bytes.",
	.example = "bytes = \"hello\";",
	.opts = opts,
	.conf_size = sizeof(struct conf),
	.ctx_size = sizeof(struct ctx),
	.flags = WEIR_PREREAD,
	.up = preface_up,
};
