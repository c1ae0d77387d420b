/* clock.h - monotonic milliseconds, read once a turn, movable by tests. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

/* Milliseconds since some fixed moment, as of the last clock_update(). */
uint64_t clock_ms(void);
/* Milliseconds since 1970, now; moved as the other one is. */
uint64_t clock_wall_ms(void);
/* Reads the clock (CLOCK_MONOTONIC; clock_gettime(2)). */
void clock_update(void);
/* Moves the clock of this process ahead; for unit tests. */
void clock_advance(uint64_t ms);
/* Lets whoever writes an int64_t of milliseconds into the file move the clock
 * of this process: tests of timeouts set WEIR_TEST_CLOCK.  -1 with errno. */
int clock_attach(const char *path);
/* Can the clock jump at any moment (a file is attached)? */
bool clock_is_movable(void);

#endif
