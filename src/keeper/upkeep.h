/* upkeep.h - what tables need once, whoever uses them: keys whose time has
 * passed leave, and what is to last over a restart is kept in files. */
#ifndef KEEPER_UPKEEP_H
#define KEEPER_UPKEEP_H

#include <stddef.h>
#include <stdint.h>

struct event;
struct event_base;
struct heritage;

struct upkeep {
	const struct heritage *heritage;
	struct event *tick;
	uint32_t *from; /* by table: the stripe that is swept next */
	uint64_t save_ms;
};

/* Fills the tables that are fresh from their files, and begins; a file that is
 * damaged is put aside, which is logged, and its table begins empty.  -1 with
 * errno. */
int upkeep_init(
	struct upkeep *u, const struct heritage *h, struct event_base *base);
/* Writes the files a last time. */
void upkeep_done(struct upkeep *u);

#endif
