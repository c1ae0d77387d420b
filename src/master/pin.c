/* pin.c - keeps a worker on its CPU. */
#include <errno.h>
#include <sched.h>
#include <string.h>

#include "base/log.h"
#include "conf/conf.h"
#include "master/pin.h"

void
pin_worker(const struct conf *conf, unsigned slot)
{
	const struct weir_list *cpus = &conf->process.cpus;
	cpu_set_t set;
	int cpu;

	if (cpus->n == 0)
		return;
	cpu = ((const int *)cpus->v)[slot % cpus->n];
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set) == 0)
		log_info("stays on CPU %d", cpu);
	else
		log_warn("process.cpu_affinity: cannot stay on CPU %d: %s", cpu,
			strerror(errno));
}
