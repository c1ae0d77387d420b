/* test_pipe.c - the pool of pipes: what it has, keeps, gives back. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/clock.h"
#include "base/fd.h"
#include "engine/pipe.h"

#define MANY	   12
#define KEPT	   8 /* and so many are big */
#define SMALL	   (64 * 1024)
#define LITTLE	   8192
#define FDS	   1024
#define EVERYTHING 256

static struct pipes pipes;
static size_t fds;
static unsigned made;	  /* calls of pipe2 */
static unsigned enlarged; /* pipes that were asked to be bigger */
static int made_errno;	  /* of all such calls; 0: they work */
static bool refuses;	  /* to be bigger */
static bool little;	  /* how big they are, then */

int __real_pipe2(int *, int);
int __wrap_pipe2(int *, int);
int __wrap_fcntl(int, int, ...);
int __wrap_fcntl64(int, int, ...) __attribute__((alias("__wrap_fcntl")));
int __real_fcntl(int, int, ...);

int
__wrap_pipe2(int *two, int flags)
{
	made++;
	errno = made_errno;
	return made_errno != 0 ? -1 : __real_pipe2(two, flags);
}

int
__wrap_fcntl(int fd, int cmd, ...)
{
	va_list ap;
	long arg;

	va_start(ap, cmd);
	arg = va_arg(ap, long);
	va_end(ap);
	enlarged += cmd == F_SETPIPE_SZ;
	errno = EPERM;
	if (cmd == F_SETPIPE_SZ && refuses)
		return -1;
	if (cmd == F_GETPIPE_SZ && little)
		return LITTLE;
	return __real_fcntl(fd, cmd, arg);
}

static int
start(void **state)
{
	(void)state;
	fds = fd_count(FDS);
	pipes = (struct pipes){ .most = EVERYTHING };
	made = enlarged = 0;
	made_errno = 0;
	refuses = little = false;
	clock_update();
	return 0;
}

static int
stop(void **state)
{
	(void)state;
	pipes_done(&pipes);
	assert_int_equal(pipes.open, 0);
	assert_int_equal(fd_count(FDS), fds);
	return 0;
}

static void
take(struct pipe **ps, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		ps[i] = pipes_take(&pipes);
		assert_non_null(ps[i]);
		assert_int_equal(ps[i]->len, 0);
	}
}

static void
give(struct pipe **ps, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		pipes_give(&pipes, ps[i]);
}

static void
test_no_more_than_are_allowed(void **state)
{
	struct pipe *ps[3];

	(void)state;
	pipes.most = 3;
	take(ps, 3);
	assert_null(pipes_take(&pipes));
	assert_int_equal(made, 3);
	give(ps, 1);
	take(ps, 1);
	assert_null(pipes_take(&pipes));
	give(ps, 3);
	assert_int_equal(made, 3);
}

static void
test_none_is_allowed(void **state)
{
	(void)state;
	pipes.most = 0;
	assert_null(pipes_take(&pipes));
	assert_int_equal(made, 0);
}

static void
test_first_are_big_and_some_are_kept(void **state)
{
	struct pipe *ps[MANY];
	size_t i;

	(void)state;
	take(ps, MANY);
	assert_int_equal(enlarged, KEPT);
	for (i = 0; i < MANY; i++) {
		assert_int_equal(
			ps[i]->size, __real_fcntl(ps[i]->to, F_GETPIPE_SZ, 0L));
		assert_true(ps[i]->size >= SMALL);
	}
	assert_true(ps[0]->size > ps[MANY - 1]->size);
	give(ps, MANY);
	assert_int_equal(pipes.open, KEPT);
	assert_int_equal(pipes.kept, KEPT);
	assert_int_equal(fd_count(FDS), fds + 2 * KEPT);
}

static void
test_neither_end_waits_or_is_inherited(void **state)
{
	struct pipe *p;
	int ends[2], i;

	(void)state;
	take(&p, 1);
	ends[0] = p->from;
	ends[1] = p->to;
	for (i = 0; i < 2; i++) {
		assert_true(__real_fcntl(ends[i], F_GETFL, 0L) & O_NONBLOCK);
		assert_true(__real_fcntl(ends[i], F_GETFD, 0L) & FD_CLOEXEC);
	}
	give(&p, 1);
}

