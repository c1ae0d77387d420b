/* aside.h - what only few channels need: waits, timers, a history. */
#ifndef ENGINE_ASIDE_H
#define ENGINE_ASIDE_H

#include <stdint.h>

#include "engine/channel.h"
#include "engine/connect.h"

/* What an up callback has chosen, until all middlewares are opened. */
struct chosen {
	struct dial dial;
	unsigned stage;
};

struct aside {
	struct wait *waits;
	struct timer *timers;
	struct history *history; /* NULL: not kept */
	uint64_t waiting[2];	 /* stages whose wait lasts, by direction */
	uint64_t cut[2];	 /* stages that have ended it themselves */
	uint64_t by_time;	 /* stages that emit when shown no bytes */
	struct chosen *chosen;	 /* a backend; NULL: none, or it is used */
	uint32_t slot;		 /* that tickets name, from 1; 0: none yet */
	uint32_t serial;	 /* of the last wait */
};

/* The channel's, made when there is none; NULL with ENOMEM. */
struct aside *aside_get(struct weir_channel *ch);
/* Frees it and all in it: nothing is called any more, tickets are void. */
void aside_done(struct weir_channel *ch);

/* Stages that wait in that direction. */
static inline uint64_t
aside_waiting(const struct weir_channel *ch, enum weir_dir dir)
{
	return ch->aside == NULL ? 0 : ch->aside->waiting[dir];
}

/* Stages that have ended that direction; 0: only its source can. */
static inline uint64_t
aside_cut(const struct weir_channel *ch, enum weir_dir dir)
{
	return ch->aside == NULL ? 0 : ch->aside->cut[dir];
}

#endif
