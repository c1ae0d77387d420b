/* test_start.c - how weir starts, stops, and refuses to start. */
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/daemon.h"
#include "lib/peer.h"
#include "lib/procs.h"
#include "lib/text.h"

#define CONF                                                                   \
	"process = { workers = 2; };\n"                                        \
	"servers = ( { name = \"pg\"; listen = \"127.0.0.1:0\";\n"             \
	"  middlewares = ( { type = \"echo\"; } ); } );\n"
#define CONF_ON(address, ...)                                                  \
	"process = { workers = 2; " __VA_ARGS__ " };\n"                        \
	"servers = ( { name = \"pg\"; listen = \"" address "\";\n"             \
	"  middlewares = ( { type = \"echo\"; } ); } );\n"

static void
check_echo(int fd)
{
	peer_echo(fd, "hello");
	close(fd);
}

static void
test_starts_serves_and_stops(void **state)
{
	struct daemon *d = daemon_start(CONF);
	pid_t pids[DAEMON_WORKERS];

	(void)state;
	assert_int_equal(daemon_workers(d, pids), 2);
	check_echo(peer_connect(daemon_port(d, "pg", 0)));
	daemon_stop(d);
}

static void
stop_with(int first, int second, const char *wait)
{
	struct daemon *d = daemon_start(CONF);
	int fd = peer_connect(daemon_port(d, "pg", 0));

	peer_send_text(fd, "hello");
	peer_expect_text(fd, "hello");
	daemon_signal(d, first);
	if (wait != NULL)
		daemon_wait_log(d, wait, DAEMON_MS);
	if (second != 0)
		daemon_signal(d, second);
	daemon_finish(d, 0);
	close(fd);
}

static void
test_f14_each_stop_signal(void **state)
{
	(void)state;
	stop_with(SIGTERM, 0, NULL);
	stop_with(SIGINT, 0, NULL);
	stop_with(SIGTERM, SIGTERM, NULL);
	stop_with(SIGTERM, SIGINT, "stopping");
}

/* An open channel holds the first QUIT up; the second signal ends it. */
static void
test_f14_second_quit_is_now(void **state)
{
	(void)state;
	stop_with(SIGQUIT, SIGQUIT, "finishing");
	stop_with(SIGQUIT, SIGTERM, "finishing");
	stop_with(SIGQUIT, SIGINT, "finishing");
}

/* Ctrl-C and Ctrl-\\ reach master and workers alike, and are no accident. */
static void
test_f14_signals_of_a_terminal(void **state)
{
	static const int signals[] = { SIGINT, SIGQUIT };
	struct daemon *d;
	size_t i;

	(void)state;
	for (i = 0; i < 2; i++) {
		d = daemon_start(CONF);
		assert_int_equal(getpgid(daemon_worker(d, 0)), daemon_pid(d));
		assert_int_equal(kill(-daemon_pid(d), signals[i]), 0);
		daemon_finish(d, 0);
	}
}

static int
run_on_terminal(int ready_fd, void *arg)
{
	int fd = open(arg, O_RDWR | O_CLOEXEC);

	(void)ready_fd;
	/* Of a session without one it becomes the controlling terminal. */
	if (fd == -1 || tcgetpgrp(fd) != getpid() ||
		dup2(fd, STDIN_FILENO) == -1)
		return 3;
	execl(getenv("WEIR"), "weir", "-c", "weir.conf", (char *)NULL);
	return 1;
}

/* That its window has another size is nothing to drain for. */
static void
test_f14_terminal_is_resized(void **state)
{
	static const struct winsize size = { .ws_row = 20, .ws_col = 70 };
	struct daemon *d = daemon_new();
	int terminal = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);

	(void)state;
	if (terminal == -1) {
		print_message("# not tried: this machine has no terminals\n");
		daemon_write(d, CONF);
		daemon_launch(d);
		daemon_stop(d);
		return;
	}
	assert_int_equal(grantpt(terminal), 0);
	assert_int_equal(unlockpt(terminal), 0);
	daemon_write(d, CONF);
	daemon_fork_function(d, run_on_terminal, ptsname(terminal));
	daemon_wait_log(d, "ready gen=1 ", DAEMON_MS);
	assert_int_equal(ioctl(terminal, TIOCSWINSZ, &size), 0);
	daemon_signal(d, SIGHUP);
	daemon_wait_log(d, "ready gen=2 ", DAEMON_MS);
	assert_false(daemon_logged(d, "nobody accepts until a reload"));
	daemon_signal(d, SIGWINCH);
	daemon_wait_log(d, "nobody accepts until a reload", DAEMON_MS);
	daemon_signal(d, SIGTERM);
	daemon_finish(d, 0);
	close(terminal);
}

