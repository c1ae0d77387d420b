/* test_sink.c - lines reach their file whole, or are lost whole and counted;
 * nothing ever waits. */
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <bsd/string.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/sink.h"
#include "base/syslog.h"
#include "base/target.h"

#define MINUTE	     SINK_WORD_MS
#define DIR_TEMPLATE "/tmp/weir-sink-XXXXXX"

static char dir[] = DIR_TEMPLATE;
static struct sink *sink;
static int fd;

/* A path in dir; valid until the fourth next call. */
static const char *
at(const char *name)
{
	static char paths[4][64];
	static unsigned n;

	n = (n + 1) % 4;
	snprintf(paths[n], sizeof(paths[n]), "%s/%s", dir, name);
	return paths[n];
}

static int
setup(void **state)
{
	(void)state;
	strlcpy(dir, DIR_TEMPLATE, sizeof(dir));
	if (mkdtemp(dir) == NULL)
		return -1;
	clock_update();
	sink = NULL;
	fd = -1;
	return log_open(at("process"), LOG_LEVEL_INFO);
}

static int
teardown(void **state)
{
	static const char *const names[] = { "process", "file", "file.1",
		"fifo", "socket" };
	size_t i;

	(void)state;
	sink_free(sink);
	fd_close(&fd);
	if (log_open("stderr", LOG_LEVEL_INFO) == -1)
		return -1;
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		unlink(at(names[i]));
	return rmdir(dir);
}

static void
start(const char *target)
{
	fd = target_open(target);
	assert_int_not_equal(fd, -1);
	sink = sink_new(target, fd);
	assert_non_null(sink);
}

/* Ends it, so that it is flushed. */
static void
end(void)
{
	sink_free(sink);
	sink = NULL;
}

static void
say(const char *text, uint32_t wait_ms)
{
	sink_line(sink, text, strlen(text), wait_ms);
}

/* All of a file; valid until the next call. */
static const char *
contents(const char *path)
{
	static char text[1 << 20];
	int in = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	assert_int_not_equal(in, -1);
	n = read(in, text, sizeof(text) - 1);
	close(in);
	assert_true(n >= 0);
	text[n] = '\0';
	return text;
}

static unsigned
count(const char *all, const char *text)
{
	unsigned n = 0;

	for (; (all = strstr(all, text)) != NULL; all += strlen(text))
		n++;
	return n;
}

#define logged() contents(at("process"))

/* Reads all that is there and lets the sink go on, until it has no more to do
 * soon; how many bytes, the first max of them in p. */
static size_t
drain(int in, char *p, size_t max)
{
	char more[65536];
	size_t len = 0;
	ssize_t n;

	for (;;) {
		while ((n = read(in, more, sizeof(more))) > 0) {
			if (len + (size_t)n <= max)
				memcpy(p + len, more, (size_t)n);
			len += (size_t)n;
		}
		if (sink_due(sink) > clock_ms() + SINK_RETRY_MS)
			return len;
		clock_advance(SINK_RETRY_MS);
		sink_run(sink);
	}
}

/* Adds lines "<i> <padding>" of size bytes with their ends. */
static void
say_many(unsigned n, size_t size)
{
	char line[SINK_BUFFER];
	unsigned i;

	memset(line, 'x', size);
	for (i = 0; i < n; i++) {
		int head = snprintf(line, size, "%u ", i);

		line[head] = 'x';
		sink_line(sink, line, size - 1, 1000);
	}
}

static void
test_lines_wait(void **state)
{
	(void)state;
	start(at("file"));
	assert_int_equal(sink_due(sink), UINT64_MAX);
	say("one", 1000);
	say("two", 300);
	say("three", 5000);
	assert_int_equal(sink_due(sink), clock_ms() + 300);
	clock_advance(150);
	sink_run(sink);
	assert_string_equal(contents(at("file")), "");
	clock_advance(150);
	sink_run(sink);
	assert_string_equal(contents(at("file")), "one\ntwo\nthree\n");
	assert_int_equal(sink_due(sink), UINT64_MAX);
	say("now", 0);
	assert_non_null(strstr(contents(at("file")), "three\nnow\n"));
	say("last", 1000);
	end();
	assert_non_null(strstr(contents(at("file")), "now\nlast\n"));
}

