/* test_limit_conn.c - so many channels of one key, in all workers, and each
 * counts until it ends, exactly once. */
#include <sys/socket.h>
#include <sys/wait.h>

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/clock.h"
#include "lib/alloc.h"
#include "lib/chance.h"
#include "lib/limits.h"
#include "lib/said.h"
#include "shm/owner.h"

#define MANY 20 /* channels at a time, at random */

static uint64_t
conns(const char *key)
{
	return shared_read(key, LIMITS_CONNS);
}

/* ---- one key ------------------------------------------------------------- */

static void
test_no_more_than_the_limit(void **state)
{
	int near[3], far[3];

	(void)state;
	limits_start("limit_conn", "max = 2;");
	assert_true(limits_open_to("1.2.3.4:1", &near[0], &far[0]));
	assert_true(limits_open_to("1.2.3.4:2", &near[1], &far[1]));
	assert_int_equal(conns("1.2.3.4"), 2);
	assert_false(limits_open_to("1.2.3.4:3", &near[2], &far[2]));
	assert_int_equal(rig_ends.reason, WEIR_R_LIMIT);
	assert_string_equal(rig_ends.facts.module, "limit_conn");
	assert_string_equal(
		rig_ends.facts.detail, "it has as many channels as it may");
	assert_int_equal(limits_counted("refused"), 1);
	assert_int_equal(conns("1.2.3.4"), 2);
	/* Others have their own. */
	assert_true(limits_lets_in("1.2.3.5:1"));
	rig_close(&near[0]);
	rig_close(&far[0]);
	rig_quiet(&rig);
	assert_int_equal(conns("1.2.3.4"), 1);
	assert_true(limits_lets_in("1.2.3.4:4"));
	rig_close(&near[1]);
	rig_close(&far[1]);
	limits_stop();
	assert_int_equal(conns("1.2.3.4"), 0);
}

static void
test_who_was_refused_held_nothing(void **state)
{
	int i;

	(void)state;
	limits_start("limit_conn", "max = 1;");
	assert_true(limits_open("1.2.3.4:1"));
	for (i = 0; i < 5; i++)
		assert_false(limits_lets_in("1.2.3.4:2"));
	assert_int_equal(conns("1.2.3.4"), 1);
	limits_end();
	assert_int_equal(conns("1.2.3.4"), 0);
	limits_stop();
}

/* What a refused one sees; the rest of it is acl's test. */
static void
test_manners(void **state)
{
	static const char *const words[] = { "close", "reset", "silent" };
	char text[64];
	size_t i;

	(void)state;
	for (i = 0; i < 3; i++) {
		int near, far;

		snprintf(text, sizeof(text), "max = 1; refuse = \"%s\";",
			words[i]);
		limits_start("limit_conn", text);
		assert_true(limits_open_to("127.0.0.1:1", &near, &far));
		client = rig_client(&rig);
		if (i == 0)
			rig_hear_end(&rig, client);
		else /* the silent one is only lost on longer ways */
			rig_hear_reset(&rig, client);
		rig_close(&near);
		rig_close(&far);
		limits_stop();
	}
}

static void
test_a_dry_run_refuses_nobody(void **state)
{
	int near[3], far[3], i;

	(void)state;
	limits_start("limit_conn", "max = 1; dry_run = true;");
	for (i = 0; i < 3; i++)
		assert_true(limits_open_to("1.2.3.4:1", &near[i], &far[i]));
	assert_int_equal(limits_counted("refused"), 0);
	assert_int_equal(limits_counted("dry_run"), 2);
	assert_int_equal(conns("1.2.3.4"), 3);
	assert_true(rig_logged(
		&rig, "#2: dry run: it has as many channels as it may"));
	assert_false(rig_logged(&rig, "#3: dry run"));
	/* A line a second. */
	clock_advance(1000);
	assert_true(limits_lets_in("1.2.3.4:9"));
	assert_true(rig_logged(&rig, "#4: dry run"));
	for (i = 0; i < 3; i++) {
		rig_close(&near[i]);
		rig_close(&far[i]);
	}
	limits_stop();
}

/* ---- keys ---------------------------------------------------------------- */

static const struct {
	const char *options, *peer, *key;
} keys[] = {
	{ "", "1.2.3.4:5", "1.2.3.4" },
	{ "", "[::ffff:1.2.3.4]:5", "1.2.3.4" },
	{ "prefix4 = 24;", "1.2.3.4:5", "1.2.3.0/24" },
	{ "prefix4 = 9;", "10.255.3.4:5", "10.128.0.0/9" },
	{ "prefix4 = 0;", "1.2.3.4:5", "0.0.0.0/0" },
	{ "", "[1:2:3:4:5:6:7:8]:5", "1:2:3:4::/64" },
	{ "prefix6 = 128;", "[1:2:3:4:5:6:7:8]:5", "1:2:3:4:5:6:7:8" },
	{ "prefix6 = 35;", "[1:2:ffff:4::]:5", "1:2:e000::/35" },
	{ "", "unix:/a", "unix" },
	{ "key = \"%{server.name} %{client.port}\";", "1.2.3.4:5", "rig 5" },
	{ "key = \"%{client.ip}\";", "1.2.3.4:5", "1.2.3.4" },
	{ "key = \"0123456789012345678901234567890123456789012345678901\";",
		"1.2.3.4:5",
		"0123456789012345678901234567890123456789012345678901" },
};

