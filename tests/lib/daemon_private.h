/* daemon_private.h - what daemon.c and look.c share. */
#ifndef LIB_DAEMON_PRIVATE_H
#define LIB_DAEMON_PRIVATE_H

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "lib/ready.h"
#include "lib/traces.h"
#include "lib/watch.h"

#define DAEMON_WORDS 16
/* Fails the test, after all that was written. */
#define DAEMON_FAIL(d, ...)                                                    \
	(traces_show((d)->dir), print_error(__VA_ARGS__), print_error("\n"),   \
		fail())

struct daemon {
	struct daemon *next; /* of those that live in this test */
	char dir[PATH_MAX];
	pid_t pid; /* 0: none runs */
	struct watch *watch;
	const char *log; /* file in dir */
	size_t log_from;
	char *ready; /* what came on the ready descriptor */
	char address[READY_ADDRESS];
	const char *args[DAEMON_WORDS];
	const char *env[DAEMON_WORDS];
	const char *alerts[DAEMON_WORDS];
	size_t nargs, nenv, nalerts;
	int64_t *clock_ms;
	bool own_clock; /* nobody can move it */
	int fds;	/* of a worker, after the start */
	int fds_more;
};

#endif
