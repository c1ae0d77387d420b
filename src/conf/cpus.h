/* cpus.h - which CPUs workers stay on. */
#ifndef CONF_CPUS_H
#define CONF_CPUS_H

#include "conf/option.h"

/* Makes of process.cpu_affinity the list of CPUs, empty for off; those that
 * this process may not use (sched_getaffinity(2)) are errors. */
void cpus_check(struct option_loader *l, const struct node *root,
	struct conf_process *process);

#endif
