/* test_background.c - weir in the background, and what its caller hears. */
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/daemon.h"
#include "lib/peer.h"
#include "lib/procs.h"
#include "lib/text.h"

#define CONF_PROCESS(more)                                                     \
	"process = { workers = 1; " more " };\n"                               \
	"servers = ( { name = \"pg\"; listen = \"127.0.0.1:0\"; } );\n"
#define CONF CONF_PROCESS("pidfile = \"weir.pid\";")

/* No event tells that another process turned to /dev/null. */
static void
wait_null(pid_t pid, int fd)
{
	int64_t end = procs_now() + DAEMON_MS;

	while (strcmp(procs_fd(pid, fd), "/dev/null") != 0) {
		assert_true(procs_now() < end);
		poll(NULL, 0, 2);
	}
}

static void
test_background(void **state)
{
	struct daemon *d = daemon_new();
	pid_t worker;
	int fd;

	(void)state;
	daemon_write(d, "log = { target = \"weir.log\"; };\n" CONF);
	daemon_log_file(d, "weir.log");
	daemon_arg(d, "-d");
	daemon_launch_background(d, "weir.pid");
	assert_int_not_equal(getsid(daemon_pid(d)), getsid(0));
	assert_int_equal(getsid(daemon_pid(d)), daemon_pid(d));
	for (fd = 0; fd < 3; fd++)
		assert_string_equal(procs_fd(daemon_pid(d), fd), "/dev/null");
	/* Its workers have left the caller's stderr too. */
	worker = daemon_worker(d, 0);
	for (fd = 0; fd < 3; fd++)
		wait_null(worker, fd);
	assert_int_equal(daemon_say(d, "stop", ""), 0);
	daemon_finish(d, 0);
}

static void
test_background_by_configuration(void **state)
{
	struct daemon *d = daemon_new();

	(void)state;
	daemon_write(d, "log = { target = \"weir.log\"; };\n" CONF_PROCESS(
				"daemon = true; pidfile = \"weir.pid\";"));
	daemon_log_file(d, "weir.log");
	daemon_launch_background(d, "weir.pid");
	daemon_stop(d);
}

/* What is written to stderr there is lost, but not without a word. */
static void
test_background_has_no_stderr(void **state)
{
	struct daemon *d = daemon_new();

	(void)state;
	daemon_write(d,
		"log = { target = \"weir.log\"; };\n"
		"process = { daemon = true; pidfile = \"weir.pid\"; };\n"
		"servers = ( { name = \"pg\"; listen = \"127.0.0.1:0\";"
		" middlewares = ( { type = \"log\"; to = \"stderr\"; } ); } "
		");\n");
	daemon_log_file(d, "weir.log");
	daemon_launch_background(d, "weir.pid");
	daemon_wait_log(d,
		"[warn] log file stderr: in the background its lines go "
		"nowhere",
		DAEMON_MS);
	daemon_stop(d);
}

/* Whoever calls weir -d learns that it failed, and why. */
static void
test_f30_background_that_fails(void **state)
{
	struct daemon *d = daemon_new();
	uint16_t port;
	int fd = peer_listen(&port);
	char *out;

	(void)state;
	daemon_write(d,
		"log = { target = \"weir.log\"; };\n"
		"process = { workers = 1; pidfile = \"weir.pid\"; };\n"
		"servers = ( { name = \"pg\"; listen = \"127.0.0.1:%u\"; } );"
		"\n",
		port);
	assert_int_equal(daemon_run(d, &out, "-d", "-c", "weir.conf", NULL), 1);
	assert_contains(out, "weir: server \"pg\": cannot listen on 127.0.0.1");
	free(out);
	assert_int_equal(access(daemon_path(d, "weir.pid"), F_OK), -1);
	close(fd);
}

/* What keeps one from starting: each is heard by the caller, whose status is 1,
 * and nothing stays. */
static void
test_f30_whatever_fails_is_heard(void **state)
{
	static const char *const t[][2] = {
		{ CONF_PROCESS("pidfile = \"none/weir.pid\";"),
			"pidfile none/weir.pid: cannot write it" },
		{ "log = { target = \"none/log\"; };\n" CONF,
			"log.target: cannot open \"none/log\"" },
		{ CONF_PROCESS("pidfile = \"weir.pid\"; nofile = 8;"),
			"process.nofile is 8, but workers of this "
			"configuration need at least 27" },
		{ CONF_PROCESS("pidfile = \"weir.pid\"; nofile = "
			       "2000000000;"),
			"process.nofile is 2000000000, but" },
		{ "servers = ( { name = \"pg\"; listen = "
		  "\"unix:none/a.sock\"; } );\n"
		  "process = { pidfile = \"weir.pid\"; };\n",
			"cannot listen on unix:none/a.sock" },
		{ "servers = ( { nonsense = 1; } );\n",
			"unknown option \"nonsense\"" },
	};
	struct daemon *d;
	size_t i;
	char *out;

	(void)state;
	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		d = daemon_new();
		daemon_write(d, "%s", t[i][0]);
		assert_int_equal(
			daemon_run(d, &out, "-d", "-c", "weir.conf", NULL), 1);
		assert_contains(out, t[i][1]);
		free(out);
		assert_int_equal(access(daemon_path(d, "weir.pid"), F_OK), -1);
		assert_int_equal(
			access(daemon_path(d, "weir.pid.ctl"), F_OK), -1);
		daemon_teardown(NULL);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		daemon_test(test_background),
		daemon_test(test_background_by_configuration),
		daemon_test(test_background_has_no_stderr),
		daemon_test(test_f30_background_that_fails),
		daemon_test(test_f30_whatever_fails_is_heard),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
