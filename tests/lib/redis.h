/* redis.h - a real redis-server for tests, on a unix socket in a directory of
 * its own; it keeps nothing over a restart. */
#ifndef LIB_REDIS_H
#define LIB_REDIS_H

#include <sys/types.h>

#include <stdbool.h>

/* Fixtures of a test: the server runs, and is gone with all that it left. */
int redis_setup(void **state);
int redis_teardown(void **state);
#define redis_test(f)                                                          \
	cmocka_unit_test_setup_teardown(f, redis_setup, redis_teardown)
/* Is that it?  Who looks for what daemons have left has to know. */
bool redis_is(pid_t pid);
/* Path of its socket. */
const char *redis_path(void);
/* Starts it (again), and waits until it answers; kills it (SIGKILL). */
void redis_start(void);
void redis_kill(void);
void redis_signal(int signo);
/* Sends a command of words, as "CONFIG SET maxmemory 1"; what comes must begin
 * with want. */
void redis_ask(const char *command, const char *want);

#endif