static void
test_quit_waits_for_channels(void **state)
{
	struct daemon *d = daemon_start(CONF);
	uint16_t port = daemon_port(d, "pg", 0);
	int fd = peer_connect(port);

	(void)state;
	peer_send_text(fd, "hello");
	peer_expect_text(fd, "hello");
	daemon_signal(d, SIGQUIT);
	daemon_wait_log(d, "finishing", DAEMON_MS);
	check_echo(fd);
	daemon_finish(d, 0);
	assert_int_equal(peer_connect_error(port), ECONNREFUSED);
}

static void
test_a_signal_not_built_yet_changes_nothing(void **state)
{
	struct daemon *d = daemon_start(CONF);
	pid_t worker = daemon_worker(d, 0);

	(void)state;
	daemon_signal(d, SIGUSR2);
	daemon_wait_log(d, "is not built in yet", DAEMON_MS);
	kill(worker, SIGUSR2);
	check_echo(peer_connect(daemon_port(d, "pg", 0)));
	assert_int_equal(daemon_worker(d, 0), worker);
	daemon_stop(d);
}

static void
test_every_address_in_use_is_named(void **state)
{
	uint16_t one, two;
	int a = peer_listen(&one), b = peer_listen(&two);
	char want[128], *out;

	(void)state;
	out = daemon_start_fails("servers = ( { name = \"pg\"; listen = ( "
				 "\"127.0.0.1:%u\", \"127.0.0.1:0\", "
				 "\"127.0.0.1:%u\", \"unix:a.sock\" ); } );\n",
		one, two);
	snprintf(want, sizeof(want),
		"server \"pg\": cannot listen on 127.0.0.1:%u: address already "
		"in use",
		one);
	assert_contains(out, want);
	snprintf(want, sizeof(want), "127.0.0.1:%u: address already in use",
		two);
	assert_contains(out, want);
	free(out);
	close(a);
	close(b);
}

/* Why, and nothing beside it. */
static void
test_a_refusal_says_no_figures(void **state)
{
	char *out = daemon_start_fails(CONF_ON("192.0.2.1:1", ""));

	(void)state;
	assert_contains(out, "no interface of this machine has that address");
	assert_null(strstr(out, "generation"));
	free(out);
}

/* Binds a unix socket as another program would; closed, it stays as a file. */
static int
unix_listen(const char *path)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(un.sun_path, sizeof(un.sun_path), "%s", path);
	assert_int_equal(bind(fd, (struct sockaddr *)&un, sizeof(un)), 0);
	assert_int_equal(listen(fd, 4), 0);
	return fd;
}