static void
test_half_full_is_written(void **state)
{
	(void)state;
	start(at("file"));
	say_many(SINK_BUFFER / 2 / 100, 100);
	assert_string_equal(contents(at("file")), "");
	say_many(1, 100);
	assert_int_equal(strlen(contents(at("file"))),
		(SINK_BUFFER / 2 / 100 + 1) * 100);
	assert_int_equal(sink_due(sink), UINT64_MAX);
}

/* What a client may have sent ends no line, whoever forgot to escape it. */
static void
test_controls_are_escaped(void **state)
{
	static const char bytes[] = "a\nb\r\0\x1b[2J\x7f\t%n\xc3\xa4";

	(void)state;
	start(at("file"));
	sink_line(sink, bytes, sizeof(bytes) - 1, 0);
	assert_string_equal(contents(at("file")),
		"a\\x0ab\\x0d\\x00\\x1b[2J\\x7f\\x09%n\xc3\xa4\n");
}

static void
test_full_disk(void **state)
{
	unsigned i;

	(void)state;
	start("/dev/full");
	say_many(70000 / 100, 100);
	/* PIPE_BUF at a time there; all that fits stays. */
	assert_int_equal(count(logged(), "No space left on device"), 1);
	assert_non_null(strstr(logged(),
		"[error] log file /dev/full: 1 line was lost: No space"));
	for (i = 0; i < 10; i++) {
		clock_advance(MINUTE / 10 - 1);
		sink_run(sink);
		say_many(10, 100);
	}
	assert_int_equal(count(logged(), "No space left on device"), 1);
	clock_advance(10);
	assert_true(sink_due(sink) <= clock_ms());
	sink_run(sink);
	/* 655 of 100 bytes fit. */
	assert_non_null(strstr(logged(),
		"log file /dev/full: 144 lines were lost: No space left"));
	assert_int_equal(count(logged(), "[error]"), 2);
	end();
	assert_non_null(strstr(logged(), ": 655 lines were lost: No space"));
}

/* A file that may grow to a size that is none of whole lines: the rest of the
 * line that was cut comes first when there is room again. */
static void
test_short_write(void **state)
{
	struct rlimit limit, before;
	const char *text;
	unsigned i, n;
	char want[32];

	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	limit = before;
	limit.rlim_cur = 50050;
	start(at("file"));
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	say_many(1000, 100);
	clock_advance(1000);
	sink_run(sink);
	text = contents(at("file"));
	n = (unsigned)strlen(text);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	signal(SIGXFSZ, SIG_DFL);
	assert_int_equal(n, 50050);
	clock_advance(SINK_RETRY_MS);
	sink_run(sink);
	end();
	text = contents(at("file"));
	assert_int_equal(strlen(text), 100000);
	for (i = 0; i < 1000; i++) {
		snprintf(want, sizeof(want), "%u x", i);
		assert_memory_equal(text + 100 * i, want, strlen(want));
		assert_int_equal(text[100 * i + 99], '\n');
	}
	assert_null(strstr(logged(), "lost"));
}

/* The end of a line whose beginning went to the old file is not put into the
 * new one. */
static void
test_reopen_after_a_short_write(void **state)
{
	struct rlimit limit, before;
	int other;

	(void)state;
	start(at("file"));
	other = target_open(at("file.1"));
	assert_int_not_equal(other, -1);
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	limit = before;
	limit.rlim_cur = 6;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	say("one", 1000);
	say("two", 1000);
	say("three", 0);
	assert_string_equal(contents(at("file")), "one\ntw");
	assert_int_equal(sink_reopen(sink, other), 0);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	signal(SIGXFSZ, SIG_DFL);
	assert_int_equal(sink_due(sink), UINT64_MAX);
	assert_string_equal(contents(at("file")), "one\ntw");
	assert_string_equal(contents(at("file.1")), "three\n");
	/* The process log could not be written either. */
	log_info("now");
	assert_non_null(strstr(logged(), "2 log lines were lost"));
}

