/* timer.h - the one timer that each stage has in a channel. */
#ifndef ENGINE_TIMER_H
#define ENGINE_TIMER_H

#include <stdint.h>

#include "engine/timeouts.h"

struct weir_channel;

/* Calls the stage's timer callback once, so many ms from now; 0 stops it.
 * -1 with ENOMEM. */
int timer_set(struct weir_channel *ch, unsigned stage, uint32_t ms);
/* Told by the sweep: its time has come. */
void timer_due(struct timeout *t);
/* Frees all. */
void timer_drop(struct weir_channel *ch);

#endif
