/* test_fd.c - what every process does to descriptors. */
#include <sys/resource.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/fd.h"

/* Runs f in a child, whose descriptors nobody else needs. */
static int
in_child(bool (*f)(void))
{
	int status;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid == 0)
		_exit(f() ? 0 : 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static bool
is_open(int fd)
{
	return fcntl(fd, F_GETFD) != -1;
}

static void
test_flags(void **state)
{
	int fds[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(fd_nonblock(fds[0]), 0);
	assert_true(fcntl(fds[0], F_GETFL) & O_NONBLOCK);
	assert_int_equal(fd_cloexec(fds[0]), 0);
	assert_true(fcntl(fds[0], F_GETFD) & FD_CLOEXEC);
	errno = EXDEV;
	fd_close(&fds[0]);
	assert_int_equal(fds[0], -1);
	fd_close(&fds[0]);
	assert_int_equal(errno, EXDEV);
	assert_int_equal(fd_nonblock(fds[0]), -1);
	assert_int_equal(errno, EBADF);
	assert_int_equal(fd_cloexec(fds[0]), -1);
	close(fds[1]);
}

static bool
closes_all(void)
{
	dup2(0, 10);
	dup2(0, 500);
	fd_close_from(3, -1);
	return is_open(2) && !is_open(3) && !is_open(10) && !is_open(500);
}

static bool
closes_all_but_one(void)
{
	dup2(0, 3);
	dup2(0, 10);
	dup2(0, 11);
	dup2(0, 12);
	fd_close_from(3, 11);
	return !is_open(3) && !is_open(10) && is_open(11) && !is_open(12);
}

static bool
closes_all_but_the_first(void)
{
	dup2(0, 3);
	dup2(0, 4);
	fd_close_from(3, 3);
	return is_open(3) && !is_open(4);
}

static void
test_close_from(void **state)
{
	(void)state;
	assert_int_equal(in_child(closes_all), 0);
	assert_int_equal(in_child(closes_all_but_one), 0);
	assert_int_equal(in_child(closes_all_but_the_first), 0);
}

static bool
counts_beyond_gaps(void)
{
	fd_close_from(3, -1);
	dup2(0, 10);
	dup2(0, 500);
	return fd_count(11) == 4 && fd_count(10) == 3 && fd_count(501) == 5 &&
	       fd_count(SIZE_MAX) == 5 && !is_open(3);
}

/* No descriptor is left to read /proc with. */
static bool
counts_without_proc(void)
{
	const struct rlimit few = { 4, 4 };

	fd_close_from(3, -1);
	dup2(0, 3);
	dup2(0, 500);
	return setrlimit(RLIMIT_NOFILE, &few) == 0 && fd_count(4) == 4 &&
	       fd_count(2) == 2 && fd_count(SIZE_MAX) == 5;
}

static void
test_count(void **state)
{
	(void)state;
	assert_int_equal(in_child(counts_beyond_gaps), 0);
	assert_int_equal(in_child(counts_without_proc), 0);
}

static bool
fills_closed_stdio(void)
{
	close(0);
	close(2);
	return fd_stdio_open() == 0 && is_open(0) && is_open(1) && is_open(2);
}

static bool
fills_all_of_stdio(void)
{
	fd_close_from(0, -1);
	return fd_stdio_open() == 0 && is_open(0) && is_open(1) && is_open(2) &&
	       !is_open(3);
}

static bool
nulls_stdio(void)
{
	char c;

	fd_close_from(3, -1);
	return fd_stdio_null() == 0 && read(0, &c, 1) == 0 &&
	       write(1, "x", 1) == 1 && write(2, "x", 1) == 1 && !is_open(3);
}

static void
test_stdio(void **state)
{
	(void)state;
	assert_int_equal(in_child(fills_closed_stdio), 0);
	assert_int_equal(in_child(fills_all_of_stdio), 0);
	assert_int_equal(in_child(nulls_stdio), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_flags),
		cmocka_unit_test(test_close_from),
		cmocka_unit_test(test_count),
		cmocka_unit_test(test_stdio),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
