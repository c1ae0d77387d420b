/* test_quota.c - so many bytes of one key in each period, and not one more. */
#include <sys/socket.h>

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/clock.h"
#include "lib/cut.h"
#include "lib/limits.h"
#include "lib/said.h"
#include "lib/stream.h"

#define DAY_MS 86400000

extern const struct weir_middleware mw_quota;

static uint64_t
spent(void)
{
	return shared_read("1.2.3.4", LIMITS_QUOTA);
}

static int
quota_setup(void **state)
{
	if (limits_setup(state) != 0)
		return -1;
	/* A day that does not end meanwhile. */
	clock_advance(DAY_MS - clock_wall_ms() % DAY_MS + 1);
	return 0;
}

/* Carries what goes, one way or the other, until the channel ends. */
static uint64_t
carry_to_the_end(enum weir_dir dir)
{
	int from = dir == WEIR_UP ? client : server;
	int to = dir == WEIR_UP ? server : client;
	uint64_t sent = 0, got = 0;
	unsigned before = rig_ends.n;
	int left = RIG_TURNS;

	while (left-- > 0 && rig_ends.n == before) {
		if (rig_channel(&rig)->reason == WEIR_R_NONE)
			sent += stream_pour(from, sent, 100000);
		rig_turn(&rig);
		got += stream_drink(to, got, (uint64_t)1 << 30);
		if (rig_channel(&rig) != NULL &&
			rig_channel(&rig)->reason != WEIR_R_NONE)
			break;
	}
	rig_quiet(&rig);
	got += stream_drink(to, got, (uint64_t)1 << 30);
	rig_close(&client);
	rig_close(&server);
	rig_until(&rig, rig_ends.n == before + 1);
	return got;
}

static void
test_not_one_byte_more(void **state)
{
	(void)state;
	limits_start("quota", "max = \"3M\";");
	assert_true(limits_open("1.2.3.4:1"));
	assert_true(carry_to_the_end(WEIR_UP) <= 3 << 20);
	assert_int_equal(rig_ends.reason, WEIR_R_LIMIT);
	assert_string_equal(rig_ends.facts.module, "quota");
	assert_string_equal(rig_ends.facts.detail, "its quota is used up");
	assert_int_equal(spent(), 3 << 20);
	assert_int_equal(limits_counted("refused"), 1);
	/* Nor may it come again, but others may. */
	assert_false(limits_lets_in("1.2.3.4:1"));
	assert_int_equal(rig_ends.reason, WEIR_R_LIMIT);
	assert_true(limits_lets_in("1.2.3.5:1"));
	clock_advance(DAY_MS);
	assert_true(limits_open("1.2.3.4:1"));
	carry_to_the_end(WEIR_DOWN);
	assert_int_equal(rig_ends.reason, WEIR_R_LIMIT);
	limits_stop();
}

/* All of it arrives that was allowed, when the other end reads. */
static void
test_all_that_is_allowed_arrives(void **state)
{
	(void)state;
	limits_start("quota", "max = \"1M\"; count = \"down\";");
	assert_true(limits_open("1.2.3.4:1"));
	pair_carry(client, server, 0, 2 << 20);
	pair_carry(server, client, 0, 1 << 20);
	assert_int_equal(spent(), 1 << 20);
	rig_say(server, "x");
	rig_hear_end(&rig, client);
	limits_stop();
}

static void
test_what_is_not_used_is_given_back(void **state)
{
	int i;

	(void)state;
	limits_start("quota", "max = \"64M\";");
	for (i = 1; i <= 3; i++) {
		assert_true(limits_open("1.2.3.4:1"));
		pair_carry(client, server, 0, 300000);
		pair_carry(server, client, 0, 100000);
		assert_true(spent() >= 400000u * (unsigned)i);
		limits_end();
		assert_int_equal(spent(), 400000 * i);
	}
	limits_stop();
}

/* The less is left, the less one keeps for itself. */
static void
test_the_rest_is_for_all(void **state)
{
	(void)state;
	limits_start("quota", "max = \"64M\";");
	assert_true(limits_open("1.2.3.4:1"));
	pair_carry(client, server, 0, 63 << 20);
	assert_in_range(spent(), 63 << 20, (63 << 20) + (1 << 19));
	limits_stop();
}

/* Nor does what was spent in a day that is over come back in the next. */
static void
test_the_day_ends_meanwhile(void **state)
{
	int near, far;

	(void)state;
	limits_start("quota", "max = \"64M\";");
	assert_true(limits_open("1.2.3.4:1"));
	pair_carry(client, server, 0, 300000);
	clock_advance(DAY_MS);
	assert_int_equal(spent(), 0);
	assert_true(limits_open_to("1.2.3.4:2", &near, &far));
	pair_carry(near, far, 0, 200000);
	limits_end();
	assert_true(spent() >= 200000);
	rig_close(&near);
	rig_close(&far);
	rig_until(&rig, rig_ends.n == 2);
	assert_int_equal(spent(), 200000);
	limits_stop();
}

/* A few words cost no more than they are long, but in a row. */
static void
test_who_says_little(void **state)
{
	int i;

	(void)state;
	limits_start("quota", "max = \"64M\";");
	assert_true(limits_open("1.2.3.4:1"));
	for (i = 0; i < 7; i++) {
		rig_say(client, "hello");
		rig_hear(&rig, server, "hello");
	}
	assert_in_range(spent(), 35, 70);
	for (i = 0; i < 2; i++) {
		clock_advance(1000);
		rig_say(client, "hello");
		rig_hear(&rig, server, "hello");
	}
	assert_in_range(spent(), 45, 70);
	limits_end();
	assert_int_equal(spent(), 45);
	limits_stop();
}

