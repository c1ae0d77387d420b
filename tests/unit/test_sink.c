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
	/* 615 of 100 bytes fit. */
	assert_non_null(strstr(logged(),
		"log file /dev/full: 184 lines were lost: No space left"));
	assert_int_equal(count(logged(), "[error]"), 2);
	end();
	assert_non_null(strstr(logged(), ": 615 lines were lost: No space"));
}

/* Files may grow to so many bytes, as on a disk that is full. */
static struct rlimit
grow_limit(rlim_t most)
{
	struct rlimit limit, before;

	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	limit = before;
	limit.rlim_cur = most;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	return before;
}

static void
grow_again(const struct rlimit *before)
{
	assert_int_equal(setrlimit(RLIMIT_FSIZE, before), 0);
	signal(SIGXFSZ, SIG_DFL);
}

/* A file that may grow to a size that is none of whole lines: the line that
 * was cut comes again, whole, when there is room. */
static void
test_short_write(void **state)
{
	struct rlimit before;
	const char *text;
	unsigned i, n;
	char want[32];

	(void)state;
	start(at("file"));
	before = grow_limit(50050);
	say_many(1000, 100);
	clock_advance(1000);
	sink_run(sink);
	text = contents(at("file"));
	n = (unsigned)strlen(text);
	grow_again(&before);
	assert_int_equal(n, 50050);
	clock_advance(SINK_RETRY_MS);
	sink_run(sink);
	end();
	text = contents(at("file"));
	assert_int_equal(strlen(text), 100000 + 51);
	assert_memory_equal(text + 50000, "500 xxx", 7);
	assert_int_equal(text[50050], '\n');
	for (i = 0; i < 1000; i++) {
		text += i == 500 ? 51 : 0;
		snprintf(want, sizeof(want), "%u x", i);
		assert_memory_equal(text + 100 * i, want, strlen(want));
		assert_int_equal(text[100 * i + 99], '\n');
	}
	assert_null(strstr(logged(), "lost"));
}

/* Another process has room first: its line does not go on where ours broke
 * off, and ours is not there twice in a row of parts. */
static void
test_short_write_of_another(void **state)
{
	struct rlimit before;
	struct sink *theirs;
	int their_fd;

	(void)state;
	start(at("file"));
	their_fd = target_open(at("file"));
	theirs = sink_new(at("file"), their_fd);
	before = grow_limit(10);
	say("first client=one", 0);
	grow_again(&before);
	sink_line(theirs, "second", 6, 0);
	assert_string_equal(contents(at("file")), "first clie\nsecond\n");
	clock_advance(SINK_RETRY_MS);
	sink_run(sink);
	sink_free(theirs);
	assert_string_equal(
		contents(at("file")), "first clie\nsecond\nfirst client=one\n");
	fd_close(&their_fd);
}

/* Not even a descriptor that cannot read, as of a file of another user. */
static void
test_short_write_unread(void **state)
{
	struct rlimit before;

	(void)state;
	fd = open(at("file"), O_WRONLY | O_CREAT | O_APPEND, 0600);
	sink = sink_new(at("file"), fd);
	before = grow_limit(4);
	say("one\ttwo", 0);
	grow_again(&before);
	clock_advance(SINK_RETRY_MS);
	sink_run(sink);
	assert_string_equal(contents(at("file")), "one\\\none\\x09two\n");
}

/* What is found there at a start, as after a crash. */
static void
test_part_of_another_time(void **state)
{
	int out = open(at("file"), O_WRONLY | O_CREAT, 0600);

	(void)state;
	assert_int_equal(write(out, "whole\npart", 10), 10);
	close(out);
	start(at("file"));
	say("next", 0);
	assert_string_equal(contents(at("file")), "whole\npart\nnext\n");
	assert_int_equal(truncate(at("file"), 0), 0);
	say("anew", 0);
	assert_string_equal(contents(at("file")), "anew\n");
}

/* The part stays in the old file, the whole line goes to the new one. */
static void
test_reopen_after_a_short_write(void **state)
{
	struct rlimit before;
	int other;

	(void)state;
	start(at("file"));
	other = target_open(at("file.1"));
	assert_int_not_equal(other, -1);
	before = grow_limit(6);
	say("one", 1000);
	say("two", 1000);
	say("three", 0);
	assert_string_equal(contents(at("file")), "one\ntw");
	assert_int_equal(sink_reopen(sink, other), 0);
	grow_again(&before);
	assert_string_equal(contents(at("file")), "one\ntw");
	assert_string_equal(contents(at("file.1")), "two\nth");
	clock_advance(SINK_RETRY_MS);
	sink_run(sink);
	assert_int_equal(sink_due(sink), UINT64_MAX);
	assert_string_equal(contents(at("file.1")), "two\nth\nthree\n");
	assert_string_equal(logged(), "");
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

/* Every length around the limit, of bytes that take one, two (of UTF-8) or
 * four: the line is cut between them. */
static void
test_long_lines_are_cut(void **state)
{
	static const struct {
		const char *unit, *shown;
	} t[] = { { "y", "y" }, { "\xc3\xa4", "\xc3\xa4" }, { "\n", "\\x0a" } };
	static char line[2 * SINK_LINE_MAX];
	size_t i, n, from, size, wide;
	const char *text;

	(void)state;
	start(at("file"));
	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		size = strlen(t[i].unit);
		wide = strlen(t[i].shown);
		for (from = 0; from < sizeof(line); from += size)
			memcpy(line + from, t[i].unit, size);
		for (n = SINK_LINE_MAX / wide - 5; n < SINK_LINE_MAX / wide + 6;
			n++) {
			assert_int_equal(truncate(at("file"), 0), 0);
			sink_line(sink, line, n * size, 0);
			text = contents(at("file"));
			if (n * wide <= SINK_LINE_MAX) {
				assert_int_equal(strlen(text), n * wide + 1);
				assert_null(strstr(text, "..."));
				continue;
			}
			from = (SINK_LINE_MAX - 3) / wide * wide;
			assert_int_equal(strlen(text), from + 4);
			assert_memory_equal(
				text + from - wide, t[i].shown, wide);
			assert_string_equal(text + from, "...\n");
		}
	}
	assert_string_equal(logged(), "");
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
		SINK_TEST(test_short_write_of_another),
		SINK_TEST(test_short_write_unread),
		SINK_TEST(test_part_of_another_time),
		SINK_TEST(test_reopen_after_a_short_write),
		SINK_TEST(test_reopen),
		SINK_TEST(test_long_lines_are_cut),
		SINK_TEST(test_many_writers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
