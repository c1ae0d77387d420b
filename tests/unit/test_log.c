/* test_log.c - a log line is whole, printable, and never in the way. */
#include <sys/stat.h>
#include <sys/wait.h>

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <regex.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/target.h"
#include "lib/tempdir.h"

static char path[64];

static int
setup(void **state)
{
	(void)state;
	snprintf(path, sizeof(path), "%s/log", tempdir);
	unlink(path);
	return log_open(path, LOG_LEVEL_INFO);
}

static int
teardown(void **state)
{
	(void)state;
	log_starting(false);
	log_process("main");
	unlink(path);
	return log_open("stderr", LOG_LEVEL_INFO);
}

/* The whole log; valid until the next call. */
static const char *
logged(void)
{
	static char text[65536];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	assert_int_not_equal(fd, -1);
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	assert_true(n >= 0);
	text[n] = '\0';
	return text;
}

static void
test_form(void **state)
{
	regex_t re;

	(void)state;
	assert_int_equal(
		regcomp(&re,
			"^20[0-9]{2}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:"
			"[0-5][0-9]:[0-6][0-9]\\.[0-9]{3}Z "
			"weir\\[[0-9]+\\] worker 3 \\[info\\] hello 7\n$",
			REG_EXTENDED | REG_NOSUB),
		0);
	log_process("worker %d", 3);
	log_info("hello %d", 7);
	assert_int_equal(regexec(&re, logged(), 0, NULL, 0), 0);
	regfree(&re);
}

static void
test_levels(void **state)
{
	(void)state;
	assert_false(log_enabled(LOG_LEVEL_DEBUG));
	assert_true(log_enabled(LOG_LEVEL_INFO));
	log_debug("not this");
	assert_string_equal(logged(), "");
	assert_int_equal(log_open(path, LOG_LEVEL_ALERT), 0);
	log_error("nor this");
	assert_string_equal(logged(), "");
	log_alert("but this");
	assert_non_null(strstr(logged(), "[alert] but this\n"));
}

/* A name that a client sent must not forge lines or move a terminal. */
static void
test_escapes(void **state)
{
	(void)state;
	log_info("%s", "a\nb\x1b[2J\t\x7f\xc3\xa4"
		       "c");
	assert_non_null(strstr(
		logged(), "[info] a\\x0ab\\x1b[2J\\x09\\x7f\\xc3\\xa4c\n"));
}

static void
test_long_lines_are_cut(void **state)
{
	char text[3 * LOG_LINE_MAX];
	const char *all;
	size_t n;

	(void)state;
	/* Every length around the limit, of bytes that take one or four. */
	for (n = LOG_LINE_MAX / 4 - 64; n < sizeof(text);
		n += n < 5000 ? 1 : 999) {
		memset(text, n % 2 ? 'x' : '\n', n);
		text[n] = '\0';
		assert_int_equal(truncate(path, 0), 0);
		log_info("%s", text);
		all = logged();
		assert_true(strlen(all) <= LOG_LINE_MAX);
		assert_ptr_equal(strchr(all, '\n'), all + strlen(all) - 1);
		if (n >= LOG_LINE_MAX)
			assert_non_null(strstr(all, "...\n"));
	}
}

static void
test_errno_is_kept(void **state)
{
	(void)state;
	errno = EXDEV;
	log_info("x");
	assert_int_equal(errno, EXDEV);
	log_debug("x");
	assert_int_equal(errno, EXDEV);
}

static void
test_failed_open_keeps_the_old(void **state)
{
	char link[80];

	(void)state;
	errno = 0;
	assert_int_equal(log_open("/nonexistent/log", LOG_LEVEL_INFO), -1);
	assert_int_equal(errno, ENOENT);
	snprintf(link, sizeof(link), "%s.link", path);
	assert_int_equal(symlink(path, link), 0);
	assert_int_equal(log_open(link, LOG_LEVEL_INFO), -1);
	assert_int_equal(errno, ELOOP);
	unlink(link);
	log_info("still here");
	assert_non_null(strstr(logged(), "still here"));
}

static void
test_failed_open_says_what_to_do(void **state)
{
	char fifo[80];

	(void)state;
	snprintf(fifo, sizeof(fifo), "%s.fifo", path);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	assert_int_equal(log_open(fifo, LOG_LEVEL_INFO), -1);
	assert_non_null(strstr(target_why(fifo, errno), "no process reads"));
	unlink(fifo);
	assert_non_null(
		strstr(target_why("/dev/stdout", ELOOP), "write \"stderr\""));
	assert_non_null(strstr(target_why("syslog", ENOENT),
		"no syslog daemon listens on /dev/log"));
	assert_string_equal(target_why("/x", EACCES), "Permission denied");
}

/* What is said of a target before anything is made is what happens then. */
static void
test_check_says_what_open_says(void **state)
{
	const char *paths[] = { "/nonexistent/log", tempdir, "/dev/full", NULL,
		path, "/", "stderr", "/dev/null/log", NULL };
	char link[80], none[80];
	int checked, opened, check_err;
	size_t i;

	(void)state;
	snprintf(link, sizeof(link), "%s.link", path);
	snprintf(none, sizeof(none), "%s.none/", path);
	assert_int_equal(symlink(path, link), 0);
	paths[3] = link;
	paths[sizeof(paths) / sizeof(paths[0]) - 1] = none;
	for (i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		errno = 0;
		checked = target_check(paths[i]);
		check_err = errno;
		opened = target_open(paths[i]);
		assert_int_equal(checked == -1, opened == -1);
		if (opened == -1)
			assert_int_equal(check_err, errno);
		else if (opened != STDERR_FILENO)
			close(opened);
	}
	unlink(link);
	unlink(path);
	assert_int_equal(target_check(path), 0);
	assert_int_equal(access(path, F_OK), -1);
}

