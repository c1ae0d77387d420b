/* test_keeper_last.c - how the keeper of a real weir leaves. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/daemon.h"
#include "lib/http.h"
#include "lib/peer.h"
#include "lib/procs.h"

#define CONF                                                                   \
	"process = { workers = 1; pidfile = \"weir.pid\"; };\n"                \
	"api = { listen = \"unix:api\"; };\n"                                  \
	"extensions = ( \"table\" );\n"                                        \
	"servers = ( { name = \"e\"; listen = \"127.0.0.1:0\";\n"              \
	"  close_wait = \"20s\"; middlewares = ( \"echo\" ); } );\n"

static pid_t
keeper_of(struct daemon *d)
{
	pid_t pids[8];
	size_t n = procs_children(daemon_pid(d), pids, 8);

	while (n-- > 0)
		if (procs_is_keeper(pids[n]))
			return pids[n];
	fail_msg("there is no keeper");
	return -1;
}

/* Its end has a limit, whatever it does. */
static void
hangs(struct daemon *d, int first, int second)
{
	pid_t keeper = keeper_of(d);

	assert_int_equal(kill(keeper, SIGSTOP), 0);
	daemon_expect_alert(d, "did not leave within 5 s");
	daemon_signal(d, first);
	if (second != 0)
		daemon_signal(d, second);
	assert_true(procs_wait_end(keeper, 8000));
	daemon_finish(d, 0);
}

static void
test_one_that_hangs_at_a_stop(void **state)
{
	(void)state;
	hangs(daemon_start(CONF), SIGTERM, 0);
}

static void
test_one_that_hangs_at_a_quit_and_a_stop(void **state)
{
	(void)state;
	hangs(daemon_start(CONF), SIGQUIT, SIGTERM);
}

/* It takes no more requests at once, stays as long as a channel does, and its
 * death is no reason to wait. */
static void
test_it_stays_as_long_as_workers(void **state)
{
	struct daemon *d = daemon_start(CONF);
	int fd = daemon_join(d, "e");
	pid_t keeper = keeper_of(d);

	(void)state;
	daemon_signal(d, SIGQUIT);
	daemon_wait_log(d, "draining: 1 channels", DAEMON_MS);
	assert_int_equal(access(daemon_path(d, "api"), F_OK), -1);
	peer_echo(fd, "still here");
	assert_int_equal(kill(keeper, 0), 0);
	daemon_expect_alert(d, "keeper");
	assert_int_equal(kill(keeper, SIGKILL), 0);
	assert_true(procs_wait_end(keeper, DAEMON_MS));
	peer_echo(fd, "and now");
	close(fd);
	daemon_finish(d, 0);
}

/* A drain that is asked for while weir drains, and a reload is given up. */
static void
test_a_drain_beside_a_reload_is_answered(void **state)
{
	struct daemon *d = daemon_start(CONF);
	uint16_t port;
	int taken = peer_listen(&port);
	struct http h;

	(void)state;
	h = http_ask(d, "POST /v1/drain", NULL, 200);
	http_done(&h);
	daemon_write(d,
		"process = { workers = 1; pidfile = \"weir.pid\"; };\n"
		"api = { listen = \"unix:api\"; };\n"
		"servers = ( { listen = \"127.0.0.1:%u\";\n"
		"  middlewares = ( \"echo\" ); } );\n",
		port);
	daemon_signal(d, SIGHUP);
	h = http_ask(d, "POST /v1/drain", NULL, 200);
	http_done(&h);
	close(taken);
	daemon_stop(d);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		daemon_test(test_one_that_hangs_at_a_stop),
		daemon_test(test_one_that_hangs_at_a_quit_and_a_stop),
		daemon_test(test_it_stays_as_long_as_workers),
		daemon_test(test_a_drain_beside_a_reload_is_answered),
	};

	return cmocka_run_group_tests_name("keeper_last", tests, NULL, NULL);
}
