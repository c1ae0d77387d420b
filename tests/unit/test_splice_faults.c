/* test_splice_faults.c - a kernel that does not splice, or not always. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/pair.h"

#define MB ((uint64_t)1 << 20)

static int spliced_errno; /* of one in so many calls: */
static unsigned one_in;	  /* 0: they work */
static unsigned calls;	  /* of splice */

ssize_t __real_splice(int, off_t *, int, off_t *, size_t, unsigned);
ssize_t __wrap_splice(int, off_t *, int, off_t *, size_t, unsigned);

ssize_t
__wrap_splice(
	int from, off_t *at, int to, off_t *where, size_t n, unsigned flags)
{
	calls++;
	errno = spliced_errno;
	if (one_in > 0 && calls % one_in == 0)
		return -1;
	return __real_splice(from, at, to, where, n, flags);
}

static int
start(void **state)
{
	pair_start(state);
	calls = one_in = 0;
	rig.server.splice = CONF_SPLICE_ON;
	return 0;
}

static void
test_who_refuses_is_not_asked_again(void **state)
{
	(void)state;
	spliced_errno = EINVAL;
	one_in = 1;
	pair_join();
	pair_carry(client, server, 0, MB);
	pair_carry(server, client, 0, MB);
	assert_int_equal(calls, 2); /* once for each direction */
	assert_int_equal(rig.loop.spliced_bytes, 0);
	assert_int_equal(rig.loop.copied_bytes, 2 * MB);
	assert_int_equal(rig.loop.pipes.open, rig.loop.pipes.kept);
}

static void
test_interrupted_calls_are_made_again(void **state)
{
	(void)state;
	spliced_errno = EINTR;
	one_in = 2;
	pair_join();
	pair_carry(client, server, 0, 3 * MB);
	pair_carry(server, client, 0, 3 * MB);
	assert_int_equal(rig.loop.spliced_bytes, 6 * MB);
	assert_int_equal(rig.loop.copied_bytes, 0);
}

static void
test_without_pipes_bytes_are_copied(void **state)
{
	(void)state;
	pair_join();
	rig.loop.pipes.most = 0;
	pair_carry(client, server, 0, MB);
	assert_int_equal(calls, 0);
	assert_int_equal(rig.loop.copied_bytes, MB);
	rig.loop.pipes.most = 1;
	pair_carry(client, server, MB, MB);
	assert_int_equal(rig.loop.copied_bytes, MB);
	assert_int_equal(rig.loop.spliced_bytes, MB);
}

int
main(void)
{
#define splice_test(f) cmocka_unit_test_setup_teardown(f, start, pair_stop)
	const struct CMUnitTest tests[] = {
		splice_test(test_who_refuses_is_not_asked_again),
		splice_test(test_interrupted_calls_are_made_again),
		splice_test(test_without_pipes_bytes_are_copied),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
