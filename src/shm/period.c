/* period.c - what was spent since a period began. */
#include <stdatomic.h>
#include <stdbool.h>

#include "shm/crash.h"
#include "shm/period.h"

/* Or was it of another length, before its configuration changed?  All processes
 * have read the clock at about the same time. */
static bool
period_is_over(const struct period *p, const struct period_now *now)
{
	return p->ends_ms <= now->now_ms ||
	       p->ends_ms - now->now_ms > now->ms + now->ms / 2;
}

uint64_t
period_spend(struct period *p, const struct period_now *now, uint64_t n,
	uint64_t most)
{
	uint64_t left;

	if (period_is_over(p, now)) {
		p->n = 0;
		atomic_signal_fence(memory_order_seq_cst);
		shm_crash();
		p->ends_ms = now->now_ms + now->ms - now->wall_ms % now->ms;
		atomic_signal_fence(memory_order_seq_cst);
		shm_crash();
	}
	left = p->n < most ? most - p->n : 0;
	if (n > left)
		n = left;
	p->n += n;
	return n;
}

uint64_t
period_left_ms(const struct period *p, uint64_t now_ms)
{
	return p->ends_ms > now_ms ? p->ends_ms - now_ms : 0;
}
