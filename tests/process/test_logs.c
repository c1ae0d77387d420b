/* test_logs.c - log files of a running weir: what is in them; full, dead and
 * forged ones.  None of it touches traffic. */
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <fcntl.h>
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
#include "lib/logdir.h"
#include "lib/peer.h"
#include "lib/relay.h"

static void
test_lines_go_to_a_file(void **state)
{
	struct daemon *d;
	struct stat st;
	int i;

	(void)state;
	d = logdir_daemon(2,
		"to = \"%s\"; at = [ \"open\", \"close\" ]; flush = \"off\";"
		" format = \"<%%{log.event} %%{bytes.up} %%{end.reason}>\";",
		logdir_at("access"));
	daemon_launch(d);
	assert_int_equal(stat(logdir_at("access"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	for (i = 0; i < 10; i++)
		logdir_visit(d, "hello");
	daemon_stop(d);
	assert_int_equal(logdir_count(logdir_at("access"), "<open - ->\n"), 0);
	assert_int_equal(logdir_count(logdir_at("access"), "<open 0 ->\n"), 10);
	assert_int_equal(
		logdir_count(logdir_at("access"), "<close 5 done>\n"), 10);
	assert_int_equal(logdir_count(logdir_at("access"), "\n"), 20);
}

/* What waits in a buffer is written in its time, and at the end. */
static void
test_lines_wait_no_longer(void **state)
{
	struct daemon *d;

	(void)state;
	d = logdir_daemon(
		1, "to = \"%s\"; flush = \"30s\";", logdir_at("access"));
	daemon_launch(d);
	logdir_visit(d, "hello");
	logdir_visit(d, "hello");
	assert_int_equal(logdir_count(logdir_at("access"), "reason=done"), 0);
	daemon_clock_advance(d, 30000);
	logdir_wait(logdir_at("access"), "reason=done");
	assert_int_equal(logdir_count(logdir_at("access"), "reason=done"), 2);
	logdir_visit(d, "hello");
	daemon_signal(d, SIGQUIT);
	daemon_finish(d, 0);
	assert_int_equal(logdir_count(logdir_at("access"), "up=5 down=5"), 3);
}

/* Each so often, with what has moved since. */
static void
test_lines_of_long_channels(void **state)
{
	struct daemon *d;
	int fd;

	(void)state;
	d = logdir_daemon(1,
		"to = \"%s\"; every = \"10s\"; flush = 0; json = true;"
		" format = "
		"\"%%{log.event}%%{log.up_delta}%%{log.down_delta}\";",
		logdir_at("access"));
	daemon_launch(d);
	fd = peer_connect(daemon_port(d, "e", 0));
	peer_send_text(fd, "hello");
	peer_expect_text(fd, "hello");
	daemon_clock_advance(d, 10000);
	logdir_wait(logdir_at("access"),
		"{\"log.event\":\"every\",\"log.up_delta\":5,"
		"\"log.down_delta\":5}\n");
	daemon_clock_advance(d, 10000);
	logdir_wait(logdir_at("access"),
		"{\"log.event\":\"every\",\"log.up_delta\":0,"
		"\"log.down_delta\":0}\n");
	peer_send_text(fd, "abc");
	peer_expect_text(fd, "abc");
	peer_half_close(fd);
	peer_read_eof(fd);
	close(fd);
	logdir_wait(logdir_at("access"),
		"{\"log.event\":\"close\",\"log.up_delta\":3,"
		"\"log.down_delta\":3}\n");
	daemon_stop(d);
	assert_int_equal(logdir_count(logdir_at("access"), "\n"), 3);
}

static void
test_f58_what_cannot_be_opened_refuses_the_start(void **state)
{
	char *said;

	(void)state;
	said = daemon_start_fails(
		"servers = ( { listen = \"127.0.0.1:0\"; middlewares = ("
		" { type = \"log\"; to = \"%s\"; } ); } );",
		logdir_at("none/access"));
	assert_non_null(strstr(said, "cannot open log file "));
	assert_non_null(strstr(said, "/none/access: No such file"));
	free(said);
	assert_int_equal(mkfifo(logdir_at("fifo"), 0600), 0);
	said = daemon_start_fails(
		"servers = ( { listen = \"127.0.0.1:0\"; middlewares = ("
		" { type = \"log\"; to = \"%s\"; } ); } );",
		logdir_at("fifo"));
	assert_non_null(strstr(said, "that no process reads from"));
	free(said);
	said = daemon_start_fails(
		"servers = ( { listen = \"127.0.0.1:0\"; middlewares = ("
		" { type = \"log\"; at = \"never\"; } ); } );");
	assert_non_null(strstr(said,
		"\"at\" wants \"open\", \"connect\" or \"close\", not "
		"\"never\""));
	free(said);
}

/* Neither a full disk nor a pipe that nobody reads slows traffic, and the
 * process log says so once. */
static void
test_f57_no_space_and_no_reader(void **state)
{
	struct daemon *d;
	char pad[600];
	int i, fifo;

	(void)state;
	memset(pad, 'p', sizeof(pad) - 1);
	pad[sizeof(pad) - 1] = '\0';
	assert_int_equal(mkfifo(logdir_at("fifo"), 0666), 0);
	fifo = open(logdir_at("fifo"), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	assert_int_not_equal(fifo, -1);
	d = logdir_daemon(1,
		"to = \"/dev/full\"; format = \"%s\"; }, { type = \"log\";"
		" name = \"other\"; to = \"%s\"; format = \"%s\";",
		pad, logdir_at("fifo"), pad);
	daemon_launch(d);
	close(fifo);
	for (i = 0; i < 250; i++)
		logdir_visit(d, "hello");
	assert_int_equal(
		daemon_log_count(d, "/dev/full: 1 line was lost: No space"), 1);
	assert_int_equal(
		daemon_log_count(d, "fifo: 1 line was lost: Broken pipe"), 1);
	assert_int_equal(daemon_log_count(d, "lost"), 2);
	daemon_clock_advance(d, 60000);
	daemon_wait_log(d, "lines were lost: ", DAEMON_MS);
	daemon_wait_log(d, "lines were lost: ", DAEMON_MS);
	assert_int_equal(daemon_log_count(d, "lost"), 4);
	daemon_stop(d);
}

/* A limit on the size of files ends no worker, and what it cut comes again,
 * whole. */
static void
test_file_size_limit(void **state)
{
	struct rlimit before, few = { 100, RLIM_INFINITY };
	struct daemon *d;
	pid_t worker;
	int i;

	(void)state;
	d = logdir_daemon(1,
		"to = \"%s\"; flush = 0; format = \"<%%{channel.id} %s>\";",
		logdir_at("access"), "a line of some length");
	/* Else its limits are not ours to change. */
	daemon_arg(d, "-o");
	daemon_arg(d, "process.user=root");
	daemon_launch(d);
	worker = daemon_worker(d, 0);
	assert_int_equal(prlimit(worker, RLIMIT_FSIZE, &few, &before), 0);
	for (i = 0; i < 10; i++)
		logdir_visit(d, "hello");
	assert_int_equal(prlimit(worker, RLIMIT_FSIZE, &before, NULL), 0);
	daemon_clock_advance(d, 1000);
	logdir_wait(logdir_at("access"), "<10 a line of some length>\n");
	assert_int_equal(daemon_worker(d, 0), worker);
	daemon_stop(d);
	/* One of them begins the part. */
	assert_int_equal(logdir_count(logdir_at("access"), "\n<"), 10);
	assert_int_equal(
		logdir_count(logdir_at("access"), " a line of some length>\n"),
		10);
}

/* When a backend is there, and only then. */
static void
test_lines_of_connects(void **state)
{
	uint16_t port, refused;
	int backend = peer_listen(&port), held = peer_hold(&refused), i;
	struct daemon *d = daemon_new();

	(void)state;
	daemon_write(d,
		"process = { workers = 1; };\n"
		"servers = ( { name = \"e\"; listen = [ \"127.0.0.1:0\" ];\n"
		"  middlewares = ( { type = \"forward\";"
		"    to = [ \"127.0.0.1:%u\", \"127.0.0.1:%u\" ]; },\n"
		"    { type = \"log\"; to = \"%s\"; at = \"connect\";"
		"      flush = 0; format = \"<%%{backend.addr}>\"; } ); } );\n",
		refused, port, logdir_at("access"));
	daemon_launch(d);
	for (i = 0; i < 2; i++) {
		char want[64];
		int client = peer_connect(daemon_port(d, "e", 0));
		int server = peer_accept(backend);

		snprintf(want, sizeof(want), "<127.0.0.1:%u>\n", port);
		logdir_wait(logdir_at("access"), want);
		close(client);
		close(server);
		while (logdir_count(logdir_at("access"), want) != i + 1u)
			poll(NULL, 0, 2);
	}
	daemon_stop(d);
	assert_int_equal(logdir_count(logdir_at("access"), "\n"), 2);
	close(backend);
	close(held);
}

static void
test_f58_syslog(void **state)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int s = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), i;
	struct timeval limit = { .tv_sec = DAEMON_MS / 1000 };
	char env[128], pad[3000], got[8192];
	struct daemon *d;
	ssize_t n;

	(void)state;
	snprintf(un.sun_path, sizeof(un.sun_path), "%s/socket", logdir);
	assert_int_equal(bind(s, (struct sockaddr *)&un, sizeof(un)), 0);
	assert_int_equal(chmod(un.sun_path, 0666), 0);
	assert_int_equal(
		setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)),
		0);
	memset(pad, 'p', sizeof(pad) - 1);
	pad[sizeof(pad) - 1] = '\0';
	snprintf(env, sizeof(env), "WEIR_TEST_SYSLOG=%s", un.sun_path);
	d = logdir_daemon(1,
		"to = \"syslog\"; flush = 0;"
		" format = \"%%{bytes.up} %%{end.reason} %s\";",
		pad);
	daemon_env(d, env);
	daemon_launch(d);
	logdir_visit(d, "hello");
	n = recv(s, got, sizeof(got) - 1, 0);
	assert_true(n > 3000);
	got[n] = '\0';
	assert_memory_equal(got, "<30>", 4);
	assert_non_null(strstr(got, "]: 5 done ppp"));
	/* It reads no more: some hundred fit, then the buffer is full. */
	for (i = 0; i < 3000 && !daemon_logged(d, "was lost"); i++)
		logdir_visit(d, "hello");
	daemon_wait_log(d, "log file syslog: 1 line was lost", DAEMON_MS);
	logdir_visit(d, "hello");
	/* Reopened, it is connected anew. */
	close(s);
	unlink(un.sun_path);
	s = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(s, (struct sockaddr *)&un, sizeof(un)), 0);
	assert_int_equal(chmod(un.sun_path, 0666), 0);
	logdir_reopen(d);
	assert_int_equal(
		setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)),
		0);
	assert_true(recv(s, got, sizeof(got), 0) > 3000);
	daemon_stop(d);
	close(s);
}