/* A pipe that nobody reads: nothing waits, and the loss is told later. */
static void
test_never_blocks(void **state)
{
	char line[512], text[65536];
	int fds[2], saved = dup(STDERR_FILENO), i;
	ssize_t n;

	(void)state;
	memset(line, 'y', sizeof(line) - 1);
	line[sizeof(line) - 1] = '\0';
	assert_int_equal(log_open("stderr", LOG_LEVEL_INFO), 0);
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	assert_int_not_equal(dup2(fds[1], STDERR_FILENO), -1);
	for (i = 0; i < 1000; i++)
		log_info("%s", line);
	assert_int_equal(fd_nonblock(fds[0]), 0);
	while (read(fds[0], text, sizeof(text)) > 0)
		continue;
	log_info("last");
	n = read(fds[0], text, sizeof(text) - 1);
	dup2(saved, STDERR_FILENO);
	assert_true(n > 0);
	text[n] = '\0';
	assert_non_null(strstr(text, " log lines were lost\n"));
	assert_non_null(strstr(text, "[info] last\n"));
	close(saved);
	close(fds[0]);
	close(fds[1]);
}

/* /dev/full stands for a disk without room (full(4)). */
static void
test_full_disk(void **state)
{
	(void)state;
	assert_int_equal(log_open("/dev/full", LOG_LEVEL_INFO), 0);
	log_info("lost");
	log_info("lost");
	assert_int_equal(log_open(path, LOG_LEVEL_INFO), 0);
	log_info("found");
	assert_non_null(strstr(logged(), "[warn] 2 log lines were lost\n"));
	assert_non_null(strstr(logged(), "[info] found\n"));
}

static void
test_starting_goes_to_stderr_too(void **state)
{
	int fds[2], saved = dup(STDERR_FILENO);
	char text[4096];
	ssize_t n;

	(void)state;
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	dup2(fds[1], STDERR_FILENO);
	log_starting(true);
	log_info("not worth it");
	log_error("port %d is taken", 80);
	log_starting(false);
	log_error("later");
	dup2(saved, STDERR_FILENO);
	n = read(fds[0], text, sizeof(text) - 1);
	assert_true(n > 0);
	text[n] = '\0';
	assert_string_equal(text, "weir: port 80 is taken\n");
	assert_non_null(strstr(logged(), "[error] port 80 is taken\n"));
	close(saved);
	close(fds[0]);
	close(fds[1]);
}

/* Lines of processes that share a file never mix. */
static void
note(void *arg, const char *text)
{
	snprintf(arg, 64, "%s", text);
}

static void
test_tap_hears_what_went_wrong(void **state)
{
	char heard[64] = "";

	(void)state;
	assert_int_equal(log_open(path, LOG_LEVEL_ERROR), 0);
	log_tap(note, heard);
	log_notice("fine");
	assert_string_equal(heard, "");
	/* Also what is below the level of the log. */
	log_warn("odd: %d", 1);
	assert_string_equal(heard, "odd: 1");
	assert_string_equal(logged(), "");
	log_error("bad");
	assert_string_equal(heard, "bad");
	assert_non_null(strstr(logged(), "[error] bad\n"));
	log_tap(NULL, NULL);
	log_error("worse");
	assert_string_equal(heard, "bad");
}

static void
test_many_writers(void **state)
{
	char line[256], *all, *at, *end;
	int i, j, n = 0, status;
	struct stat st;
	FILE *f;

	(void)state;
	fflush(NULL);
	for (i = 0; i < 4; i++)
		if (fork() == 0) {
			memset(line, 'a' + i, 200);
			line[200] = '\0';
			for (j = 0; j < 500; j++)
				log_info("%s", line);
			_exit(0);
		}
	for (i = 0; i < 4; i++) {
		assert_true(wait(&status) > 0);
		assert_int_equal(status, 0);
	}
	f = fopen(path, "re");
	assert_non_null(f);
	assert_int_equal(fstat(fileno(f), &st), 0);
	all = calloc(1, (size_t)st.st_size + 1);
	assert_non_null(all);
	assert_int_equal(fread(all, 1, (size_t)st.st_size, f), st.st_size);
	fclose(f);
	for (at = all; (end = strchr(at, '\n')) != NULL; at = end + 1, n++) {
		assert_memory_equal(at, "20", 2);
		assert_int_equal(end[-1], end[-200]);
	}
	assert_int_equal(n, 2000);
	free(all);
}

int
main(void)
{
#define LOG_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		LOG_TEST(test_form),
		LOG_TEST(test_levels),
		LOG_TEST(test_escapes),
		LOG_TEST(test_long_lines_are_cut),
		LOG_TEST(test_errno_is_kept),
		LOG_TEST(test_failed_open_keeps_the_old),
		LOG_TEST(test_failed_open_says_what_to_do),
		LOG_TEST(test_check_says_what_open_says),
		LOG_TEST(test_never_blocks),
		LOG_TEST(test_full_disk),
		LOG_TEST(test_starting_goes_to_stderr_too),
		LOG_TEST(test_tap_hears_what_went_wrong),
		LOG_TEST(test_many_writers),
	};

	return cmocka_run_group_tests(tests, tempdir_make, tempdir_remove);
}
