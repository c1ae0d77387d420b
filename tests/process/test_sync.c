/* test_sync.c - weirs that share a table through a real Redis. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/daemon.h"
#include "lib/fleet.h"
#include "lib/http.h"
#include "lib/peer.h"
#include "lib/procs.h"
#include "lib/redis.h"

#define AHEAD_MS ((int64_t)40 * 86400000)

/* What weir.conf(5) wants for a user. */
#define ACL                                                                    \
	"+select +script|load +evalsha +time +get +set +pexpire +hget "        \
	"+hgetall +hset +hdel +zadd +zscore +zrangebyscore +zremrangebyscore"

/* ---- all is well --------------------------------------------------------- */

static void
test_channels_at_a_time(void **state)
{
	struct daemon *a = fleet_weir("a"), *b = fleet_weir("b");
	int fds[3];

	(void)state;
	fds[0] = daemon_join(a, "held");
	fds[1] = daemon_join(a, "held");
	fleet_until(b, "conns", 2);
	fds[2] = daemon_join(b, "held");
	fleet_until(a, "conns", 3);
	fleet_refused(a);
	fleet_refused(b);
	assert_int_equal(fleet_status(a, "machines"), 2);
	close(fds[0]);
	fleet_until(b, "conns", 2);
	fds[0] = daemon_join(b, "held");
	fleet_until(a, "conns", 3);
	fleet_refused(a);
	close(fds[0]);
	close(fds[1]);
	close(fds[2]);
	fleet_until(a, "conns", 0);
	fleet_until(b, "conns", 0);
	fleet_stop(a, b);
}

static void
test_totals_are_exact(void **state)
{
	struct daemon *a = fleet_weir("a"), *b = fleet_weir("b"), *c;

	(void)state;
	(void)fleet_count(a, 7);
	(void)fleet_count(b, 5);
	fleet_both_until(a, b, 12);
	(void)fleet_count(a, 3);
	fleet_both_until(a, b, 15);
	/* Who comes later knows as well. */
	c = fleet_weir("c");
	fleet_until(c, "quota", 20 * 15);
	(void)fleet_count(c, 1);
	fleet_both_until(a, b, 16);
	fleet_stop(a, b);
	daemon_stop(c);
}

/* All was said very long ago. */
#define AGE                                                                    \
	"EVAL \"for _, k in ipairs(redis.call('KEYS', '*:k:*')) do "           \
	"local h = redis.call('HGETALL', k) for i = 1, #h, 2 do "              \
	"redis.call('HSET', k, h[i], (string.gsub(h[i + 1], ';%d+$', ';1'))) " \
	"end end return 1\" 0"

/* A machine says at times what it has; else it has it no more. */
static void
test_what_was_not_said_again_counts_no_more(void **state)
{
	struct daemon *a = fleet_weir("a"), *b = fleet_weir("b");

	(void)state;
	(void)fleet_count(a, 3);
	(void)fleet_count(b, 2);
	fleet_both_until(a, b, 5);
	redis_ask(AGE, ":1");
	(void)fleet_count(b, 1);
	fleet_until(b, "quota", 20 * 3);
	(void)fleet_count(a, 1);
	fleet_both_until(a, b, 7);
	fleet_stop(a, b);
}

/* It counts for itself, and the others go on together. */
static void
test_a_machine_whose_clock_is_ahead(void **state)
{
	struct daemon *a = fleet_weir("a"), *b = fleet_weir("b"),
		      *c = fleet_weir("c");

	(void)state;
	daemon_clock_advance(a, AHEAD_MS);
	(void)fleet_count(a, 5);
	fleet_exchanged(a);
	(void)fleet_count(b, 1);
	(void)fleet_count(c, 2);
	fleet_until(b, "quota", 20 * 3);
	fleet_until(c, "quota", 20 * 3);
	fleet_stop(a, b);
	daemon_stop(c);
}

/* ---- processes of ours --------------------------------------------------- */

static void
test_a_keeper_is_killed_again_and_again(void **state)
{
	struct daemon *a = fleet_weir("a"), *b = fleet_weir("b");
	pid_t pid;
	int i;

	(void)state;
	daemon_expect_alert(a, "was killed by signal 9");
	for (i = 1; i <= 3; i++) {
		pid = fleet_keeper(a);
		(void)fleet_count(a, 2);
		(void)fleet_count(b, 2);
		assert_int_equal(kill(pid, SIGKILL), 0);
		(void)fleet_count(a, 1);
		daemon_wait_log(a, "shares the table with", DAEMON_MS);
		fleet_both_until(a, b, 5 * i);
	}
	fleet_stop(a, b);
}

/* For a while there are two keepers, of which one is to be heard. */
static void
test_reloads(void **state)
{
	struct daemon *a = fleet_weir("a"), *b = fleet_weir("b");
	int fd = daemon_join(a, "held"), i;

	(void)state;
	(void)fleet_count(b, 1);
	for (i = 1; i <= 3; i++) {
		(void)fleet_count(a, 1);
		assert_int_equal(daemon_say(a, "reload", ""), 0);
		(void)fleet_count(a, 1);
		fleet_both_until(a, b, 1 + 2 * i);
		assert_int_equal(http_value(b, FLEET_ROW, "columns.conns"), 1);
	}
	assert_int_equal(fleet_status(b, "machines"), 2);
	close(fd);
	fleet_until(b, "conns", 0);
	fleet_stop(a, b);
}

