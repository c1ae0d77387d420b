/* pin.h - keeps a worker on its CPU. */
#ifndef MASTER_PIN_H
#define MASTER_PIN_H

struct conf;

/* Keeps this process on the CPU of that slot (sched_setaffinity(2)), if the
 * configuration has one for it.  One that is gone since it was loaded is no
 * reason not to work: that is logged. */
void pin_worker(const struct conf *conf, unsigned slot);

#endif
