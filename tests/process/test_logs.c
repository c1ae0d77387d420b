/* test_logs.c - log files of a running weir: reopened under load, full, dead,
 * missing, forged; none of it touches traffic. */
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
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
#include "lib/relay.h"
#include "lib/traces.h"

#define AGAIN "log files were opened again"

static char dir[64]; /* of log files: they outlive their weir */

static int
setup(void **state)
{
	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/weir-logs-%s",
		"XXX"
		"XXX");
	if (mkdtemp(dir) == NULL)
		return -1;
	return chmod(dir, 0755);
}

static int
teardown(void **state)
{
	traces_remove(dir);
	return daemon_teardown(state);
}

/* A path in dir; valid until the fourth next call. */
static const char *
at(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

static const char *
at(const char *fmt, ...)
{
	static char paths[4][256];
	static unsigned n;
	char name[128];
	va_list ap;

	n = (n + 1) % 4;
	va_start(ap, fmt);
	vsnprintf(name, sizeof(name), fmt, ap);
	va_end(ap);
	snprintf(paths[n], sizeof(paths[n]), "%s/%s", dir, name);
	return paths[n];
}

/* All of a file, "" when there is none; the caller frees. */
static char *
contents(const char *path)
{
	FILE *f = fopen(path, "re");
	char *text = calloc(1, 1 << 20);

	assert_non_null(text);
	if (f != NULL) {
		text[fread(text, 1, (1 << 20) - 1, f)] = '\0';
		fclose(f);
	}
	return text;
}

static unsigned
count(const char *path, const char *text)
{
	char *all = contents(path), *p = all;
	unsigned n = 0;

	for (; (p = strstr(p, text)) != NULL; p += strlen(text))
		n++;
	free(all);
	return n;
}

/* An echo server "e" whose log entry has these options. */
static struct daemon *
start(unsigned workers, const char *options)
{
	struct daemon *d = daemon_new();

	daemon_write(d,
		"process = { workers = %u; };\n"
		"servers = ( { name = \"e\"; listen = \"127.0.0.1:0\";\n"
		"  middlewares = ( { type = \"echo\"; },\n"
		"    { type = \"log\"; %s } ); } );\n",
		workers, options);
	return d;
}

/* One connection that carries bytes, and its end. */
static void
visit(struct daemon *d, const char *text)
{
	int fd = peer_connect(daemon_port(d, "e", 0));

	peer_send_text(fd, text);
	peer_expect_text(fd, text);
	peer_half_close(fd);
	peer_read_eof(fd);
	close(fd);
}

static void
reopen(struct daemon *d)
{
	daemon_signal(d, SIGUSR1);
	daemon_wait_log(d, AGAIN, DAEMON_MS);
}

/* Waits until a file has text. */
static void
wait_file(const char *path, const char *text)
{
	int64_t end = procs_now() + DAEMON_MS;

	while (count(path, text) == 0) {
		if (procs_now() > end)
			fail_msg("no \"%s\" in %s", text, path);
		/* No event tells what another process has written. */
		poll(NULL, 0, 2);
	}
}

static void
test_lines_go_to_a_file(void **state)
{
	struct daemon *d;
	char options[512];
	struct stat st;
	int i;

	(void)state;
	snprintf(options, sizeof(options),
		"to = \"%s\"; at = [ \"open\", \"close\" ]; flush = \"off\";"
		" format = \"<%%{log.event} %%{bytes.up} %%{end.reason}>\";",
		at("access"));
	d = start(2, options);
	daemon_launch(d);
	assert_int_equal(stat(at("access"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	for (i = 0; i < 10; i++)
		visit(d, "hello");
	daemon_stop(d);
	assert_int_equal(count(at("access"), "<open - ->\n"), 0);
	assert_int_equal(count(at("access"), "<open 0 ->\n"), 10);
	assert_int_equal(count(at("access"), "<close 5 done>\n"), 10);
	assert_int_equal(count(at("access"), "\n"), 20);
}

/* What waits in a buffer is written in its time, and at the end. */
static void
test_lines_wait_no_longer(void **state)
{
	struct daemon *d;
	char options[256];

	(void)state;
	snprintf(options, sizeof(options), "to = \"%s\"; flush = \"30s\";",
		at("access"));
	d = start(1, options);
	daemon_launch(d);
	visit(d, "hello");
	visit(d, "hello");
	assert_int_equal(count(at("access"), "reason=done"), 0);
	daemon_clock_advance(d, 30000);
	wait_file(at("access"), "reason=done");
	assert_int_equal(count(at("access"), "reason=done"), 2);
	visit(d, "hello");
	daemon_signal(d, SIGQUIT);
	daemon_finish(d, 0);
	assert_int_equal(count(at("access"), "up=5 down=5"), 3);
}

/* Each so often, with what has moved since. */
static void
test_lines_of_long_channels(void **state)
{
	struct daemon *d;
	char options[512];
	int fd;

	(void)state;
	snprintf(options, sizeof(options),
		"to = \"%s\"; every = \"10s\"; flush = 0; json = true;"
		" format = "
		"\"%%{log.event}%%{log.up_delta}%%{log.down_delta}\";",
		at("access"));
	d = start(1, options);
	daemon_launch(d);
	fd = peer_connect(daemon_port(d, "e", 0));
	peer_send_text(fd, "hello");
	peer_expect_text(fd, "hello");
	daemon_clock_advance(d, 10000);
	wait_file(at("access"), "{\"log.event\":\"every\",\"log.up_delta\":5,"
				"\"log.down_delta\":5}\n");
	daemon_clock_advance(d, 10000);
	wait_file(at("access"), "{\"log.event\":\"every\",\"log.up_delta\":0,"
				"\"log.down_delta\":0}\n");
	peer_send_text(fd, "abc");
	peer_expect_text(fd, "abc");
	peer_half_close(fd);
	peer_read_eof(fd);
	close(fd);
	wait_file(at("access"), "{\"log.event\":\"close\",\"log.up_delta\":3,"
				"\"log.down_delta\":3}\n");
	daemon_stop(d);
	assert_int_equal(count(at("access"), "\n"), 3);
}

/* Lines of all files that begin with "access", each whole. */
static unsigned
whole_lines(void)
{
	struct dirent *e;
	unsigned n = 0;
	DIR *all = opendir(dir);

	assert_non_null(all);
	while ((e = readdir(all)) != NULL) {
		char *text, *line, *end;

		if (strncmp(e->d_name, "access", 6) != 0)
			continue;
		text = contents(at("%s", e->d_name));
		for (line = text; *line != '\0'; line = end + 1, n++) {
			end = strchr(line, '\n');
			assert_non_null(end);
			assert_memory_equal(line, "<client=", 8);
			assert_memory_equal(end - 5, " end>", 5);
		}
		free(text);
	}
	closedir(all);
	return n;
}

static void
test_reopened_under_load(void **state)
{
	struct daemon *d;
	char options[512];
	int i, j, fds;

	(void)state;
	snprintf(options, sizeof(options),
		"to = \"%s\"; flush = \"100ms\";"
		" format = \"<client=%%{client.addr} end>\";",
		at("access"));
	d = start(2, options);
	daemon_launch(d);
	fds = procs_fds(daemon_pid(d));
	for (i = 0; i < 100; i++) {
		for (j = 0; j < 10; j++)
			visit(d, "x");
		assert_int_equal(rename(at("access"), at("access.%d", i)), 0);
		daemon_signal(d, SIGUSR1);
		for (j = 0; j < 10; j++)
			visit(d, "x");
		daemon_wait_log(d, AGAIN, DAEMON_MS);
	}
	assert_int_equal(procs_fds(daemon_pid(d)), fds);
	daemon_stop(d);
	assert_int_equal(whole_lines(), 2000);
}

/* The process log is opened again as well, in all processes. */
static void
test_process_log_is_reopened(void **state)
{
	struct daemon *d = daemon_new();
	pid_t worker;
	char *output;

	(void)state;
	daemon_write(d,
		"process = { workers = 1; pidfile = \"weir.pid\"; };\n"
		"log = { target = \"log\"; };\n"
		"servers = ( { name = \"e\"; listen = \"127.0.0.1:0\";\n"
		"  middlewares = ( { type = \"echo\"; },\n"
		"    { type = \"log\"; } ); } );\n");
	daemon_log_file(d, "log");
	daemon_launch(d);
	visit(d, "old");
	daemon_wait_log(d, "up=3", DAEMON_MS);
	worker = daemon_worker(d, 0);
	assert_int_equal(rename(daemon_path(d, "log"), at("log.1")), 0);
	assert_int_equal(
		daemon_run(d, &output, "-c", "weir.conf", "-s", "reopen", NULL),
		0);
	free(output);
	daemon_log_file(d, "log");
	daemon_wait_log(d, AGAIN, DAEMON_MS);
	/* One that is started now gets the new one, too. */
	daemon_expect_alert(d, "was killed by signal 9");
	kill(worker, SIGKILL);
	daemon_wait_log(d, "is ready", DAEMON_MS);
	visit(d, "newer");
	daemon_wait_log(d, "up=5", DAEMON_MS);
	daemon_stop(d);
	assert_int_equal(count(at("log.1"), "up=3"), 1);
	assert_int_equal(count(at("log.1"), "up=5"), 0);
}

static void
test_missing_directory_keeps_the_old_file(void **state)
{
	struct daemon *d;
	char options[256];

	(void)state;
	assert_int_equal(mkdir(at("sub"), 0755), 0);
	snprintf(options, sizeof(options), "to = \"%s\"; flush = 0;",
		at("sub/access"));
	d = start(1, options);
	daemon_launch(d);
	assert_int_equal(rename(at("sub"), at("gone")), 0);
	reopen(d);
	assert_true(daemon_logged(d, "No such file or directory; the old"));
	visit(d, "hello");
	wait_file(at("gone/access"), "reason=done");
	/* It is mended. */
	assert_int_equal(mkdir(at("sub"), 0755), 0);
	reopen(d);
	visit(d, "hello");
	wait_file(at("sub/access"), "reason=done");
	daemon_stop(d);
	unlink(at("sub/access"));
	unlink(at("gone/access"));
	rmdir(at("sub"));
	rmdir(at("gone"));
}

static void
test_what_cannot_be_opened_refuses_the_start(void **state)
{
	char *said;

	(void)state;
	said = daemon_start_fails(
		"servers = ( { listen = \"127.0.0.1:0\"; middlewares = ("
		" { type = \"log\"; to = \"%s\"; } ); } );",
		at("none/access"));
	assert_non_null(strstr(said, "cannot open log file "));
	assert_non_null(strstr(said, "/none/access: No such file"));
	free(said);
	assert_int_equal(mkfifo(at("fifo"), 0600), 0);
	said = daemon_start_fails(
		"servers = ( { listen = \"127.0.0.1:0\"; middlewares = ("
		" { type = \"log\"; to = \"%s\"; } ); } );",
		at("fifo"));
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

/* A worker that hears nothing holds up nobody, and is not drowned. */
static void
test_deaf_worker(void **state)
{
	struct daemon *d;
	char options[256];
	pid_t deaf;
	int i;

	(void)state;
	snprintf(options, sizeof(options), "to = \"%s\"; flush = 0;",
		at("access"));
	d = start(1, options);
	daemon_launch(d);
	deaf = daemon_worker(d, 0);
	assert_int_equal(kill(deaf, SIGSTOP), 0);
	for (i = 0; i < 300; i++)
		reopen(d);
	assert_int_equal(rename(at("access"), at("access.1")), 0);
	reopen(d);
	assert_int_equal(kill(deaf, SIGCONT), 0);
	/* It goes from the first to the last one. */
	do
		visit(d, "hello");
	while (count(at("access"), "reason=done") == 0);
	daemon_stop(d);
}

/* Neither a full disk nor a pipe that nobody reads slows traffic, and the
 * process log says so once. */
static void
test_lost_lines(void **state)
{
	struct daemon *d;
	char options[1024], pad[600];
	int i, fifo;

	(void)state;
	memset(pad, 'p', sizeof(pad) - 1);
	pad[sizeof(pad) - 1] = '\0';
	assert_int_equal(mkfifo(at("fifo"), 0666), 0);
	fifo = open(at("fifo"), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	assert_int_not_equal(fifo, -1);
	snprintf(options, sizeof(options),
		"to = \"/dev/full\"; format = \"%s\"; }, { type = \"log\";"
		" name = \"other\"; to = \"%s\"; format = \"%%{log.event}%s\";",
		pad, at("fifo"), "");
	d = start(1, options);
	daemon_launch(d);
	close(fifo);
	for (i = 0; i < 250; i++)
		visit(d, "hello");
	daemon_wait_log(
		d, "log file /dev/full: 1 line was lost: No space", DAEMON_MS);
	assert_int_equal(daemon_log_count(d, "lost"), 1);
	daemon_clock_advance(d, 60000);
	daemon_wait_log(d, "lines were lost: No space left", DAEMON_MS);
	assert_int_equal(daemon_log_count(d, "lost"), 2);
	daemon_stop(d);
}

static void
test_syslog(void **state)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int s = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), i;
	struct timeval limit = { .tv_sec = DAEMON_MS / 1000 };
	char env[128], options[4096], pad[3000], got[8192];
	struct daemon *d;
	ssize_t n;

	(void)state;
	snprintf(un.sun_path, sizeof(un.sun_path), "%s/socket", dir);
	assert_int_equal(bind(s, (struct sockaddr *)&un, sizeof(un)), 0);
	assert_int_equal(chmod(un.sun_path, 0666), 0);
	assert_int_equal(
		setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)),
		0);
	memset(pad, 'p', sizeof(pad) - 1);
	pad[sizeof(pad) - 1] = '\0';
	snprintf(options, sizeof(options),
		"to = \"syslog\"; flush = 0;"
		" format = \"%%{bytes.up} %%{end.reason} %s\";",
		pad);
	snprintf(env, sizeof(env), "WEIR_TEST_SYSLOG=%s", un.sun_path);
	d = start(1, options);
	daemon_env(d, env);
	daemon_launch(d);
	visit(d, "hello");
	n = recv(s, got, sizeof(got) - 1, 0);
	assert_true(n > 3000);
	got[n] = '\0';
	assert_memory_equal(got, "<30>", 4);
	assert_non_null(strstr(got, "]: 5 done ppp"));
	/* It reads no more: some hundred fit, then the buffer is full. */
	for (i = 0; i < 3000 && !daemon_logged(d, "was lost"); i++)
		visit(d, "hello");
	daemon_wait_log(d, "log file syslog: 1 line was lost", DAEMON_MS);
	visit(d, "hello");
	/* Reopened, it is connected anew. */
	close(s);
	unlink(un.sun_path);
	s = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(s, (struct sockaddr *)&un, sizeof(un)), 0);
	assert_int_equal(chmod(un.sun_path, 0666), 0);
	reopen(d);
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
	char options[1024];
	size_t i;
	int fd;

	(void)state;
	relay_use_trial();
	snprintf(options, sizeof(options),
		"to = \"%s\"; flush = 0; format = \"<%%{tell.bytes}>\"; },"
		" { type = \"log\"; name = \"j\"; to = \"%s\"; flush = 0;"
		"   json = true; format = \"%%{tell.bytes}\"; },"
		" { type = \"log\"; name = \"p\";"
		"   format = \"told <%%{tell.bytes}>\"; },"
		" { type = \"tell\"; order = 1;",
		at("plain"), at("json"));
	d = start(1, options);
	daemon_launch(d);
	for (i = 0; i < sizeof(bytes) / sizeof(bytes[0]); i++)
		visit(d, bytes[i]);
	fd = peer_connect(daemon_port(d, "e", 0));
	peer_send_all(fd, "a\0b\nc", 5);
	close(fd);
	daemon_wait_log(d, "told <a\\x00b\\x0ac>", DAEMON_MS);
	daemon_stop(d);
	assert_int_equal(count(at("plain"), "\n"), i + 1);
	assert_int_equal(count(at("plain"), "\n<"), i);
	assert_int_equal(count(at("plain"), ">\n"), i + 1);
	assert_int_equal(count(at("json"), "\n"), i + 1);
	assert_int_equal(count(at("json"), "\n{\"tell.bytes\":\""), i);
	assert_int_equal(count(at("json"), "\"}\n"), i + 1);
	assert_int_equal(count(at("json"), "\"\\nforged reason=done\"}\n"), 1);
	assert_int_equal(count(at("plain"), "<\\x0aforged reason=done>\n"), 1);
	assert_int_equal(count(at("plain"), "\x1b"), 0);
	assert_int_equal(count(at("json"), "\x1b"), 0);
}

int
main(void)
{
#define LOGS_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		LOGS_TEST(test_lines_go_to_a_file),
		LOGS_TEST(test_lines_wait_no_longer),
		LOGS_TEST(test_lines_of_long_channels),
		LOGS_TEST(test_reopened_under_load),
		LOGS_TEST(test_process_log_is_reopened),
		LOGS_TEST(test_missing_directory_keeps_the_old_file),
		LOGS_TEST(test_what_cannot_be_opened_refuses_the_start),
		LOGS_TEST(test_deaf_worker),
		LOGS_TEST(test_lost_lines),
		LOGS_TEST(test_syslog),
		LOGS_TEST(test_forged_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