static void
test_unix_socket_serves_everybody(void **state)
{
	struct daemon *d = daemon_start(CONF_ON("unix:a.sock", ""));
	struct stat st;

	(void)state;
	assert_string_equal(daemon_address(d, "pg", 0), "unix:a.sock");
	assert_int_equal(stat(daemon_path(d, "a.sock"), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0666);
	check_echo(peer_connect_unix(daemon_path(d, "a.sock")));
	daemon_stop(d);
}

static void
test_stale_unix_socket_is_replaced(void **state)
{
	struct daemon *d = daemon_new();

	(void)state;
	close(unix_listen(daemon_path(d, "a.sock")));
	daemon_write(d, CONF_ON("unix:a.sock", ""));
	daemon_launch(d);
	check_echo(peer_connect_unix(daemon_path(d, "a.sock")));
	daemon_stop(d);
}

static void
test_live_unix_socket_is_in_use(void **state)
{
	struct daemon *d = daemon_new();
	int fd = unix_listen(daemon_path(d, "a.sock"));
	char *out;

	(void)state;
	daemon_write(d, CONF_ON("unix:a.sock", ""));
	assert_int_equal(daemon_run(d, &out, "-c", "weir.conf", NULL), 1);
	assert_contains(out,
		"server \"pg\": cannot listen on unix:a.sock: address already "
		"in use");
	free(out);
	/* It was left alone: its owner still gets connections. */
	close(peer_connect_unix(daemon_path(d, "a.sock")));
	close(fd);
	unlink(daemon_path(d, "a.sock"));
}

static void
test_other_files_are_not_replaced(void **state)
{
	struct daemon *d = daemon_new();
	struct stat st;
	char *out;

	(void)state;
	daemon_write(d, CONF_ON("unix:weir.conf", ""));
	assert_int_equal(daemon_run(d, &out, "-c", "weir.conf", NULL), 1);
	assert_contains(out, "the path exists and is not a socket");
	free(out);
	assert_int_equal(stat(daemon_path(d, "weir.conf"), &st), 0);
	assert_true(st.st_size > 0);
	daemon_write(d, CONF_ON("unix:none/a.sock", ""));
	assert_int_equal(daemon_run(d, &out, "-c", "weir.conf", NULL), 1);
	assert_contains(out, "its directory does not exist");
	free(out);
}

static void
test_all_families(void **state)
{
	struct daemon *d = daemon_start("process = { workers = 1; };\n"
					"servers = ( { name = \"a\"; listen = "
					"( \"127.0.0.1:0\", \"[::1]:0\" ); "
					"middlewares = ( { type = \"echo\"; } "
					"); }, { name = \"b\"; listen = "
					"\"127.0.0.1:0\"; } );\n");

	(void)state;
	check_echo(peer_connect(daemon_port(d, "a", 0)));
	assert_memory_equal(daemon_address(d, "a", 1), "[::1]:", 6);
	assert_int_not_equal(daemon_port(d, "a", 1), 0);
	assert_int_not_equal(daemon_port(d, "b", 0), daemon_port(d, "a", 0));
	daemon_stop(d);
}

static void
test_killed_worker_is_replaced(void **state)
{
	struct daemon *d = daemon_start(CONF);
	pid_t was = daemon_worker(d, 1);
	int i;

	(void)state;
	daemon_expect_alert(d, "was killed by signal 9");
	daemon_wait_log(d, "ready gen=1 workers=2", DAEMON_MS);
	kill(was, SIGKILL);
	daemon_wait_log(d, "worker 1 (pid ", DAEMON_MS);
	daemon_wait_log(d, ") is ready", DAEMON_MS);
	assert_int_not_equal(daemon_worker(d, 1), was);
	for (i = 0; i < 8; i++)
		check_echo(peer_connect(daemon_port(d, "pg", 0)));
	daemon_stop(d);
}

static void
test_all_workers_killed_at_once(void **state)
{
	struct daemon *d = daemon_start(CONF);
	pid_t pids[DAEMON_WORKERS];
	size_t i, n = daemon_workers(d, pids);

	(void)state;
	daemon_expect_alert(d, "was killed by signal 9");
	daemon_wait_log(d, "ready gen=1 workers=2", DAEMON_MS);
	for (i = 0; i < n; i++)
		kill(pids[i], SIGKILL);
	daemon_wait_log(d, ") is ready", DAEMON_MS);
	daemon_wait_log(d, ") is ready", DAEMON_MS);
	assert_int_equal(daemon_workers(d, pids), 2);
	check_echo(peer_connect(daemon_port(d, "pg", 0)));
	daemon_stop(d);
}

/* The next start finds port and pidfile free, round after round. */
static void
test_f11_master_is_killed_and_started_again(void **state)
{
	uint16_t port;
	/* Between two rounds it is still nobody else's. */
	int hold = peer_hold(&port), i;
	struct daemon *d = daemon_start(
		CONF_ON("127.0.0.1:%u", "pidfile = \"weir.pid\";"), port);

	(void)state;
	for (i = 0; i < 20; i++) {
		daemon_kill_master(d);
		daemon_launch(d);
		check_echo(peer_connect(port));
	}
	daemon_stop(d);
	close(hold);
}

/* A master that can no longer wait does not spin: it stops. */
static void
test_fewer_files_are_allowed_later(void **state)
{
	struct rlimit few = { 8, 8 };
	struct daemon *d =
		daemon_start("process = { workers = 12; };\n"
			     "servers = ( { listen = \"127.0.0.1:0\"; } );\n");

	(void)state;
	daemon_expect_alert(d, "cannot wait for workers: Invalid argument");
	assert_int_equal(prlimit(daemon_pid(d), RLIMIT_NOFILE, &few, NULL), 0);
	daemon_signal(d, SIGCHLD); /* wakes it */
	daemon_finish(d, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		daemon_test(test_starts_serves_and_stops),
		daemon_test(test_f14_each_stop_signal),
		daemon_test(test_f14_second_quit_is_now),
		daemon_test(test_f14_signals_of_a_terminal),
		daemon_test(test_f14_terminal_is_resized),
		daemon_test(test_quit_waits_for_channels),
		daemon_test(test_a_signal_not_built_yet_changes_nothing),
		daemon_test(test_every_address_in_use_is_named),
		daemon_test(test_a_refusal_says_no_figures),
		daemon_test(test_unix_socket_serves_everybody),
		daemon_test(test_stale_unix_socket_is_replaced),
		daemon_test(test_live_unix_socket_is_in_use),
		daemon_test(test_other_files_are_not_replaced),
		daemon_test(test_all_families),
		daemon_test(test_killed_worker_is_replaced),
		daemon_test(test_all_workers_killed_at_once),
		daemon_test(test_f11_master_is_killed_and_started_again),
		daemon_test(test_fewer_files_are_allowed_later),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
