/* test_loader.c - the child that loads a configuration first, and the master
 * that takes the text of it. */
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/daemon.h"
#include "lib/feed.h"
#include "lib/procs.h"
#include "lib/reload.h"

#define SERVERS                                                                \
	"servers = ( { name = \"r\"; listen = \"127.0.0.1:0\";\n"              \
	"  middlewares = \"echo\"; } );\n"
#define CONF(n) "process = { workers = " #n "; };\n" SERVERS

/* Waits until the process is in that state, as proc(5) writes it. */
static void
wait_state(pid_t pid, char letter)
{
	int64_t end = procs_now() + DAEMON_MS;
	const char *state;

	while ((state = procs_status(pid, "State")) == NULL ||
		*state != letter) {
		assert_true(procs_now() < end);
		poll(NULL, 0, 2);
	}
}

/* There is nothing in the pipe for a second one. */
static void
test_the_file_is_read_once(void **state)
{
	struct daemon *d = daemon_new();
	struct feed f;

	(void)state;
	feed_init(&f, d);
	daemon_write(d, CONF(1));
	daemon_launch(d);
	daemon_write(d, CONF(2));
	daemon_signal(d, SIGHUP);
	daemon_wait_log(d, "ready gen=2 workers=2", DAEMON_MS);
	close(daemon_join(d, "r"));
	(void)feed_reload(&f);
	feed_give(&f, CONF(3));
	daemon_wait_log(d, "ready gen=3 workers=3", DAEMON_MS);
	reload_alone(d, 3);
	close(daemon_join(d, "r"));
	daemon_stop(d);
	feed_done(&f);
}

/* What changes after the loader has read it, the next reload sees. */
static void
test_the_master_takes_what_the_loader_has_read(void **state)
{
	struct daemon *d = daemon_new();
	struct feed f;
	pid_t loader;

	(void)state;
	feed_init(&f, d);
	daemon_write(d, CONF(1));
	daemon_launch(d);
	daemon_put(d, "part.conf", "process = { workers = 2; };\n");
	loader = feed_reload(&f);
	assert_int_equal(kill(daemon_pid(d), SIGSTOP), 0);
	wait_state(daemon_pid(d), 'T');
	feed_give(&f, "@include \"part.conf\"\n" SERVERS);
	wait_state(loader, 'Z');
	daemon_put(d, "part.conf", "proces = { workers = 3; };\n");
	assert_int_equal(kill(daemon_pid(d), SIGCONT), 0);
	daemon_wait_log(d, "ready gen=2 workers=2", DAEMON_MS);
	close(daemon_join(d, "r"));
	daemon_write(d, "@include \"part.conf\"\n" SERVERS);
	reload_fails(d, 3);
	assert_true(daemon_logged(d, "part.conf:1: unknown option \"proces\""));
	reload_alone(d, 2);
	daemon_stop(d);
	feed_done(&f);
}

/* With a sanitizer SEGV is not the end; ABRT is everywhere. */
static void
test_f17_loader_crashes(void **state)
{
	struct daemon *d = daemon_new();
	struct reload_view before;
	struct feed f;

	(void)state;
	feed_init(&f, d);
	daemon_write(d, CONF(2));
	daemon_launch(d);
	reload_look(d, &before);
	daemon_expect_alert(d, "loading weir.conf was ended by signal 6");
	assert_int_equal(kill(feed_reload(&f), SIGABRT), 0);
	daemon_wait_log(d, "was ended by signal 6", DAEMON_MS);
	daemon_wait_log(d, "generation 2 is given up, 1 goes on", DAEMON_MS);
	feed_give(&f, "");
	reload_unchanged(d, &before);
	close(daemon_join(d, "r"));
	daemon_write(d, CONF(3));
	reload_takes(d, 3);
	reload_alone(d, 3);
	close(daemon_join(d, "r"));
	daemon_stop(d);
	feed_done(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		daemon_test(test_the_file_is_read_once),
		daemon_test(test_the_master_takes_what_the_loader_has_read),
		daemon_test(test_f17_loader_crashes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
