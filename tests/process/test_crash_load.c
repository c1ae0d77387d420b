/* test_crash_load.c - workers and masters are killed under load: their own
 * channels end, and nobody else notices. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "lib/crash.h"
#include "lib/daemon.h"
#include "lib/load.h"

static void
test_kill_one_of_two(void **state)
{
	(void)state;
	crash_one_of_two(20);
}

static void
test_f9_workers_break_in_their_start(void **state)
{
	(void)state;
	crash_loop(2, 7);
}

static void
test_f9_all_break_in_their_start(void **state)
{
	(void)state;
	crash_loop_of_all(2, 5, 15);
}

static void
test_f10_poison(void **state)
{
	(void)state;
	crash_poison(3);
}

/* The workers of a dead master serve whom they have for close_wait; after
 * that nobody listens. */
static void
test_f11_master_is_killed_under_load(void **state)
{
	struct load_plan plan = { .connections = { [LOAD_KEPT] = 8 },
		.kept_rate = 400 };
	struct load *l = load_new();
	struct load_result r;
	struct daemon *d;

	(void)state;
	d = daemon_start("process = { workers = 2; };\n"
			 "servers = ( { name = \"r\"; close_wait = 1;"
			 " listen = \"127.0.0.1:0\";"
			 " middlewares = ( { type = \"forward\";"
			 "  to = \"127.0.0.1:%u\"; } ); } );",
		load_echo(l, NULL));
	plan.ports[0] = daemon_port(d, "r", 0);
	load_start(l, &plan);
	load_settle(l);
	daemon_kill_master(d);
	load_stop(l, &r);
	load_say(&r, "kill -9 of the master");
	assert_int_equal(r.failed[LOAD_KEPT][LOAD_RESET], 8);
	assert_int_equal(load_failed(&r, LOAD_KINDS_N),
		8 + r.failed[LOAD_KEPT][LOAD_REFUSED]);
	assert_true(r.ok[LOAD_KEPT] > 20);
	daemon_launch(d);
	daemon_stop(d);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		daemon_test(test_kill_one_of_two),
		daemon_test(test_f9_workers_break_in_their_start),
		daemon_test(test_f9_all_break_in_their_start),
		daemon_test(test_f10_poison),
		daemon_test(test_f11_master_is_killed_under_load),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
