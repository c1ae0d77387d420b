/* rate.h - what was added lately, in a cell of a table. */
#ifndef SHM_RATE_H
#define SHM_RATE_H

#include <stdint.h>

/* What was added in two windows, that of an even number first. */
struct rate {
	struct {
		uint64_t number;
		uint64_t n;
	} windows[2];
};

/* Adds n in the window of that number. */
void rate_add(struct rate *rate, uint64_t window, uint64_t n);
/* What was added in the window_ms before now_ms. */
uint64_t
rate_read(const struct rate *rate, uint64_t window_ms, uint64_t now_ms);
/* What was interrupted may have left nonsense; window: that of now. */
void rate_repair(struct rate *rate, uint64_t window);

#endif
