/* test_shm.c - the shared segment: extents, zones, owners. */
#include <sys/wait.h>

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "shm/owner.h"
#include "shm/shm.h"
#include "shm/siphash.h"

#define SIZE ((size_t)64 * SHM_EXTENT)

static struct shm shm;

static int
start(void **state)
{
	(void)state;
	return shm_init(&shm, SIZE);
}

static int
stop(void **state)
{
	(void)state;
	shm_done(&shm);
	return 0;
}

static bool
is_zero(const uint8_t *p, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (p[i] != 0)
			return false;
	return true;
}

/* ---- extents ------------------------------------------------------------- */

static void
test_an_extent_belongs_to_its_owner(void **state)
{
	uint32_t owner = SHM_OWNER(3, 4), a, b, before = shm_taken(&shm);

	(void)state;
	a = shm_take(&shm, owner);
	b = shm_take(&shm, SHM_OWNER(3, 5));
	assert_int_not_equal(a, 0);
	assert_int_not_equal(b, 0);
	assert_int_not_equal(a, b);
	assert_int_equal(shm_next(&shm, owner, 0), a);
	assert_int_equal(shm_next(&shm, owner, a), 0);
	assert_true(is_zero(shm_extent(&shm, a), SHM_EXTENT));
	memset(shm_extent(&shm, a), 1, SHM_EXTENT);
	assert_true(is_zero(shm_extent(&shm, b), SHM_EXTENT));
	shm_give(&shm, a);
	shm_give(&shm, b);
	assert_int_equal(shm_taken(&shm), before);
}

static void
test_one_given_back_is_empty_again(void **state)
{
	uint32_t a = shm_take(&shm, 1), b;

	(void)state;
	memset(shm_extent(&shm, a), 1, SHM_EXTENT);
	shm_give(&shm, a);
	b = shm_take(&shm, 2);
	assert_int_equal(a, b);
	assert_true(is_zero(shm_extent(&shm, b), SHM_EXTENT));
}

static void
test_all_are_taken(void **state)
{
	uint32_t n = 0, extent;

	(void)state;
	while (shm_take(&shm, 7) != 0)
		n++;
	assert_int_equal(errno, ENOSPC);
	assert_true(n > 60);
	assert_int_equal(shm_taken(&shm), shm_extents(&shm));
	extent = shm_next(&shm, 7, 0);
	shm_give(&shm, extent);
	assert_int_equal(shm_take(&shm, 8), extent);
}