/* Bytes that are left would come out in another channel. */
static void
test_one_with_bytes_is_not_used_again(void **state)
{
	struct pipe *p;

	(void)state;
	take(&p, 1);
	assert_int_equal(write(p->to, "left", 4), 4);
	p->len = 4;
	pipes_give(&pipes, p);
	assert_int_equal(pipes.open, 0);
	assert_int_equal(pipes.kept, 0);
	assert_int_equal(fd_count(FDS), fds);
	take(&p, 1);
	assert_int_equal(made, 2);
	give(&p, 1);
}

static void
test_who_refuses_is_asked_again_a_second_later(void **state)
{
	struct pipe *p;

	(void)state;
	made_errno = EMFILE;
	assert_null(pipes_take(&pipes));
	assert_int_equal(pipes.open, 0);
	made_errno = 0;
	clock_advance(999);
	assert_null(pipes_take(&pipes));
	assert_int_equal(made, 1);
	clock_advance(1);
	take(&p, 1);
	assert_int_equal(made, 2);
	give(&p, 1);
}

/* Those that are there are used all the same. */
static void
test_kept_ones_need_not_be_made(void **state)
{
	struct pipe *ps[2];

	(void)state;
	take(ps, 1);
	made_errno = EMFILE;
	assert_null(pipes_take(&pipes));
	give(ps, 1);
	take(ps, 1);
	assert_null(pipes_take(&pipes));
	give(ps, 1);
	assert_int_equal(made, 2);
}

static void
test_trim_closes_what_was_not_needed(void **state)
{
	struct pipe *ps[5];

	(void)state;
	take(ps, 5);
	give(ps, 5);
	assert_true(pipes_trim(&pipes)); /* all have been needed until now */
	assert_int_equal(pipes.kept, 5);
	take(ps, 2);
	give(ps, 2);
	assert_true(pipes_trim(&pipes));
	assert_int_equal(pipes.kept, 2);
	assert_int_equal(pipes.open, 2);
	take(ps, 1);
	assert_false(pipes_trim(&pipes)); /* the one that nobody took */
	assert_int_equal(pipes.open, 1);
	give(ps, 1);
	assert_true(pipes_trim(&pipes));
	assert_false(pipes_trim(&pipes));
	assert_int_equal(pipes.open, 0);
	assert_false(pipes_trim(&pipes));
}

static void
test_size_stays_when_it_may_not_grow(void **state)
{
	struct pipe *p;

	(void)state;
	refuses = true;
	take(&p, 1);
	assert_int_equal(enlarged, 1);
	assert_int_equal(p->size, SMALL);
	give(&p, 1);
}

/* pipe(7): so small are those of a user who has too many. */
static void
test_little_ones_are_not_worth_it(void **state)
{
	(void)state;
	refuses = little = true;
	assert_null(pipes_take(&pipes));
	assert_int_equal(pipes.open, 0);
	assert_int_equal(fd_count(FDS), fds);
	assert_null(pipes_take(&pipes));
	assert_int_equal(made, 1);
	clock_advance(1000);
	assert_null(pipes_take(&pipes));
	assert_int_equal(made, 2);
}

int
main(void)
{
#define pipe_test(f) cmocka_unit_test_setup_teardown(f, start, stop)
	const struct CMUnitTest tests[] = {
		pipe_test(test_no_more_than_are_allowed),
		pipe_test(test_none_is_allowed),
		pipe_test(test_first_are_big_and_some_are_kept),
		pipe_test(test_neither_end_waits_or_is_inherited),
		pipe_test(test_one_with_bytes_is_not_used_again),
		pipe_test(test_who_refuses_is_asked_again_a_second_later),
		pipe_test(test_kept_ones_need_not_be_made),
		pipe_test(test_trim_closes_what_was_not_needed),
		pipe_test(test_size_stays_when_it_may_not_grow),
		pipe_test(test_little_ones_are_not_worth_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
