/* wild.h - a neighbour that keeps the contract and does anything else at
 * random, by all verdicts and verbs but those which choose a backend. */
#ifndef LIB_WILD_H
#define LIB_WILD_H

#include <stdint.h>

#include "api/middleware.h"

/* Verdicts at random; emits at most some bytes a channel, so that two of them
 * come to an end. */
extern const struct weir_middleware wild;

/* Starts the same random walk (lib/chance.h) again; before each rig, for no
 * ticket may outlive its loop. */
void wild_seed(uint64_t seed);

#endif
