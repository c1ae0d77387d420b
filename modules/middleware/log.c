/* log.c - one access line for every channel, when it has closed. */
#include <inttypes.h>
#include <string.h>

#include "weir.h"

static struct weir_verdict
log_close(struct weir_call *c, enum weir_reason reason)
{
	static const char *const sides[] = { "client", "backend", "weir" };
	char client[WEIR_ADDR_TEXT], target[WEIR_ADDR_TEXT] = "-";
	struct weir_facts f;
	const char *why;

	weir_facts(c, &f);
	if (f.target.len > 0)
		weir_addr_text(&f.target, target);
	why = f.detail != NULL	 ? f.detail
	      : f.module != NULL ? f.module
	      : f.err != 0	 ? strerror(f.err)
				 : "-";
	weir_log(c,
		"client=%s listen=%s server=%s backend=%s up=%" PRIu64
		" down=%" PRIu64 " ms=%" PRIu64 " reason=%s by=%s why=\"%s\"",
		weir_addr_text(&f.client, client), f.listen, f.server, target,
		f.up_bytes, f.down_bytes, f.age_ms, weir_reason_word(reason),
		sides[f.ended_by], why);
	return weir_pass(0);
}

const struct weir_middleware mw_log = {
	.name = "log",
	.help = "Logs one line for every channel, when it has closed.",
	.close = log_close,
};
