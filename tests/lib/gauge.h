/* gauge.h - what a process has used. */
#ifndef LIB_GAUGE_H
#define LIB_GAUGE_H

#include <sys/types.h>

#include <stddef.h>
#include <stdint.h>

/* Its private memory in bytes (smaps_rollup of proc(5)). */
size_t gauge_memory(pid_t pid);
/* CPU time in microseconds (schedstat). */
uint64_t gauge_cpu_us(pid_t pid);

#endif
