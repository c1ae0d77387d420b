/* ender.h - middlewares that end a direction, and see who is shown what. */
#ifndef UNIT_ENDER_H
#define UNIT_ENDER_H

#include <stdio.h>
#include <string.h>

#include "lib/pair.h"

/* At a '!', ends that direction behind "bye"; "?" ends the other one. */
static struct weir_verdict
ender(struct weir_call *c, struct weir_bytes in, enum weir_dir dir)
{
	const uint8_t *at;

	if (in.len > 0 && (at = memchr(in.p, '!', in.len)) != NULL) {
		if (at > in.p)
			return weir_pass((size_t)(at - in.p));
		weir_emit(c, dir, "bye", 3);
		weir_end(c, dir);
		weir_end(c, dir);
	} else if (in.len > 0 && in.p[0] == '?') {
		weir_emit(c, !dir, "bye", 3);
		weir_end(c, !dir);
		return weir_drop(1);
	}
	return weir_pass(in.len);
}

static struct weir_verdict
ender_up(struct weir_call *c, struct weir_bytes in)
{
	return ender(c, in, WEIR_UP);
}

static struct weir_verdict
ender_down(struct weir_call *c, struct weir_bytes in)
{
	return ender(c, in, WEIR_DOWN);
}

static const struct weir_middleware mw_ender = {
	.name = "ender", .up = ender_up, .down = ender_down
};

static struct weir_verdict
watch(struct weir_call *c, struct weir_bytes in, char shown[256])
{
	size_t len = strlen(shown);

	(void)c;
	snprintf(shown + len, 256 - len, "%.*s%s", (int)in.len,
		(const char *)in.p, in.eof ? "." : "|");
	return weir_pass(in.len);
}

static char before[256], behind[256];

static struct weir_verdict
before_up(struct weir_call *c, struct weir_bytes in)
{
	return watch(c, in, before);
}

static struct weir_verdict
behind_up(struct weir_call *c, struct weir_bytes in)
{
	return watch(c, in, behind);
}

static const struct weir_middleware mw_before = { .name = "before",
	.up = before_up };
static const struct weir_middleware mw_behind = { .name = "behind",
	.up = behind_up };

static inline int
ender_start(void **state)
{
	before[0] = behind[0] = '\0';
	return pair_start(state);
}

static inline void
ender_join(void)
{
	rig_add(&rig, &mw_before, NULL);
	rig_add(&rig, &mw_ender, NULL);
	rig_add(&rig, &mw_behind, NULL);
	pair_join();
}

#endif
