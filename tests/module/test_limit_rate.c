/* test_limit_rate.c - so many bytes a second, evenly, each way, of a channel or
 * of all of one key. */
#include <sys/socket.h>

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "base/clock.h"
#include "lib/cut.h"
#include "lib/limits.h"
#include "lib/said.h"
#include "lib/stream.h"

#define MANY 10 /* who share a rate */

extern const struct weir_middleware mw_limit_rate;

/* A stream from one end to the other. */
struct carry {
	int from, to;
	uint64_t sent, got;
};

static void
carry_move(struct carry *c)
{
	c->sent += stream_pour(c->from, c->sent, (uint64_t)1 << 20);
	c->got += stream_drink(c->to, c->got, (uint64_t)1 << 30);
}

/* Moves as much as goes until ms have passed on the clock, in steps; how many
 * have, as the test itself takes time. */
static uint64_t
carry_for(struct carry *c, size_t n, uint64_t ms, uint64_t step_ms)
{
	uint64_t begun_ms = clock_ms();
	size_t i;
	int k;

	while (clock_ms() - begun_ms < ms) {
		for (k = 0; k < 4; k++) {
			for (i = 0; i < n; i++)
				carry_move(&c[i]);
			rig_turn(&rig);
		}
		rig_advance(&rig, step_ms);
	}
	ms = clock_ms() - begun_ms;
	rig_quiet(&rig);
	for (i = 0; i < n; i++)
		carry_move(&c[i]);
	return ms;
}

/* Bytes at a rate in so long, within so many parts of a hundred. */
static void
assert_rate(uint64_t got, uint64_t rate, uint64_t ms, unsigned percent)
{
	uint64_t want = rate * ms / 1000;

	if (got * 100 < want * (100 - percent) ||
		got * 100 > want * (100 + percent))
		fail_msg("%llu, wanted %llu", (unsigned long long)got,
			(unsigned long long)want);
}

/* ---- one channel --------------------------------------------------------- */

static void
test_the_rate_up(void **state)
{
	struct carry c;
	uint64_t ms;

	(void)state;
	limits_start("limit_rate", "up = \"1M\";");
	assert_true(limits_open("1.2.3.4:1"));
	c = (struct carry){ .from = client, .to = server };
	ms = carry_for(&c, 1, 2000, 10);
	assert_rate(c.got, 1 << 20, ms, 5);
	ms += carry_for(&c, 1, 3000, 10);
	assert_rate(c.got, 1 << 20, ms, 3);
	assert_true(limits_counted("paused") > 20);
	/* The other direction is nobody's business. */
	assert_int_equal(flow_interest(pair_flow(WEIR_DOWN)), 1);
	rig_say(server, "x");
	rig_hear(&rig, client, "x");
	assert_int_equal(flow_interest(pair_flow(WEIR_DOWN)), 0);
	limits_stop();
}

static void
test_the_rate_down(void **state)
{
	struct carry c;
	uint64_t ms;

	(void)state;
	limits_start("limit_rate", "down = \"100k\";");
	assert_true(limits_open("1.2.3.4:1"));
	c = (struct carry){ .from = server, .to = client };
	ms = carry_for(&c, 1, 2000, 10);
	assert_rate(c.got, 100 << 10, ms, 5);
	limits_stop();
}

static void
test_both_at_once(void **state)
{
	struct carry c[2];
	uint64_t ms;

	(void)state;
	limits_start("limit_rate", "up = \"200k\"; down = \"3M\";");
	assert_true(limits_open("1.2.3.4:1"));
	c[0] = (struct carry){ .from = client, .to = server };
	c[1] = (struct carry){ .from = server, .to = client };
	ms = carry_for(c, 2, 2000, 10);
	assert_rate(c[0].got, 200 << 10, ms, 5);
	assert_rate(c[1].got, 3 << 20, ms, 5);
	limits_stop();
}

