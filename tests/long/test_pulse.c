/* test_pulse.c - what the master logs once a minute. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/daemon.h"
#include "lib/reload.h"

#define CHANNELS  30
#define MINUTE_MS 70000
#define CONF                                                                   \
	"process = { workers = 2; };\n"                                        \
	"servers = ( { name = \"r\"; listen = \"127.0.0.1:0\";\n"              \
	"  middlewares = \"echo\"; } );\n"

/* Generations that drain, and a worker that has nearly all channels. */
static void
test_figures_of_a_minute(void **state)
{
	struct daemon *d;
	int fds[CHANNELS], old, i;
	pid_t pid;

	(void)state;
	daemon_watchdog(2 * MINUTE_MS / 1000);
	d = daemon_start(CONF);
	old = daemon_join(d, "r");
	reload_takes(d, 2);
	reload_drained(d, 2);
	pid = daemon_worker(d, 0);
	assert_int_equal(kill(pid, SIGSTOP), 0);
	for (i = 0; i < CHANNELS; i++)
		fds[i] = daemon_join(d, "r");
	assert_int_equal(kill(pid, SIGCONT), 0);
	daemon_wait_log(d,
		"generation 1: 1 of 2 workers, 1 channels, the oldest for ",
		MINUTE_MS);
	daemon_wait_log(d,
		"channels are spread unevenly over 2 workers: worker 1 has ",
		DAEMON_MS);
	close(old);
	for (i = 0; i < CHANNELS; i++)
		close(fds[i]);
	daemon_stop(d);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		daemon_test(test_figures_of_a_minute),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
