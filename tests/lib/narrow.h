/* narrow.h - a pair (lib/pair.h) whose sockets take little, so that a flow is
 * soon blocked. */
#ifndef LIB_NARROW_H
#define LIB_NARROW_H

#include <stdint.h>

#include "api/channel.h"

/* As pair_join(). */
void narrow_join(void);
/* Sends the stream (lib/stream.h) until nothing moves and a pipe has what the
 * sink did not take; how many bytes. */
uint64_t narrow_block(int from, enum weir_dir dir);
/* What is blocked in that direction may go, and fast, as soon as to reads. */
void narrow_widen(int to, enum weir_dir dir);

#endif
