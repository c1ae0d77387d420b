/* chance.h - one random walk for a test program, which can be repeated. */
#ifndef LIB_CHANCE_H
#define LIB_CHANCE_H

#include <stdint.h>

/* The walk from here on follows from the seed; without a call it is the same
 * whenever the program is run. */
void chance_seed(uint64_t seed);
/* The seed is what the environment has as name, or else any; says it. */
void chance_start(const char *name);
/* 0..n-1, of that walk. */
unsigned chance(unsigned n);

#endif
