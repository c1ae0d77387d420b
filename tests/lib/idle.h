/* idle.h - channels on which nothing happens. */
#ifndef LIB_IDLE_H
#define LIB_IDLE_H

/* Opens so many, and fails unless a second of them costs the workers less than
 * 1 ms of CPU time in all, and each of them still works after it. */
void idle_cost_nothing(unsigned channels);

#endif