static void
test_reopen(void **state)
{
	int number;

	(void)state;
	start(at("file"));
	number = fd;
	say("old", 60000);
	assert_int_equal(rename(at("file"), at("file.1")), 0);
	assert_int_equal(sink_reopen(sink, target_open(at("file"))), 0);
	say("new", 0);
	assert_string_equal(contents(at("file.1")), "old\n");
	assert_string_equal(contents(at("file")), "new\n");
	assert_true(fcntl(number, F_GETFD) & FD_CLOEXEC);
}

static void
test_pipe_without_reader(void **state)
{
	int in;

	(void)state;
	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(mkfifo(at("fifo"), 0600), 0);
	assert_int_equal(target_open(at("fifo")), -1);
	assert_int_equal(errno, ENXIO);
	in = open(at("fifo"), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	start(at("fifo"));
	say("heard", 0);
	close(in);
	say("kept", 0);
	assert_string_equal(logged(), "");
	say_many(700, 100);
	assert_non_null(strstr(logged(), "was lost: Broken pipe"));
	/* Another one comes. */
	in = open(at("fifo"), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	assert_true(drain(in, NULL, 0) > 60000);
	assert_int_equal(count(logged(), "lines are written again"), 1);
	close(in);
}

/* A reader that does not read: what it gets in the end is whole lines. */
static void
test_pipe_that_is_full(void **state)
{
	static char got[1 << 20];
	size_t len, i;
	int in;

	(void)state;
	assert_int_equal(mkfifo(at("fifo"), 0600), 0);
	in = open(at("fifo"), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	assert_int_not_equal(in, -1);
	start(at("fifo"));
	say_many(3000, 99);
	assert_int_equal(count(logged(), "Resource temporarily"), 1);
	len = drain(in, got, sizeof(got));
	close(in);
	assert_true(len > 2 * 60000);
	assert_int_equal(len % 99, 0);
	for (i = 0; i < len; i += 99)
		assert_int_equal(got[i + 98], '\n');
	snprintf(got, sizeof(got), "lines are written again; %zu were lost",
		3000 - len / 99);
	assert_non_null(strstr(logged(), got));
	assert_int_equal(count(logged(), "\n"), 2);
}

static void
test_longer_than_anything(void **state)
{
	static char line[2 * SINK_BUFFER];

	(void)state;
	memset(line, 'y', sizeof(line));
	start(at("file"));
	sink_line(sink, line, SINK_BUFFER - 1, 0);
	assert_int_equal(strlen(contents(at("file"))), SINK_BUFFER);
	sink_line(sink, line, SINK_BUFFER, 0);
	sink_line(sink, line, sizeof(line), 0);
	memset(line, '\n', sizeof(line));
	sink_line(sink, line, SINK_BUFFER / 4, 0);
	assert_int_equal(strlen(contents(at("file"))), SINK_BUFFER);
	say("next", 0);
	assert_int_equal(strlen(contents(at("file"))), SINK_BUFFER + 5);
	assert_non_null(strstr(logged(), ": 1 line was lost: too long"));
	end();
	assert_non_null(strstr(logged(), ": 2 lines were lost: too long"));
}

/* stderr may be a pipe that blocks, and that others fill as well. */
static void
test_stderr_never_blocks(void **state)
{
	int fds[2], saved = dup(STDERR_FILENO);
	unsigned lost;

	(void)state;
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	assert_int_not_equal(dup2(fds[1], STDERR_FILENO), -1);
	start("stderr");
	fd = -1;
	say_many(2000, 100);
	lost = count(logged(), "log file stderr: 1 line was lost");
	assert_int_equal(fd_nonblock(fds[0]), 0);
	drain(fds[0], NULL, 0);
	end();
	dup2(saved, STDERR_FILENO);
	close(saved);
	close(fds[0]);
	close(fds[1]);
	assert_int_equal(lost, 1);
	assert_non_null(strstr(logged(), "lines are written again"));
}

static int
daemon_listen(void)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int s = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	unlink(at("socket"));
	snprintf(un.sun_path, sizeof(un.sun_path), "%s", at("socket"));
	assert_int_equal(bind(s, (struct sockaddr *)&un, sizeof(un)), 0);
	return s;
}

static void
hear(int s, const char *text)
{
	char got[8192];
	ssize_t n = recv(s, got, sizeof(got) - 1, 0);

	assert_true(n > 0);
	got[n] = '\0';
	assert_memory_equal(got, "<30>", 4);
	assert_non_null(strstr(got, "]: "));
	assert_string_equal(strstr(got, "]: ") + 3, text);
}

static void
test_syslog(void **state)
{
	static char path[64];
	unsigned n = 0;
	char got[512];
	int s;

	(void)state;
	strlcpy(path, at("socket"), sizeof(path));
	syslog_attach(path);
	s = daemon_listen();
	start("syslog");
	say("one", 1000);
	say("two", 0);
	hear(s, "one");
	hear(s, "two");
	/* It is restarted: the socket is another one. */
	close(s);
	say("kept", 0);
	s = daemon_listen();
	say("after", 0);
	clock_advance(SINK_RETRY_MS);
	sink_run(sink);
	hear(s, "kept");
	hear(s, "after");
	/* It does not read: its queue and then the buffer are full. */
	say_many(2000, 100);
	assert_int_equal(count(logged(), "log file syslog: 1 line was"), 1);
	for (;;) {
		while (recv(s, got, sizeof(got), 0) > 0)
			n++;
		if (sink_due(sink) > clock_ms() + SINK_RETRY_MS)
			break;
		clock_advance(SINK_RETRY_MS);
		sink_run(sink);
	}
	close(s);
	snprintf(got, sizeof(got), "lines are written again; %u were lost",
		2000 - n);
	assert_non_null(strstr(logged(), got));
	syslog_attach("/dev/log");
}

/* Several processes write to one file, whole lines each. */
static void
test_many_writers(void **state)
{
	const char *p, *text;
	int i, status, n = 0;

	(void)state;
	start(at("file"));
	for (i = 0; i < 4; i++)
		if (fork() == 0) {
			char line[300];
			int j;

			memset(line, 'a' + i, sizeof(line));
			for (j = 0; j < 500; j++)
				sink_line(sink, line,
					1 + (unsigned)(j * 7) % sizeof(line),
					1000);
			sink_free(sink);
			_exit(0);
		}
	for (i = 0; i < 4; i++) {
		assert_true(wait(&status) > 0);
		assert_int_equal(status, 0);
	}
	text = contents(at("file"));
	for (p = text; *p != '\0'; p++) {
		if (*p == '\n')
			n++;
		else if (p[1] != '\n')
			assert_int_equal(p[1], *p);
	}
	assert_int_equal(n, 2000);
}

int
main(void)
{
#define SINK_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		SINK_TEST(test_lines_wait),
		SINK_TEST(test_half_full_is_written),
		SINK_TEST(test_controls_are_escaped),
		SINK_TEST(test_full_disk),
		SINK_TEST(test_short_write),
		SINK_TEST(test_reopen_after_a_short_write),
		SINK_TEST(test_reopen),
		SINK_TEST(test_pipe_without_reader),
		SINK_TEST(test_pipe_that_is_full),
		SINK_TEST(test_longer_than_anything),
		SINK_TEST(test_stderr_never_blocks),
		SINK_TEST(test_syslog),
		SINK_TEST(test_many_writers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
