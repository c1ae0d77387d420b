/* spawn.h - one child in a clean surrounding. */
#ifndef LIB_SPAWN_H
#define LIB_SPAWN_H

#include <sys/types.h>

#include <stddef.h>

#define SPAWN_READY_FD 5 /* number of the ready descriptor in the child */

struct spawn {
	const char *dir; /* its working directory */
	const char *out; /* file there that gets stdout and stderr */
	int ready;	 /* becomes SPAWN_READY_FD; -1: none */
	/* The binary of the environment's WEIR, else ./weir, runs with argv and
	 * an environment without WEIR_... but with these settings; when argv is
	 * NULL, run(SPAWN_READY_FD, arg) does and its result is the status. */
	const char **argv;
	const char *const *env;
	size_t nenv;
	int (*run)(int ready_fd, void *arg);
	void *arg;
};

/* Pid of the new child, which dies with us (PR_SET_PDEATHSIG), or -1. */
pid_t spawn_start(const struct spawn *sp);

#endif
