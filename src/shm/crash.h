/* crash.h - where tests let a process die amid a change of shared memory. */
#ifndef SHM_CRASH_H
#define SHM_CRASH_H

#ifdef SHM_CRASHES
void shm_crash(void);
#else
#define shm_crash() ((void)0)
#endif

#endif
