/* wild.h - a neighbour that keeps the contract and does anything else: passes,
 * drops, skips, needs, detaches, emits, closes, at random. */
#ifndef LIB_WILD_H
#define LIB_WILD_H

#include <stdint.h>

#include "api/middleware.h"

/* Verdicts at random; emits at most some bytes a channel, so that two of them
 * come to an end. */
extern const struct weir_middleware wild;

/* Starts the same random walk again. */
void wild_seed(uint64_t seed);
/* 0..n-1, of the same walk. */
unsigned wild_chance(unsigned n);

#endif