/* Runs in a child, which must end well. */
static void
in_child(void (*what)(void))
{
	pid_t pid = fork();
	int status;

	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		what();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void
take_and_fill(void)
{
	uint32_t extent = shm_take(&shm, 9);

	memset(shm_extent(&shm, extent), 5, SHM_EXTENT);
}

/* What one process has taken after the fork, all see. */
static void
test_an_extent_of_a_child(void **state)
{
	const uint8_t *p;

	(void)state;
	in_child(take_and_fill);
	p = shm_extent(&shm, shm_next(&shm, 9, 0));
	assert_int_equal(p[0], 5);
	assert_int_equal(p[SHM_EXTENT - 1], 5);
}

static void
test_a_range_too_small(void **state)
{
	struct shm tiny;

	(void)state;
	assert_int_equal(shm_init(&tiny, SHM_EXTENT), -1);
	assert_int_equal(errno, EINVAL);
}

/* ---- zones --------------------------------------------------------------- */

static void
test_a_zone_is_kept(void **state)
{
	struct shm_zone *zone, *again;
	bool fresh;

	(void)state;
	zone = shm_zone_open(&shm, "a", 1, 20000, &fresh);
	assert_non_null(zone);
	assert_true(fresh);
	assert_int_equal(zone->n, 2);
	memset(shm_zone_data(&shm, zone), 3, 20000);
	assert_non_null(shm_zone_open(&shm, "b", 1, 1, &fresh));
	again = shm_zone_open(&shm, "a", 1, 30000, &fresh);
	assert_ptr_equal(zone, again);
	assert_false(fresh);
	assert_int_equal(((uint8_t *)shm_zone_data(&shm, again))[19999], 3);
}

/* What is laid out in another way is not read; who works with it, goes on. */
static void
test_f7_a_zone_of_another_layout_is_fresh(void **state)
{
	struct shm_zone *zone, *other;
	uint8_t *p;
	bool fresh;

	(void)state;
	zone = shm_zone_open(&shm, "a", 1, 20000, &fresh);
	p = shm_zone_data(&shm, zone);
	memset(p, 3, 20000);
	other = shm_zone_open(&shm, "a", 2, 20000, &fresh);
	assert_non_null(other);
	assert_true(fresh);
	assert_true(is_zero(shm_zone_data(&shm, other), 20000));
	assert_int_equal(p[19999], 3);
	assert_int_not_equal(
		shm_zone_index(&shm, zone), shm_zone_index(&shm, other));
	shm_zone_drop(&shm, zone);
	assert_ptr_equal(shm_zone_open(&shm, "a", 2, 1, &fresh), other);
	assert_false(fresh);
}

static void
test_a_zone_is_dropped(void **state)
{
	uint32_t before = shm_taken(&shm);
	struct shm_zone *zone;
	bool fresh;

	(void)state;
	zone = shm_zone_open(&shm, "a", 1, 20000, &fresh);
	shm_take(&shm, SHM_OWNER(shm_zone_index(&shm, zone), 5));
	shm_zone_drop(&shm, zone);
	assert_int_equal(shm_taken(&shm), before);
	assert_non_null(shm_zone_open(&shm, "a", 1, 1, &fresh));
	assert_true(fresh);
}

static void
test_zones_that_cannot_be(void **state)
{
	char name[SHM_NAME + 1];
	bool fresh;

	(void)state;
	memset(name, 'x', SHM_NAME);
	name[SHM_NAME] = '\0';
	assert_null(shm_zone_open(&shm, name, 1, 1, &fresh));
	assert_int_equal(errno, ENAMETOOLONG);
	assert_null(shm_zone_open(&shm, "", 1, 1, &fresh));
	assert_int_equal(errno, ENAMETOOLONG);
	assert_null(shm_zone_open(&shm, "a", 1, SIZE, &fresh));
	assert_int_equal(errno, ENOSPC);
	name[SHM_NAME - 1] = '\0';
	assert_non_null(shm_zone_open(&shm, name, 1, 1, &fresh));
}

/* ---- owners -------------------------------------------------------------- */

static void
test_an_id_ends_with_its_owner(void **state)
{
	struct owners *owners = shm_owners(&shm);
	uint64_t a = owner_begin(owners), b = owner_begin(owners), c;

	(void)state;
	assert_true(a != 0 && b != 0 && a != b);
	assert_true(a >> OWNER_BITS == 0);
	assert_true(owner_lives(owners, a));
	owner_end(owners, a);
	assert_false(owner_lives(owners, a));
	assert_true(owner_lives(owners, b));
	owner_end(owners, a);
	c = owner_begin(owners);
	assert_true(c != a);
	assert_true(owner_lives(owners, c));
	assert_false(owner_lives(owners, a));
	assert_false(owner_lives(owners, 0));
	assert_false(owner_lives(owners, UINT64_MAX >> 24));
}

static void
test_owners_run_out(void **state)
{
	struct owners *owners = shm_owners(&shm);
	uint64_t last = 0, id;
	unsigned n = 0;

	(void)state;
	while ((id = owner_begin(owners)) != 0) {
		last = id;
		n++;
	}
	assert_int_equal(n, OWNERS);
	assert_int_equal(errno, EAGAIN);
	owner_end(owners, last);
	assert_true(owner_begin(owners) != 0);
}

/* ---- hashes -------------------------------------------------------------- */

/* The reference implementation's first vectors of SipHash-1-3 for 64 bits, with
 * key 00 01 ... 0f and input 00 01 ... */
static void
test_siphash_vectors(void **state)
{
	static const uint64_t secret[2] = { 0x0706050403020100ull,
		0x0f0e0d0c0b0a0908ull };
	static const uint64_t wanted[] = { 0xabac0158050fc4dcull,
		0xc9f49bf37d57ca93ull, 0x82cb9b024dc7d44dull,
		0x8bf80ab8e7ddf7fbull, 0xcf75576088d38328ull,
		0xdef9d52f49533b67ull, 0xc50d2b50c59f22a7ull,
		0xd3927d989bb11140ull, 0x369095118d299a8eull };
	uint8_t in[16];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(in); i++)
		in[i] = (uint8_t)i;
	for (i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		assert_true(siphash(secret, in, i) == wanted[i]);
}

#define shm_test(f) cmocka_unit_test_setup_teardown(f, start, stop)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		shm_test(test_an_extent_belongs_to_its_owner),
		shm_test(test_one_given_back_is_empty_again),
		shm_test(test_all_are_taken),
		shm_test(test_an_extent_of_a_child),
		cmocka_unit_test(test_a_range_too_small),
		shm_test(test_a_zone_is_kept),
		shm_test(test_f7_a_zone_of_another_layout_is_fresh),
		shm_test(test_a_zone_is_dropped),
		shm_test(test_zones_that_cannot_be),
		shm_test(test_an_id_ends_with_its_owner),
		shm_test(test_owners_run_out),
		cmocka_unit_test(test_siphash_vectors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