/* No tenth of a second has much more than its part. */
static void
test_it_is_smooth(void **state)
{
	struct carry c;
	uint64_t before, ms;
	int i;

	(void)state;
	limits_start("limit_rate", "up = \"1M\";");
	assert_true(limits_open("1.2.3.4:1"));
	c = (struct carry){ .from = client, .to = server };
	carry_for(&c, 1, 1000, 5);
	for (i = 0; i < 20; i++) {
		before = c.got;
		ms = carry_for(&c, 1, 100, 5);
		assert_in_range(c.got - before, 50000,
			160000 + (ms - 100) * (1 << 20) / 1000);
	}
	limits_stop();
}

/* Timers that come late are made up for. */
static void
test_late_timers(void **state)
{
	struct carry c;
	uint64_t ms;

	(void)state;
	limits_start("limit_rate", "up = \"1M\";");
	assert_true(limits_open("1.2.3.4:1"));
	c = (struct carry){ .from = client, .to = server };
	ms = carry_for(&c, 1, 2000, 30);
	assert_rate(c.got, 1 << 20, ms, 5);
	limits_stop();
}

static void
test_bursts(void **state)
{
	struct carry c;
	uint64_t ms;

	(void)state;
	limits_start("limit_rate", "up = \"100k\"; burst = \"1M\";");
	assert_true(limits_open("1.2.3.4:1"));
	c = (struct carry){ .from = client, .to = server };
	ms = carry_for(&c, 1, 2000, 10);
	assert_in_range(c.got, 1200 << 10, (1044 << 10) + 103 * ms);
	limits_stop();
}

/* Bulk goes past us, as far as budgets go. */
static void
test_bulk_is_spliced(void **state)
{
	struct carry c;

	(void)state;
	limits_start("limit_rate", "up = \"100M\";");
	rig.server.splice = CONF_SPLICE_ON;
	assert_true(limits_open("1.2.3.4:1"));
	c = (struct carry){ .from = client, .to = server };
	carry_for(&c, 1, 500, 5);
	assert_true(c.got > 10 << 20);
	assert_true(rig.loop.spliced_bytes > c.got / 2);
	limits_stop();
}

/* ---- ends ---------------------------------------------------------------- */

static void
test_the_end_comes_behind_all(void **state)
{
	struct carry c;
	char end;

	(void)state;
	limits_start("limit_rate", "up = \"100k\"; down = \"100k\";");
	assert_true(limits_open("1.2.3.4:1"));
	c = (struct carry){ .from = client, .to = server };
	c.sent = stream_pour(client, 0, 60000);
	assert_int_equal(c.sent, 60000);
	assert_int_equal(shutdown(client, SHUT_WR), 0);
	while (c.got < c.sent) {
		rig_quiet(&rig);
		c.got += stream_drink(server, c.got, 60000 - c.got);
		rig_advance(&rig, 10);
	}
	rig_hear_end(&rig, server);
	/* The other way lives on. */
	rig_say(server, "x");
	rig_hear(&rig, client, "x");
	assert_int_equal(shutdown(server, SHUT_WR), 0);
	rig_hear_end(&rig, client);
	assert_int_equal(rig_read(server, &end, 1), 0);
	rig_until(&rig, rig_ends.n == 1);
	assert_int_equal(rig_ends.reason, WEIR_R_DONE);
	limits_stop();
}

static void
test_a_reset_while_paced(void **state)
{
	struct carry c;
	uint64_t n = 50000, wait_ms;

	(void)state;
	limits_start("limit_rate", "up = \"100k\"; table = \"table\";");
	client = rig_client(&rig);
	server = rig_take(&rig, listener);
	rig_until(&rig, rig_channel(&rig)->state == CHANNEL_JOINED);
	c = (struct carry){ .from = client, .to = server };
	carry_for(&c, 1, 100, 10);
	rig_reset(&client);
	rig_until(&rig, rig_ends.n == 1);
	assert_int_equal(rig_ends.reason, WEIR_R_RESET);
	/* What it had booked, it has given back. */
	assert_int_equal(
		weir_table_book(&table, shared_key("127.0.0.1"), LIMITS_UP,
			&(struct weir_bucket){ 100 << 10, 1000, 5120 }, &n,
			&wait_ms),
		0);
	assert_in_range(wait_ms, 0, 50);
	limits_stop();
}

