/* test_sink.c - lines reach their file whole, or are lost whole and counted;
 * nothing ever waits. */
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <signal.h>

#include "sink_try.h"

#define MINUTE SINK_WORD_MS

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
	const struct CMUnitTest tests[] = {
		SINK_TEST(test_lines_wait),
		SINK_TEST(test_half_full_is_written),
		SINK_TEST(test_controls_are_escaped),
		SINK_TEST(test_full_disk),
		SINK_TEST(test_short_write),
		SINK_TEST(test_reopen_after_a_short_write),
		SINK_TEST(test_reopen),
		SINK_TEST(test_longer_than_anything),
		SINK_TEST(test_many_writers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
