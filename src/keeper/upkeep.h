/* upkeep.h - what tables need once, whoever uses them: keys whose time has
 * passed leave, and what is to last over a restart is kept in files. */
#ifndef KEEPER_UPKEEP_H
#define KEEPER_UPKEEP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "keeper/saver.h"

struct event;
struct event_base;
struct heritage;

/* What is known of a table. */
struct upkept {
	uint32_t from; /* the stripe that is swept next */
	bool damaged;  /* its file, which is put aside before it is written */
	uint64_t save_ms; /* when; UINT64_MAX: not */
};

struct upkeep {
	const struct heritage *heritage;
	struct event *tick;
	struct upkept *v; /* by table */
	struct saver saver;
	bool serves; /* the files are ours */
};

/* Fills the tables that are fresh from their files; one that cannot be read
 * leaves its table empty, which is logged.  -1 with errno. */
int upkeep_init(
	struct upkeep *u, const struct heritage *h, struct event_base *base);
/* Begins to write the files: nobody can go back to an earlier generation.  One
 * that could not be read is put aside then. */
void upkeep_serve(struct upkeep *u);
/* Writes them no more: another keeper does. */
void upkeep_retire(struct upkeep *u);
/* Writes the files a last time, if they are ours. */
void upkeep_done(struct upkeep *u);

#endif