/* ---- all of a key -------------------------------------------------------- */

static void
test_all_of_a_key_share(void **state)
{
	struct carry c[MANY], other;
	uint64_t all = 0, before[MANY], ms;
	char peer[32];
	size_t i;

	(void)state;
	limits_start("limit_rate", "up = \"1M\"; table = \"table\";");
	for (i = 0; i < MANY; i++) {
		c[i] = (struct carry){ .from = -1 };
		snprintf(peer, sizeof(peer), "1.2.3.4:%zu", i + 1);
		assert_true(limits_open_to(peer, &c[i].from, &c[i].to));
	}
	carry_for(c, MANY, 2000, 5);
	for (i = 0; i < MANY; i++)
		before[i] = c[i].got;
	ms = carry_for(c, MANY, 2000, 5);
	for (i = 0; i < MANY; i++) {
		all += c[i].got - before[i];
	}
	for (i = 0; i < MANY; i++)
		assert_rate(c[i].got - before[i], (1 << 20) / MANY, ms, 25);
	assert_rate(all, 1 << 20, ms, 5);
	/* Somebody else has all that is his. */
	assert_true(limits_open_to("1.2.3.5:1", &client, &server));
	other = (struct carry){ .from = client, .to = server };
	ms = carry_for(&other, 1, 2000, 10);
	assert_rate(other.got, 1 << 20, ms, 5);
	for (i = 0; i < MANY; i++) {
		rig_close(&c[i].from);
		rig_close(&c[i].to);
	}
	limits_stop();
}

/* Who says little is not kept waiting for what he does not say, and keeps
 * nothing from those who say much. */
static void
test_who_says_little(void **state)
{
	uint64_t ms = 0;
	struct carry c;
	int near, far, i;

	(void)state;
	limits_start("limit_rate", "up = \"1M\"; table = \"table\";");
	assert_true(limits_open("1.2.3.4:1"));
	assert_true(limits_open_to("1.2.3.4:2", &near, &far));
	c = (struct carry){ .from = client, .to = server };
	for (i = 0; i < 10; i++) {
		rig_say(near, "x");
		ms += carry_for(&c, 1, 200, 10);
		rig_hear(&rig, far, "x");
	}
	assert_rate(c.got, 1 << 20, ms, 5);
	rig_close(&near);
	rig_close(&far);
	limits_stop();
}

/* Nor do many who say little, one after the other. */
static void
test_many_who_say_little(void **state)
{
	int i;

	(void)state;
	limits_start("limit_rate", "up = \"1M\"; table = \"table\";");
	for (i = 0; i < 50; i++) {
		assert_true(limits_open("1.2.3.4:1"));
		rig_say(client, "x");
		rig_hear(&rig, server, "x");
		limits_end();
	}
	assert_true(shared_read("1.2.3.4", LIMITS_UP) >= (1 << 20) / 20 - 100);
	limits_stop();
}

static int
book_as_another(void)
{
	static const struct weir_bucket b = { 100 << 10, 1000, 5120 };
	uint64_t n = UINT64_MAX, wait_ms;

	return weir_table_book(&table, shared_key("1.2.3.4"), LIMITS_UP, &b, &n,
		       &wait_ms) == 0 &&
			       n == 5120
		       ? 0
		       : -1;
}

static void
test_all_workers_share(void **state)
{
	struct carry c;

	(void)state;
	limits_start("limit_rate", "up = \"100k\"; table = \"table\";");
	assert_true(limits_open("1.2.3.4:1"));
	(void)shared_in_another(book_as_another);
	c = (struct carry){ .from = client, .to = server };
	carry_for(&c, 1, 10, 10);
	assert_int_equal(c.got, 0);
	carry_for(&c, 1, 100, 10);
	assert_in_range(c.got, 1, 11000);
	limits_stop();
}

