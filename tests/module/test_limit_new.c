/* test_limit_new.c - so many new channels of one key in a window. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/clock.h"
#include "lib/limits.h"
#include "lib/said.h"

/* How many of n are let in at once. */
static int
let_in(int n)
{
	int in = 0;

	while (n-- > 0)
		in += limits_lets_in("1.2.3.4:1");
	return in;
}

static void
test_no_more_than_the_limit(void **state)
{
	(void)state;
	limits_start("limit_new", "max = 6; window = \"1h\";");
	assert_int_equal(let_in(8), 6);
	assert_int_equal(rig_ends.reason, WEIR_R_LIMIT);
	assert_string_equal(rig_ends.facts.module, "limit_new");
	assert_string_equal(rig_ends.facts.detail,
		"it has opened as many channels as it may for now");
	assert_int_equal(limits_counted("refused"), 2);
	assert_true(limits_lets_in("1.2.3.5:1"));
	/* One every ten minutes. */
	clock_advance(590000);
	assert_int_equal(let_in(1), 0);
	clock_advance(10000);
	assert_int_equal(let_in(2), 1);
	clock_advance(36000000);
	assert_int_equal(let_in(8), 6);
	limits_stop();
}

static void
test_bursts(void **state)
{
	(void)state;
	limits_start("limit_new", "max = 6; window = \"1h\"; burst = 2;");
	assert_int_equal(let_in(8), 2);
	clock_advance(600000);
	assert_int_equal(let_in(8), 1);
	limits_stop();
	limits_start("limit_new", "max = 6; window = \"1h\"; burst = 9;");
	assert_int_equal(let_in(12), 7);
	limits_stop();
}

static void
test_a_dry_run_refuses_nobody(void **state)
{
	(void)state;
	limits_start("limit_new", "max = 1; window = \"1h\"; dry_run = true;");
	assert_int_equal(let_in(4), 4);
	assert_int_equal(limits_counted("dry_run"), 3);
	assert_int_equal(limits_counted("refused"), 0);
	assert_true(rig_logged(&rig, "#2: dry run: it has opened as many"));
	assert_false(rig_logged(&rig, "#3: dry run"));
	limits_stop();
}

static int
draw_as_another(void)
{
	static const struct weir_bucket b = { 6, 3600000, 6 };

	return weir_table_draw(
		&table, shared_key("1.2.3.4"), LIMITS_NEW, &b, 4, NULL);
}

/* What others have let in counts, also when they are gone. */
static void
test_all_workers_count(void **state)
{
	(void)state;
	shared_in_another(draw_as_another);
	limits_start("limit_new", "max = 6; window = \"1h\";");
	assert_int_equal(let_in(8), 2);
	limits_stop();
	/* Another limit finds it, as at a reload. */
	limits_start("limit_new", "max = 9; window = \"1h\";");
	assert_int_equal(let_in(8), 3);
	limits_stop();
}

static void
test_masks(void **state)
{
	(void)state;
	limits_start("limit_new", "max = 1; window = \"1h\"; prefix4 = 8;");
	assert_true(limits_lets_in("1.2.3.4:1"));
	assert_false(limits_lets_in("1.9.9.9:1"));
	assert_true(limits_lets_in("2.2.3.4:1"));
	assert_true(limits_lets_in("[1::1]:1"));
	assert_false(limits_lets_in("[1::2]:1"));
	assert_true(limits_lets_in("[1:0:0:1::1]:1"));
	limits_stop();
}

static void
test_f6_a_full_table(void **state)
{
	static const enum weir_full fulls[] = { WEIR_FULL_REFUSE,
		WEIR_FULL_ALLOW, WEIR_FULL_EVICT };
	uint32_t n;
	size_t i;

	(void)state;
	for (i = 0; i < 3; i++) {
		options.full = fulls[i];
		options.size = 1;
		options.ttl_ms = 60000;
		shared_anew();
		for (n = 0; n < 20000; n++)
			(void)weir_table_draw(&table, shared_number(&n),
				LIMITS_NEW, NULL, 0, NULL);
		limits_start("limit_new", "max = 1; window = \"1h\";");
		assert_int_equal(let_in(1), i > 0);
		assert_int_equal(limits_counted("unknown"), i < 2);
		/* When keys have ended, there is room. */
		clock_advance(60000);
		assert_int_equal(let_in(2), 1);
		limits_stop();
	}
}

static void
test_options_have_to_fit(void **state)
{
	(void)state;
	said_of("limit_new", "max = 10; window = \"1m\"; burst = \"off\";", "");
	said_of("limit_new", "", "option \"max\" is missing");
	said_of("limit_new", "max = 0;", "out of range");
	said_of("limit_new", "max = 1; window = 0;", "out of range");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		limits_test(test_no_more_than_the_limit),
		limits_test(test_bursts),
		limits_test(test_a_dry_run_refuses_nobody),
		limits_test(test_all_workers_count),
		limits_test(test_masks),
		limits_test(test_f6_a_full_table),
		limits_test(test_options_have_to_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
