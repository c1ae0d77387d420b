/* trial.c - middlewares that only tests have, and the registry of a weir that
 * has them beside the real ones. */
#include <signal.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/weir.h"

/* ---- gate: the first client byte decides; 'g' opens, others are refused -- */

static struct weir_verdict
gate_up(struct weir_call *c, struct weir_bytes in)
{
	bool *open = c->ctx;

	if (*open)
		return weir_detach();
	if (in.len == 0 || in.p[0] != 'g') {
		weir_emit(c, WEIR_DOWN, "no\n", 3);
		return weir_close(WEIR_R_PROTOCOL);
	}
	*open = true;
	return weir_drop(1);
}

static const struct weir_middleware mw_gate = {
	.name = "gate",
	.help = "Lets a channel go on whose first byte is a g.",
	.ctx_size = sizeof(bool),
	.flags = WEIR_PREREAD,
	.up = gate_up,
};

/* ---- deny: refuses every channel when it opens, with a long word --------- */

static struct weir_verdict
deny_open(struct weir_call *c)
{
	static char word[4096];

	memset(word, 'n', sizeof(word) - 1);
	word[sizeof(word) - 1] = '\n';
	weir_emit(c, WEIR_DOWN, word, sizeof(word));
	return weir_close(WEIR_R_DENIED);
}

static const struct weir_middleware mw_deny = {
	.name = "deny",
	.help = "Refuses every channel with a line of 4096 bytes.",
	.open = deny_open,
};

/* ---- header: the backend is told something ahead of the client's bytes --- */

static void
header_connected(struct weir_call *c, int err)
{
	if (err == 0)
		weir_emit(c, WEIR_UP, "HELLO\n", 6);
}

static const struct weir_middleware mw_header = {
	.name = "header",
	.help = "Sends a line to the backend ahead of the client's bytes.",
	.connected = header_connected,
};

/* ---- copy: replaces every byte with itself, the way a rewriter works ----- */

static struct weir_verdict
copy_up(struct weir_call *c, struct weir_bytes in)
{
	if (in.len > 0)
		weir_emit(c, WEIR_UP, in.p, in.len);
	return weir_drop(in.len);
}

static struct weir_verdict
copy_down(struct weir_call *c, struct weir_bytes in)
{
	if (in.len > 0)
		weir_emit(c, WEIR_DOWN, in.p, in.len);
	return weir_drop(in.len);
}

static const struct weir_middleware mw_copy = {
	.name = "copy",
	.help = "Replaces every byte with itself.",
	.up = copy_up,
	.down = copy_down,
};

/* ---- chop: judges a few bytes at a time ---------------------------------- */

static struct weir_verdict
chop(struct weir_call *c, struct weir_bytes in)
{
	unsigned *step = c->ctx;
	size_t n = 1 + (*step += 7919) % 5000;

	return weir_pass(n < in.len ? n : in.len);
}

static const struct weir_middleware mw_chop = {
	.name = "chop",
	.help = "Passes everything, in pieces.",
	.ctx_size = sizeof(unsigned),
	.up = chop,
	.down = chop,
};

/* ---- leave: looks at the first bytes of each direction, then detaches ---- */

static struct weir_verdict
leave(struct weir_call *c, struct weir_bytes in)
{
	(void)c;
	(void)in;
	return weir_detach();
}

static const struct weir_middleware mw_leave = {
	.name = "leave",
	.help = "Detaches at the first bytes.",
	.up = leave,
	.down = leave,
};

/* ---- word: 'q' ends, '!' kills the worker, 'b' and 'h' break the contract -
 */

static struct weir_verdict
word_up(struct weir_call *c, struct weir_bytes in)
{
	if (in.len == 0)
		return weir_pass(0);
	switch (in.p[0]) {
	case 'q':
		weir_emit(c, WEIR_DOWN, "bye\n", 4);
		return weir_close(WEIR_R_DENIED);
	case '!':
		abort();
	case 'f':
		raise(SIGSYS);
		return weir_pass(in.len);
	case 'b':
		return weir_pass(in.len + 1);
	case 'h':
		weir_emit(c, WEIR_DOWN, "bye\n", 4);
		return weir_need(in.len + 1);
	default:
		return weir_pass(in.len);
	}
}