/* What it had is that of another machine, by then. */
static void
test_a_start_finds_what_was(void **state)
{
	struct daemon *a = fleet_weir("a"), *b = fleet_weir("b");

	(void)state;
	(void)fleet_count(a, 3);
	(void)fleet_count(b, 2);
	fleet_both_until(a, b, 5);
	fleet_dies(a);
	daemon_launch(a);
	fleet_until(a, "quota", 20 * 5);
	(void)fleet_count(a, 1);
	fleet_both_until(a, b, 6);
	fleet_stop(a, b);
}

static void
test_f4_a_machine_that_dies_holds_nothing(void **state)
{
	struct daemon *a = fleet_weir("a"), *b = fleet_weir("b");
	int fds[3], i;

	(void)state;
	for (i = 0; i < 3; i++)
		fds[i] = daemon_join(a, "held");
	fleet_until(b, "conns", 3);
	fleet_refused(b);
	fleet_dies(a);
	for (i = 0; i < 3; i++)
		close(fds[i]);
	fleet_until(b, "conns", 0);
	close(daemon_join(b, "held"));
	daemon_launch(a);
	fleet_stop(a, b);
}

/* What others have forgotten of it they hear again. */
static void
test_a_machine_that_was_away_holds_again(void **state)
{
	struct daemon *a = fleet_weir("a"), *b = fleet_weir("b");
	pid_t keeper = fleet_keeper(a);
	int fd = daemon_join(a, "held");

	(void)state;
	fleet_until(b, "conns", 1);
	assert_int_equal(kill(keeper, SIGSTOP), 0);
	fleet_until(b, "conns", 0);
	assert_int_equal(kill(keeper, SIGCONT), 0);
	fleet_until(b, "conns", 1);
	close(fd);
	fleet_until(b, "conns", 0);
	fleet_stop(a, b);
}

static void
test_passwords(void **state)
{
	char sync[160];
	struct daemon *d;
	struct http h;

	(void)state;
	redis_ask("CONFIG SET requirepass s@cret", "+OK");
	snprintf(sync, sizeof(sync), "redis+unix://%s", redis_path());
	d = fleet_weir_at(sync, "a");
	daemon_wait_log(d, "NOAUTH", DAEMON_MS);
	daemon_stop(d);
	snprintf(sync, sizeof(sync), "redis+unix://:wrong@%s", redis_path());
	d = fleet_weir_at(sync, "a");
	daemon_wait_log(
		d, "look at user and password of option \"sync\"", DAEMON_MS);
	h = http_ask(d, "GET /v1/config", NULL, 200);
	assert_null(strstr(h.text, "wrong"));
	http_done(&h);
	assert_true(fleet_count(d, 3) < FLEET_SLOW_MS);
	daemon_stop(d);
	snprintf(sync, sizeof(sync), "redis+unix://default:s%%40cret@%s",
		redis_path());
	d = fleet_weir_at(sync, "a");
	daemon_wait_log(d, "shares the table with", DAEMON_MS);
	assert_false(daemon_logged(d, "cret"));
	daemon_stop(d);
}

static void
test_a_user_with_few_rights(void **state)
{
	char sync[160];
	struct daemon *a, *b;

	(void)state;
	redis_ask(
		"ACL SETUSER few on >pw ~fleet:* +select +script|load", "+OK");
	snprintf(sync, sizeof(sync), "redis+unix://few:pw@%s", redis_path());
	a = fleet_weir_with(sync, "a", "sync_prefix = \"fleet\";");
	daemon_wait_log(a, "weir.conf(5) says what its user needs", DAEMON_MS);
	redis_ask("ACL SETUSER few " ACL, "+OK");
	daemon_wait_log(a, "shares the table with", DAEMON_MS);
	b = fleet_weir_with(sync, "b", "sync_prefix = \"fleet\";");
	(void)fleet_count(a, 1);
	(void)fleet_count(b, 1);
	fleet_both_until(a, b, 2);
	fleet_stop(a, b);
	a = fleet_weir_at(sync, "a");
	daemon_wait_log(a, "it says: ", DAEMON_MS);
	daemon_stop(a);
}

/* By prefix and by database. */
static void
test_fleets_share_nothing(void **state)
{
	char sync[160];
	struct daemon *a = fleet_weir("a"), *b, *c;

	(void)state;
	snprintf(sync, sizeof(sync), "redis+unix://%s", redis_path());
	b = fleet_weir_with(sync, "b", "sync_prefix = \"fleet\";");
	snprintf(sync, sizeof(sync), "redis+unix://%s?db=3", redis_path());
	c = fleet_weir_at(sync, "c");
	(void)fleet_count(a, 1);
	(void)fleet_count(b, 2);
	(void)fleet_count(c, 3);
	fleet_exchanged(a);
	fleet_exchanged(b);
	fleet_exchanged(c);
	fleet_exchanged(a);
	fleet_exchanged(b);
	assert_int_equal(fleet_status(a, "machines"), 1);
	assert_int_equal(http_value(a, FLEET_ROW, "columns.quota"), 20);
	assert_int_equal(http_value(b, FLEET_ROW, "columns.quota"), 40);
	assert_int_equal(http_value(c, FLEET_ROW, "columns.quota"), 60);
	daemon_stop(c);
	fleet_stop(a, b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		redis_test(test_channels_at_a_time),
		redis_test(test_totals_are_exact),
		redis_test(test_what_was_not_said_again_counts_no_more),
		redis_test(test_a_machine_whose_clock_is_ahead),
		redis_test(test_a_keeper_is_killed_again_and_again),
		redis_test(test_reloads),
		redis_test(test_a_start_finds_what_was),
		redis_test(test_f4_a_machine_that_dies_holds_nothing),
		redis_test(test_a_machine_that_was_away_holds_again),
		redis_test(test_passwords),
		redis_test(test_a_user_with_few_rights),
		redis_test(test_fleets_share_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
