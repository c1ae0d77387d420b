/* plain.h - a weir without sanitizers and without debug lines, for tests of
 * time and memory, and long ones. */
#ifndef LIB_PLAIN_H
#define LIB_PLAIN_H

#include <stdint.h>

struct daemon;

/* Starts one with one worker and a server "r" of these middlewares. */
struct daemon *plain_start(const char *middlewares);
/* The same with so many workers; it forwards to that port of the loopback. */
struct daemon *plain_forward(unsigned workers, uint16_t port);

#endif
