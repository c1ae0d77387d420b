/* rate.c - what was added lately, in a cell of a table. */
#include <stdatomic.h>

#include "shm/crash.h"
#include "shm/rate.h"

/* Processes have looked at the clock at different times: who is late adds to
 * a newer window rather than to take that away. */
void
rate_add(struct rate *rate, uint64_t window, uint64_t n)
{
	unsigned i = window & 1;

	if (rate->windows[i].number < window) {
		rate->windows[i].n = 0;
		atomic_signal_fence(memory_order_seq_cst);
		shm_crash();
		rate->windows[i].number = window;
		atomic_signal_fence(memory_order_seq_cst);
		shm_crash();
	}
	rate->windows[i].n += n;
}

/* Of the window before, the part that the last window_ms still cover counts:
 * as if it had come evenly. */
uint64_t
rate_read(const struct rate *rate, uint64_t window_ms, uint64_t now_ms)
{
	uint64_t window = now_ms / window_ms, past_ms = now_ms % window_ms;
	unsigned now = window & 1, before = !now;
	uint64_t n = 0;

	if (rate->windows[now].number >= window)
		n = rate->windows[now].n;
	if (rate->windows[before].number > window)
		n += rate->windows[before].n;
	else if (rate->windows[before].number + 1 == window)
		n += (uint64_t)((double)rate->windows[before].n *
				(double)(window_ms - past_ms) /
				(double)window_ms);
	return n;
}

/* No process is a window ahead of another. */
void
rate_repair(struct rate *rate, uint64_t window)
{
	unsigned i;

	for (i = 0; i < 2; i++)
		if (rate->windows[i].number > window + 1)
			rate->windows[i].number = rate->windows[i].n = 0;
}
