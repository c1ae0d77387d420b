/* workers_private.h - what the parts of the workers' keeper share. */
#ifndef MASTER_WORKERS_PRIVATE_H
#define MASTER_WORKERS_PRIVATE_H

#include "master/workers.h"

/* Decides when the slot gets its next process (respawn.c): at once, or later
 * when it has died before READY or too often in a second. */
void worker_again(struct workers *ws, unsigned slot, uint64_t now_ms);
/* With no worker left nobody serves: the next one must not be far. */
void workers_hurry(struct workers *ws, uint64_t now_ms);
/* Sends the next log file that can be another one now, unless all are
 * (reopen.c). */
void worker_reopen(struct workers *ws, unsigned slot);

#endif