/* Whatever a client sends is one line. */
static void
test_forged_lines(void **state)
{
	static const char *const bytes[] = { "\nforged reason=done",
		"a\r\n\x1b[2J\x7f", "\" \\ %n %s %%{x}", "\xc3\xa4\xff\xfe\x80",
		"\xe2\x80\xa8\xc2\x85", "{\"a\":\"b\"}" };
	struct daemon *d;
	size_t i;
	int fd;

	(void)state;
	relay_use_trial();
	d = logdir_daemon(1,
		"to = \"%s\"; flush = 0; format = \"<%%{tell.bytes}>\"; },"
		" { type = \"log\"; name = \"j\"; to = \"%s\"; flush = 0;"
		"   json = true; format = \"%%{tell.bytes}\"; },"
		" { type = \"log\"; name = \"p\";"
		"   format = \"told <%%{tell.bytes}>\"; },"
		" { type = \"tell\"; order = 1;",
		logdir_at("plain"), logdir_at("json"));
	daemon_launch(d);
	for (i = 0; i < sizeof(bytes) / sizeof(bytes[0]); i++)
		logdir_visit(d, bytes[i]);
	fd = peer_connect(daemon_port(d, "e", 0));
	peer_send_all(fd, "a\0b\nc", 5);
	close(fd);
	daemon_wait_log(d, "told <a\\x00b\\x0ac>", DAEMON_MS);
	daemon_stop(d);
	assert_int_equal(logdir_count(logdir_at("plain"), "\n"), i + 1);
	assert_int_equal(logdir_count(logdir_at("plain"), "\n<"), i);
	assert_int_equal(logdir_count(logdir_at("plain"), ">\n"), i + 1);
	assert_int_equal(logdir_count(logdir_at("json"), "\n"), i + 1);
	assert_int_equal(
		logdir_count(logdir_at("json"), "\n{\"tell.bytes\":\""), i);
	assert_int_equal(logdir_count(logdir_at("json"), "\"}\n"), i + 1);
	assert_int_equal(logdir_count(logdir_at("json"),
				 "\"\\u000aforged reason=done\"}\n"),
		1);
	assert_int_equal(logdir_count(logdir_at("plain"),
				 "<\\x0aforged\\x20reason=done>\n"),
		1);
	assert_int_equal(logdir_count(logdir_at("plain"), "\x1b"), 0);
	assert_int_equal(logdir_count(logdir_at("json"), "\x1b"), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		logdir_test(test_lines_go_to_a_file),
		logdir_test(test_lines_wait_no_longer),
		logdir_test(test_lines_of_long_channels),
		logdir_test(test_f58_what_cannot_be_opened_refuses_the_start),
		logdir_test(test_f57_no_space_and_no_reader),
		logdir_test(test_file_size_limit),
		logdir_test(test_lines_of_connects),
		logdir_test(test_f58_syslog),
		logdir_test(test_forged_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
