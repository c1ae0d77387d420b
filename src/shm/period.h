/* period.h - what was spent since a period began, in a cell of a table. */
#ifndef SHM_PERIOD_H
#define SHM_PERIOD_H

#include <stdint.h>

struct period {
	uint64_t ends_ms; /* of clock_ms() */
	uint64_t n;
};

/* When it is, and how long periods are. */
struct period_now {
	uint64_t ms; /* not 0 */
	uint64_t now_ms, wall_ms;
};

/* Adds n, or what is left up to most; how many these are. */
uint64_t period_spend(struct period *p, const struct period_now *now,
	uint64_t n, uint64_t most);
/* How long it lasts; 0: it is over. */
uint64_t period_left_ms(const struct period *p, uint64_t now_ms);

#endif