static void
test_a_dry_run_paces_nobody(void **state)
{
	static const char *const texts[] = { "up = \"10k\"; dry_run = true;",
		"up = \"10k\"; dry_run = true; table = \"table\";" };
	size_t i;

	(void)state;
	for (i = 0; i < 2; i++) {
		limits_start("limit_rate", texts[i]);
		assert_true(limits_open("1.2.3.4:1"));
		pair_carry(client, server, 0, 500000);
		assert_int_equal(limits_counted("paused"), 0);
		assert_true(limits_counted("dry_run") > 0);
		assert_true(rig_logged(
			&rig, "dry run: it sends faster than it may"));
		limits_stop();
	}
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
		limits_start("limit_rate", "up = \"100k\"; table = \"table\";");
		assert_true(limits_open("1.2.3.4:1"));
		rig_say(client, "x");
		if (allow) {
			rig_hear(&rig, server, "x");
		} else {
			rig_until(&rig, rig_channel(&rig) == NULL ||
						rig_channel(&rig)->reason !=
							WEIR_R_NONE);
			rig_close(&client);
			rig_until(&rig, rig_ends.n == 1);
			assert_int_equal(rig_ends.reason, WEIR_R_LIMIT);
			assert_string_equal(
				rig_ends.facts.detail, "its table cannot say");
		}
		limits_stop();
	}
}

/* ---- every way to cut ---------------------------------------------------- */

static void
end_want(const char *text, size_t len, struct cut_seen *seen)
{
	(void)len;
	seen->up = text;
	seen->why = "done";
}

static void
test_every_cut_comes_to_the_same(void **state)
{
	(void)state;
	each_cut_of(&(struct cut_talk){ .mw = &mw_limit_rate,
			    .options = "up = 1000; burst = 2;",
			    .text = "hello" },
		&(struct cut_seen){ .up = "hello", .why = "done" });
	each_cut_of(&(struct cut_talk){ .mw = &mw_limit_rate,
			    .options = "down = 1000; burst = 1;",
			    .dir = WEIR_DOWN,
			    .ask = "what?",
			    .text = "this" },
		&(struct cut_seen){
			.up = "what?", .down = "this", .why = "done" });
	each_end_of(&(struct cut_talk){ .mw = &mw_limit_rate,
			    .options = "up = 1000; burst = 2;",
			    .text = "hello" },
		end_want);
}

static void
test_options_have_to_fit(void **state)
{
	(void)state;
	said_of("limit_rate", "up = \"1M\"; down = \"off\";", "");
	said_of("limit_rate", "up = \"1M\"; table = \"table\"; key = \"x\";",
		"");
	said_of("limit_rate", "", "else it limits nothing");
	said_of("limit_rate", "up = 99;", "out of range");
	said_of("limit_rate", "up = \"1M\"; key = \"x\";",
		"\"key\" wants a \"table\" too");
	said_of("limit_rate", "up = \"1M\"; table = \"other\";",
		"there is no extension of that name");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		limits_relay_tests(test_the_rate_up),
		limits_relay_tests(test_the_rate_down),
		limits_relay_tests(test_both_at_once),
		limits_test(test_it_is_smooth),
		limits_test(test_late_timers),
		limits_test(test_bursts),
		limits_test(test_bulk_is_spliced),
		limits_relay_tests(test_the_end_comes_behind_all),
		limits_relay_tests(test_a_reset_while_paced),
		limits_test(test_all_of_a_key_share),
		limits_test(test_who_says_little),
		limits_test(test_many_who_say_little),
		limits_test(test_all_workers_share),
		limits_relay_tests(test_a_dry_run_paces_nobody),
		limits_test(test_f6_a_full_table),
		cmocka_unit_test(test_every_cut_comes_to_the_same),
		limits_test(test_options_have_to_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