static void
test_keys(void **state)
{
	char text[256];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		snprintf(text, sizeof(text), "max = 1; %s", keys[i].options);
		limits_start("limit_conn", text);
		assert_true(limits_open(keys[i].peer));
		if (conns(keys[i].key) != 1)
			fail_msg("%s: nothing is counted by %s", keys[i].peer,
				keys[i].key);
		assert_false(limits_lets_in(keys[i].peer));
		limits_stop();
		assert_int_equal(conns(keys[i].key), 0);
	}
}

/* ---- a table that cannot say --------------------------------------------- */

static void
fill_table(enum weir_full full)
{
	uint32_t n;

	options.full = full;
	options.size = 1;
	shared_anew();
	/* All of its parts. */
	for (n = 0; n < 20000; n++)
		(void)weir_table_hold(
			&table, shared_number(&n), LIMITS_CONNS, 1, 1, NULL);
	assert_int_equal(errno, ENOSPC);
}

static bool
row_release_it(void *arg, const struct row *row)
{
	(void)arg;
	row_release(&table.shape, (struct row *)(uintptr_t)row, LIMITS_CONNS,
		table.me, 1);
	return true;
}

static void
test_f6_a_full_table(void **state)
{
	static const struct {
		enum weir_full full;
		bool in;
		const char *said;
	} t[] = {
		{ WEIR_FULL_REFUSE, false,
			"is full: whom it does not know, "
			"it refuses" },
		{ WEIR_FULL_EVICT, false,
			"is full: whom it does not know, it "
			"refuses" },
		{ WEIR_FULL_ALLOW, true,
			"is full: whom it does not know, it "
			"lets pass" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < 3; i++) {
		fill_table(t[i].full);
		limits_start("limit_conn", "max = 1;");
		assert_int_equal(limits_lets_in("1.2.3.4:1"), t[i].in);
		assert_int_equal(limits_counted("unknown"), 1);
		assert_int_equal(limits_counted("refused"), !t[i].in);
		assert_true(rig_logged(&rig, t[i].said));
		limits_stop();
		table_walk(&table, row_release_it, NULL);
		limits_start("limit_conn", "max = 1;");
		/* What nobody needs any more may go. */
		assert_int_equal(limits_lets_in("1.2.3.4:1"), i > 0);
		limits_stop();
	}
}

static void
test_a_key_that_is_too_long(void **state)
{
	(void)state;
	options.key_most = 4;
	shared_anew();
	limits_start("limit_conn", "max = 1;");
	assert_false(limits_lets_in("1.2.3.4:1"));
	assert_true(rig_logged(&rig, "has no room for so long a key"));
	limits_stop();
}

/* ---- several processes --------------------------------------------------- */

static int
hold_as_another(void)
{
	return weir_table_hold(
		&table, shared_key("1.2.3.4"), LIMITS_CONNS, 1, 1, NULL);
}

/* A worker that is killed holds nothing any more, once the master knows. */
static void
test_f4_a_worker_is_killed(void **state)
{
	uint64_t id;
	int i;

	(void)state;
	limits_start("limit_conn", "max = 1;");
	for (i = 0; i < 20; i++) {
		id = shared_in_another(hold_as_another);
		assert_false(limits_lets_in("1.2.3.4:1"));
		owner_end(shm_owners(&shm), id);
		assert_true(limits_lets_in("1.2.3.4:1"));
		assert_int_equal(conns("1.2.3.4"), 0);
	}
	limits_stop();
}

/* Other limits find the same count: that is what a reload is. */
static void
test_another_limit_finds_the_count(void **state)
{
	int near[2], far[2];

	(void)state;
	assert_int_equal(hold_as_another(), 0);
	limits_start("limit_conn", "max = 1;");
	assert_false(limits_lets_in("1.2.3.4:1"));
	limits_stop();
	limits_start("limit_conn", "max = 3;");
	assert_true(limits_open_to("1.2.3.4:1", &near[0], &far[0]));
	assert_true(limits_open_to("1.2.3.4:1", &near[1], &far[1]));
	assert_false(limits_lets_in("1.2.3.4:1"));
	rig_close(&near[0]);
	rig_close(&near[1]);
	rig_close(&far[0]);
	rig_close(&far[1]);
	limits_stop();
	assert_int_equal(conns("1.2.3.4"), 1);
	assert_int_equal(weir_table_release(&table, shared_key("1.2.3.4"),
				 LIMITS_CONNS, 1),
		0);
}

/* ---- ends of all kinds --------------------------------------------------- */

/* One that seems to come from one of a few addresses, and what it does next. */
static void
random_step(int *near)
{
	struct weir_addr a = { .len = sizeof(a.in) };
	int two[2];

	if (*near == -1) {
		a.in.sin_family = AF_INET;
		a.in.sin_addr.s_addr = htonl(0x01020300 + chance(3));
		assert_int_equal(
			socketpair(AF_UNIX,
				SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0,
				two),
			0);
		*near = two[1];
		rig.opened++;
		engine_accept(&rig.engine, two[0], &a, 0);
	} else if (chance(3) == 0) {
		send(*near, "x", 1, MSG_NOSIGNAL);
	} else if (chance(3) == 0) {
		shutdown(*near, SHUT_WR);
	} else {
		rig_close(near);
	}
}

static void
test_f5_ends_of_all_kinds(void **state)
{
	int near[MANY], far, i, round;
	uint64_t sum, most = 0;

	(void)state;
	chance_start("SEED");
	limits_start("limit_conn", "max = 4;");
	rig.server.connect_timeout_ms = rig.server.idle_timeout_ms = 5000;
	rig.server.half_close_timeout_ms = 1000;
	for (i = 0; i < MANY; i++)
		near[i] = -1;
	for (round = 0; round < 4000; round++) {
		random_step(&near[chance(MANY)]);
		if (chance(4) == 0)
			rig_turn(&rig);
		if (chance(50) == 0)
			rig_advance(&rig, chance(8000));
		while (chance(3) != 0 && (far = accept4(listener, NULL, NULL,
						  SOCK_CLOEXEC)) != -1)
			close(far);
		for (sum = 0, i = 0; i < 3; i++) {
			char key[] = "1.2.3.0";
			uint64_t n;

			key[6] = (char)('0' + i);
			n = conns(key);
			sum += n == UINT64_MAX ? 0 : n;
			assert_true(n == UINT64_MAX || n <= 4);
		}
		assert_true(sum <= rig.loop.channels);
		most = sum > most ? sum : most;
	}
	assert_in_range(most, 9, 12);
	for (i = 0; i < MANY; i++)
		rig_close(&near[i]);
	limits_stop();
}

static void
test_without_memory_nothing_stays_held(void **state)
{
	unsigned nth = 0;
	bool failed;

	(void)state;
	limits_start("limit_conn",
		"max = 1; key = \"a key of more than fifty bytes, so that it "
		"takes memory of its own\";");
	options.key_most = WEIR_KEY_MOST;
	do {
		unsigned opened = rig.opened;
		int near = -1, two[2];
		struct weir_addr a = { .len = sizeof(sa_family_t),
			.sa.sa_family = AF_UNIX };

		assert_int_equal(
			socketpair(AF_UNIX,
				SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0,
				two),
			0);
		near = two[1];
		alloc_fail_at(++nth);
		engine_accept(&rig.engine, two[0], &a, 0);
		rig.opened = opened + (rig.loop.channels > 0);
		rig_quiet(&rig);
		failed = alloc_failed();
		rig_close(&near);
		rig_quiet(&rig);
		rig_until(&rig, rig_ends.n == rig.opened);
		while ((near = accept4(listener, NULL, NULL, SOCK_CLOEXEC)) !=
			-1)
			close(near);
	} while (failed);
	assert_true(nth > 2);
	limits_stop();
}

/* ---- options ------------------------------------------------------------- */

static void
test_options_have_to_fit(void **state)
{
	(void)state;
	said_of("limit_conn", "max = 10; prefix4 = 24; prefix6 = 56;", "");
	said_of("limit_conn", "", "option \"max\" is missing");
	said_of("limit_conn", "max = 0;", "out of range");
	said_of("limit_conn", "max = 1; prefix4 = 33;", "out of range");
	said_of("limit_conn", "max = 1; prefix6 = 129;", "out of range");
	said_of("limit_conn", "max = 1; refuse = \"rudely\";", "rudely");
	said_of("limit_conn", "max = 1; key = \"%{client.adr}\";",
		"client.adr");
}

static void
start_fails(const char *text, const struct services *services, const char *said)
{
	struct entry e;

	entry_load(&e, "limit_conn", text, NULL);
	rig_init(&rig);
	rig.services = services;
	rig_add(&rig, e.stage->mw, e.stage->conf);
	rig_starts_not(&rig, said);
	entry_free(&e);
}

static void
test_a_table_that_is_not_there(void **state)
{
	(void)state;
	said_of("limit_conn", "max = 1; table = \"other\";",
		"option \"table\" = \"other\": there is no extension of that "
		"name");
	/* Or that is optional, and could not start. */
	start_fails("max = 1;", NULL,
		"rig/limit_conn: option \"table\" = \"table\": there is no "
		"table of that name in extensions");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		limits_test(test_no_more_than_the_limit),
		limits_test(test_who_was_refused_held_nothing),
		limits_test(test_manners),
		limits_test(test_a_dry_run_refuses_nobody),
		limits_test(test_keys),
		limits_test(test_f6_a_full_table),
		limits_test(test_a_key_that_is_too_long),
		limits_test(test_f4_a_worker_is_killed),
		limits_test(test_another_limit_finds_the_count),
		limits_test(test_f5_ends_of_all_kinds),
		limits_test(test_without_memory_nothing_stays_held),
		limits_test(test_options_have_to_fit),
		limits_test(test_a_table_that_is_not_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
