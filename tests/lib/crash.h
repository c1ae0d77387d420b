/* crash.h - faults that a weir under load has to live with, as often or as long
 * as a test has time for. */
#ifndef LIB_CRASH_H
#define LIB_CRASH_H

#include <stdint.h>

/* What the slots of dead workers may take, and so the slowest machine. */
#ifdef WEIR_DEBUG
#define CRASH_READY_MS 1000 /* sanitizers start slowly */
#else
#define CRASH_READY_MS 100
#endif
/* A second, and the machine's part. */
#define CRASH_TRY_MS 1500

/* Kills (SIGKILL) one of two workers, so many times: only its own channels end,
 * nobody is refused, and each time the slot is ready again in less than
 * CRASH_READY_MS. */
void crash_one_of_two(unsigned kills);

/* For so many seconds a client sends, every 200 ms, what kills the worker that
 * serves it.  Others are those connections that no killed worker had in its
 * hands: 99 of 100 of them at least are answered right, within a second. */
void crash_poison(unsigned seconds);

/* The workers of one slot break in their start, for so many seconds: not more
 * than most forks and, without sanitizers, 2 % CPU of the master; the other one
 * serves meanwhile.  A file that repairs it recovers at once. */
void crash_loop(unsigned seconds, unsigned most);

/* All slots of so many break in their starts, for so long: they are tried at
 * most so often in all, yet never is there no try for more than CRASH_TRY_MS,
 * and soon after the repair somebody serves. */
void crash_loop_of_all(unsigned workers, unsigned seconds, unsigned most);

#endif
