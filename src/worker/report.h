/* report.h - what a worker says of itself: its line of the board, its title. */
#ifndef WORKER_REPORT_H
#define WORKER_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/engine.h"

struct event;
struct heritage;

struct report {
	const struct heritage *heritage;
	struct loop *loop;
	const struct engine *engines;
	size_t nengines;
	struct event *timer;
	size_t channels; /* that were last written to the board */
	uint64_t copied_bytes, spliced_bytes; /* likewise */
	uint32_t turns;
	bool due; /* the title will be written */
	bool drains;
};

/* Nothing is said yet; -1 with errno. */
int
report_init(struct report *r, struct loop *loop, const struct engine *engines,
	size_t nengines, const struct heritage *h);
void report_done(struct report *r);
/* From now on it drains. */
void report_drains(struct report *r);
/* After each turn: writes the board; the title follows within a second. */
void report_turn(struct report *r);

#endif
