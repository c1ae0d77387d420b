/* crash.h - a worker that breaks says in whose hands it was. */
#ifndef WORKER_CRASH_H
#define WORKER_CRASH_H

#include "engine/loop.h"

/* From here on a signal that comes of a broken program (SIGSEGV, SIGABRT and
 * such) writes a line with the channel that was run, its client and the
 * middleware; then it does what it did before.  loop must live as long. */
void crash_watch(const struct loop *loop);

#endif