static const struct weir_middleware mw_word = {
	.name = "word",
	.help = "Obeys the first byte of each read: q, !, b, h.",
	.up = word_up,
};

/* ---- tell: its variable is what the last client has sent ----------------- */

static char told[4096];
static size_t told_len;

static struct weir_verdict
tell_up(struct weir_call *c, struct weir_bytes in)
{
	(void)c;
	if (in.len > 0 && in.len <= sizeof(told)) {
		memcpy(told, in.p, in.len);
		told_len = in.len;
	}
	return weir_pass(in.len);
}

static void
tell_get(const struct weir_call *c, struct weir_value *v)
{
	(void)c;
	*v = (struct weir_value){
		.type = WEIR_VALUE_TEXT, .text = told, .len = told_len
	};
}

static const struct weir_variable tell_variables[] = {
	{ "bytes", WEIR_VALUE_TEXT, WEIR_AT_OPEN, "What it has sent.",
		tell_get },
	{ .name = NULL },
};

static const struct weir_middleware mw_tell = {
	.name = "tell",
	.help = "Tells what the last client has sent.",
	.variables = tell_variables,
	.up = tell_up,
};

/* ---- stay: never says whether a channel may open --------------------------
 */

static struct weir_verdict
stay_open(struct weir_call *c)
{
	weir_log(c, "its open waits");
	return weir_wait(3600000);
}

static const struct weir_middleware mw_stay = {
	.name = "stay",
	.help = "Lets every channel wait for an hour when it opens.",
	.open = stay_open,
};

/* ---- heed: tells the client of events; its close takes a while ----------- */

struct heed_conf {
	uint32_t close_ms;
	bool lame;    /* cannot start */
	bool fragile; /* breaks in its start while there is a file "abort" */
};

static const struct weir_opt heed_opts[] = {
	WEIR_TIME("close", struct heed_conf, close_ms, .def = "0",
		.flags = WEIR_OFF, .help = "How long its close takes."),
	WEIR_BOOL("lame", struct heed_conf, lame, .def = "false",
		.help = "Whether it cannot start."),
	WEIR_BOOL("fragile", struct heed_conf, fragile, .def = "false",
		.help = "Whether a file \"abort\" kills the worker."),
	WEIR_OPT_END,
};

static int
heed_start(struct weir_instance *in)
{
	const struct heed_conf *cf = in->conf;

	if (cf->fragile && access("abort", F_OK) == 0)
		abort();
	errno = ENOKEY;
	return cf->lame ? -1 : 0;
}

static struct weir_verdict
heed_signal(struct weir_call *c, const char *event)
{
	weir_emit(c, WEIR_DOWN, event, strlen(event));
	return weir_pass(0);
}

static struct weir_verdict
heed_close(struct weir_call *c, enum weir_reason reason)
{
	const struct heed_conf *cf = c->conf;

	(void)reason;
	weir_log(c, "its close is called");
	return cf->close_ms > 0 ? weir_wait(cf->close_ms) : weir_pass(0);
}

static const struct weir_middleware mw_heed = {
	.name = "heed",
	.help = "Tells the client of events.",
	.opts = heed_opts,
	.conf_size = sizeof(struct heed_conf),
	.start = heed_start,
	.signal = heed_signal,
	.close = heed_close,
};

/* ---- the registry -------------------------------------------------------- */

#define REGISTRY_MORE                                                          \
	&mw_gate, &mw_deny, &mw_header, &mw_copy, &mw_chop, &mw_leave,         \
		&mw_tell, &mw_word, &mw_stay, &mw_heed,
#include "registry.c"