static void
test_bulk_is_spliced(void **state)
{
	(void)state;
	limits_start("quota", "max = \"1G\";");
	rig.server.splice = CONF_SPLICE_ON;
	assert_true(limits_open("1.2.3.4:1"));
	pair_carry(client, server, 0, 20 << 20);
	assert_true(rig.loop.spliced_bytes > 10 << 20);
	limits_end();
	assert_int_equal(spent(), 20 << 20);
	limits_stop();
}

static void
test_a_dry_run_ends_nothing(void **state)
{
	(void)state;
	limits_start("quota", "max = \"100k\"; dry_run = true;");
	assert_true(limits_open("1.2.3.4:1"));
	pair_carry(client, server, 0, 300000);
	limits_end();
	assert_int_equal(spent(), 300000);
	assert_true(limits_lets_in("1.2.3.4:1"));
	assert_int_equal(limits_counted("refused"), 0);
	assert_true(limits_counted("dry_run") > 1);
	assert_true(rig_logged(&rig, "dry run: its quota is used up"));
	limits_stop();
}

static int
spend_as_another(void)
{
	uint64_t got, left_ms;

	return weir_table_spend(&table, shared_key("1.2.3.4"), LIMITS_QUOTA,
		DAY_MS, 1000, 5000, &got, &left_ms);
}

static void
test_all_workers_spend(void **state)
{
	(void)state;
	shared_in_another(spend_as_another);
	limits_start("quota", "max = 1010;");
	assert_true(limits_open("1.2.3.4:1"));
	rig_say(client, "0123456789abc");
	rig_hear(&rig, server, "0123456789");
	rig_hear_end(&rig, client);
	limits_stop();
	/* More, from a reload on, finds what was spent. */
	limits_start("quota", "max = 1015;");
	assert_true(limits_open("1.2.3.4:1"));
	rig_say(client, "0123456789abc");
	rig_hear(&rig, server, "01234");
	rig_hear_end(&rig, client);
	limits_stop();
}

static void
test_f6_a_full_table(void **state)
{
	uint32_t n;
	int allow;

	(void)state;
	for (allow = 0; allow < 2; allow++) {
		options.full = allow ? WEIR_FULL_ALLOW : WEIR_FULL_REFUSE;
		options.size = 1;
		shared_anew();
		for (n = 0; n < 20000; n++)
			(void)weir_table_draw(&table, shared_number(&n),
				LIMITS_NEW, NULL, 0, NULL);
		limits_start("quota", "max = 1000;");
		assert_int_equal(limits_open("1.2.3.4:1"), allow);
		if (allow)
			pair_carry(client, server, 0, 5000);
		assert_true(limits_counted("unknown") > 0);
		limits_stop();
	}
}

/* What a table without room did not count is counted when there is some, and
 * nobody gets back what was not spent. */
static void
test_a_full_table_finds_room(void **state)
{
	uint32_t n;

	(void)state;
	options.full = WEIR_FULL_ALLOW;
	options.size = 1;
	shared_anew();
	for (n = 0; n < 20000; n++)
		(void)weir_table_draw(
			&table, shared_number(&n), LIMITS_NEW, NULL, 0, NULL);
	limits_start("quota", "max = \"64M\";");
	assert_true(limits_open("1.2.3.4:1"));
	pair_carry(client, server, 0, 300000);
	table_clear(&table);
	shared_in_another(spend_as_another);
	assert_int_equal(spent(), 1000);
	limits_end();
	assert_int_equal(spent(), 301000);
	limits_stop();
}

/* ---- every way to cut ---------------------------------------------------- */

static void
end_want(const char *text, size_t len, struct cut_seen *seen)
{
	(void)len;
	seen->up = text;
	seen->why = "done";
}

/* Each talk is somebody's own. */
static void
test_every_cut_comes_to_the_same(void **state)
{
	(void)state;
	each_cut_of(&(struct cut_talk){ .mw = &mw_quota,
			    .options = "max = 7; key = \"%{channel.id}\";",
			    .text = "hello" },
		&(struct cut_seen){ .up = "hello", .why = "done" });
	each_cut_of(&(struct cut_talk){ .mw = &mw_quota,
			    .options = "max = 5; key = \"%{channel.id}\";",
			    .text = "hello!" },
		&(struct cut_seen){ .up = "hello", .why = "limit" });
	each_end_of(&(struct cut_talk){ .mw = &mw_quota,
			    .options = "max = 7; key = \"%{channel.id}\";",
			    .text = "hello" },
		end_want);
}

static void
test_options_have_to_fit(void **state)
{
	(void)state;
	said_of("quota", "max = \"10G\"; period = \"1h\"; count = \"up\";", "");
	said_of("quota", "", "option \"max\" is missing");
	said_of("quota", "max = 0;", "out of range");
	said_of("quota", "max = 1; period = \"500ms\";", "out of range");
	said_of("quota", "max = 1; count = \"some\";", "\"both\"");
}

#define quota_test(f)                                                          \
	cmocka_unit_test_setup_teardown(f, quota_setup, limits_teardown)
#define quota_relay_tests(f) mode_tests(f, quota_setup, limits_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		quota_relay_tests(test_not_one_byte_more),
		quota_relay_tests(test_all_that_is_allowed_arrives),
		quota_relay_tests(test_what_is_not_used_is_given_back),
		quota_test(test_the_rest_is_for_all),
		quota_test(test_the_day_ends_meanwhile),
		quota_test(test_who_says_little),
		quota_test(test_bulk_is_spliced),
		quota_relay_tests(test_a_dry_run_ends_nothing),
		quota_test(test_all_workers_spend),
		quota_test(test_f6_a_full_table),
		quota_test(test_a_full_table_finds_room),
		cmocka_unit_test(test_every_cut_comes_to_the_same),
		quota_test(test_options_have_to_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
