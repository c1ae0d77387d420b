/* test_limit_hangs.c - limits of channels that are there, while another process
 * hangs with the table. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/clock.h"
#include "lib/limits.h"
#include "lib/stream.h"

#define RATE 1000000

static uint64_t sent, got, passed_ms;

/* Moves what goes until so many ms have passed. */
static void
carry_for(uint64_t ms)
{
	uint64_t begun_ms = clock_ms();
	int i;

	while (clock_ms() - begun_ms < ms) {
		for (i = 0; i < 4; i++) {
			sent += stream_pour(client, sent, (uint64_t)1 << 20);
			got += stream_drink(server, got, (uint64_t)1 << 30);
			rig_turn(&rig);
		}
		rig_advance(&rig, 10);
	}
	passed_ms += clock_ms() - begun_ms;
	rig_quiet(&rig);
	got += stream_drink(server, got, (uint64_t)1 << 30);
	assert_in_range(got, passed_ms * (RATE / 1000) * 9 / 10,
		passed_ms * (RATE / 1000) * 11 / 10);
}

/* It has the rate by itself. */
static void
test_f1_a_rate_goes_on(void **state)
{
	pid_t pid;

	(void)state;
	sent = got = passed_ms = 0;
	limits_start("limit_rate", "up = 1000000; table = \"table\";");
	assert_true(limits_open("1.2.3.4:1"));
	carry_for(1000);
	pid = shared_hang();
	carry_for(2000);
	assert_true(limits_counted("unknown") > 0);
	assert_int_equal(limits_counted("refused"), 0);
	shared_hang_end(pid);
	carry_for(2000);
	limits_stop();
}

/* What passes while somebody hangs with the table is counted later. */
static void
test_f1_a_quota_goes_on(void **state)
{
	pid_t pid;

	(void)state;
	limits_start("quota", "max = \"1M\";");
	assert_true(limits_open("1.2.3.4:1"));
	pair_carry(client, server, 0, 100000);
	pid = shared_hang();
	pair_carry(server, client, 0, 300000);
	pair_carry(client, server, 100000, 200000);
	assert_true(limits_counted("unknown") > 0);
	assert_int_equal(limits_counted("refused"), 0);
	shared_hang_end(pid);
	clock_advance(2000);
	limits_end();
	assert_int_equal(shared_read("1.2.3.4", LIMITS_QUOTA), 600000);
	limits_stop();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		limits_relay_tests(test_f1_a_rate_goes_on),
		limits_relay_tests(test_f1_a_quota_goes_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
