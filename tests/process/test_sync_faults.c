/* test_sync_faults.c - weirs that share a table, and what becomes of them when
 * their Redis fails, or is none. */
#include <sys/socket.h>

#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/daemon.h"
#include "lib/fleet.h"
#include "lib/http.h"
#include "lib/peer.h"
#include "lib/procs.h"
#include "lib/redis.h"
#include "lib/relay.h"
#include "lib/reload.h"
#include "lib/text.h"

/* ---- Redis fails --------------------------------------------------------- */

static void
test_redis_is_killed_and_comes_back_empty(void **state)
{
	struct daemon *a = fleet_weir("a"), *b = fleet_weir("b");
	int64_t before, without;
	int fd;

	(void)state;
	fd = daemon_join(a, "held");
	fleet_until(b, "conns", 1);
	before = fleet_count(a, 20);
	fleet_until(b, "quota", 20 * 20);
	redis_kill();
	daemon_wait_log(a, "until it works again, limits go by what is known",
		DAEMON_MS);
	without = fleet_count(a, 20) + fleet_count(b, 5);
	print_message("# slowest channel: %d ms with, %d ms without Redis\n",
		(int)before, (int)without);
	assert_true(without < FLEET_SLOW_MS);
	/* What others hold is forgotten, what they have counted is not. */
	fleet_until(b, "conns", 0);
	fleet_until(b, "quota", 20 * 25);
	assert_int_equal(fleet_status(b, "machines"), 0);
	redis_start();
	daemon_wait_log(a, "shares the table with", DAEMON_MS);
	fleet_both_until(a, b, 45);
	fleet_until(b, "conns", 1);
	close(fd);
	fleet_until(b, "conns", 0);
	fleet_stop(a, b);
}

/* Nobody can say any more that it holds nothing. */
static void
test_redis_and_a_machine_are_lost(void **state)
{
	struct daemon *a = fleet_weir("a"), *b = fleet_weir("b");
	int fd = daemon_join(a, "held");

	(void)state;
	fleet_until(b, "conns", 1);
	redis_kill();
	fleet_dies(a);
	close(fd);
	redis_start();
	daemon_wait_log(b, "has lost what it had", DAEMON_MS);
	daemon_wait_log(b, "shares the table with", DAEMON_MS);
	/* At first it is as it was: others may not have said theirs again. */
	fleet_until(b, "conns", 1);
	fleet_until(b, "conns", 0);
	daemon_launch(a);
	fleet_stop(a, b);
}

static void
test_redis_hangs(void **state)
{
	struct daemon *a = fleet_weir("a"), *b = fleet_weir("b");
	int64_t begun;

	(void)state;
	(void)fleet_count(a, 2);
	(void)fleet_count(b, 1);
	fleet_both_until(a, b, 3);
	redis_signal(SIGSTOP);
	assert_true(fleet_count(a, 5) < FLEET_SLOW_MS);
	begun = procs_now();
	(void)fleet_status(a, "waiting");
	assert_true(procs_now() - begun < FLEET_SLOW_MS);
	daemon_wait_log(a, "it has not answered for", DAEMON_MS);
	assert_true(fleet_count(b, 5) < FLEET_SLOW_MS);
	redis_signal(SIGCONT);
	daemon_wait_log(a, "shares the table with", DAEMON_MS);
	fleet_both_until(a, b, 13);
	fleet_stop(a, b);
}

static void
test_redis_refuses(void **state)
{
	struct daemon *a = fleet_weir("a"), *b = fleet_weir("b");

	(void)state;
	redis_ask("CONFIG SET maxmemory 1", "+OK");
	(void)fleet_count(a, 2);
	(void)fleet_count(b, 1);
	daemon_wait_log(a, "it says: OOM", DAEMON_MS);
	redis_ask("CONFIG SET maxmemory 0", "+OK");
	fleet_both_until(a, b, 3);
	redis_ask("REPLICAOF 127.0.0.1 1", "+OK");
	(void)fleet_count(a, 3);
	daemon_wait_log(a, "it says: READONLY", DAEMON_MS);
	redis_ask("REPLICAOF NO ONE", "+OK");
	fleet_both_until(a, b, 6);
	redis_ask("SCRIPT FLUSH", "+OK");
	redis_ask("FLUSHALL", "+OK");
	(void)fleet_count(b, 3);
	fleet_both_until(a, b, 9);
	fleet_stop(a, b);
}

/* ---- reloads that fail ----------------------------------------------------
 */

/* Those who were prepared have not been heard. */
static void
test_reloads_that_fail_are_not_heard(void **state)
{
	struct daemon *a;
	unsigned i;

	(void)state;
	relay_use_trial();
	/* A keeper that is killed while it looks for leaks has a child. */
	setenv("ASAN_OPTIONS", "detect_leaks=0:abort_on_error=1", 1);
	a = fleet_weir("a");
	redis_ask("CONFIG RESETSTAT", "+OK");
	daemon_write(a,
		"process = { workers = 2; pidfile = \"weir.pid\"; };\n"
		"api = { listen = [ \"unix:api\" ]; };\n"
		"extensions = ( { type = \"table\"; name = \"seen\"; ttl = "
		"\"31d\";\n"
		"  sync = \"redis+unix://%s\"; machine = \"a\";\n"
		"  sync_every = \"50ms\"; sync_stale = \"600ms\"; } );\n"
		"servers = ( { name = \"e\"; listen = \"127.0.0.1:0\";\n"
		"  middlewares = ( { type = \"heed\"; lame = true; } ); } "
		");\n",
		redis_path());
	for (i = 2; i < 5; i++) {
		reload_fails(a, i);
		fleet_exchanged(a);
	}
	/* Of theirs there was no connection. */
	redis_ask("EVAL \"return {ok = string.match(redis.call('INFO', "
		  "'stats'), 'total_connections_received:%d+')}\" 0",
		"+total_connections_received:1\r");
	assert_int_equal(fleet_status(a, "errors"), 0);
	assert_int_equal(daemon_log_count(a, "limits go by what is known"), 0);
	daemon_fds_allow(a, 4);
	daemon_stop(a);
}

/* ---- what is no Redis ---------------------------------------------------- */

#define SHA "$40\r\n0123456789012345678901234567890123456789\r\n"

/* Reads until it has been asked that. */
static void
asked(int fd, const char *word)
{
	char text[16384] = "";
	size_t len = 0;
	ssize_t n;

	while (strstr(text, word) == NULL) {
		assert_true(poll(&(struct pollfd){ .fd = fd, .events = POLLIN },
				    1, DAEMON_MS) == 1);
		n = recv(fd, text + len, sizeof(text) - 1 - len, 0);
		assert_true(n > 0);
		len += (size_t)n;
		text[len] = '\0';
	}
}

/* A weir whose Redis is somebody who says that, after hello and when it is
 * asked. */
static void
talks_to(const char *hello, const char *answer, const char *log)
{
	char sync[64];
	struct daemon *d;
	uint16_t port;
	int lfd = peer_listen(&port), fd;

	snprintf(sync, sizeof(sync), "redis://127.0.0.1:%u/3", (unsigned)port);
	d = fleet_weir_at(sync, "a");
	fd = peer_accept(lfd);
	asked(fd, "$6\r\nSELECT\r\n$1\r\n3\r\n*3\r\n$6\r\nSCRIPT");
	peer_send_text(fd, hello);
	if (answer != NULL) {
		asked(fd, "EVALSHA");
		peer_send_text(fd, answer);
	}
	daemon_wait_log(d, log, DAEMON_MS);
	assert_true(fleet_count(d, 5) < FLEET_SLOW_MS);
	fleet_until(d, "quota", 100);
	assert_int_equal(fleet_status(d, "errors"), 1);
	close(fd);
	close(lfd);
	daemon_stop(d);
}

static void
test_garbage(void **state)
{
	(void)state;
	talks_to("HTTP/1.1 400 Bad Request\r\n\r\n", NULL,
		"it does not speak as Redis does");
	talks_to("+OK\r\n:1\r\n", NULL, "it answers nonsense to SCRIPT LOAD");
	talks_to("+OK\r\n" SHA, "*3\r\n:1\r\n:2\r\n:3\r\n",
		"it answers nonsense to EVALSHA");
	talks_to("+OK\r\n" SHA,
		"*8\r\n$1\r\ne\r\n$1\r\n1\r\n$1\r\n0\r\n$1\r\nm\r\n$1\r\n1\r\n"
		"$1\r\n7\r\n$1\r\nk\r\n$3\r\n1 x\r\n",
		"it answers nonsense of a key");
	talks_to("+OK\r\n" SHA "+more\r\n+still more\r\n", NULL,
		"it says what it was not asked");
	talks_to("-LOADING Redis is loading the dataset in memory\r\n", NULL,
		"it says: LOADING");
}

static void
test_a_black_hole(void **state)
{
	(void)state;
	talks_to("", NULL, "it has not answered for");
}

static void
test_nobody_listens(void **state)
{
	uint16_t port;
	char sync[64];
	struct daemon *d;
	int fd = peer_hold(&port);

	(void)state;
	snprintf(sync, sizeof(sync), "redis://localhost:%u", (unsigned)port);
	d = fleet_weir_at(sync, "a");
	daemon_wait_log(d, "cannot connect: Connection refused", DAEMON_MS);
	assert_true(fleet_count(d, 5) < FLEET_SLOW_MS);
	fleet_until(d, "quota", 100);
	assert_int_equal(daemon_log_count(d, "Redis at"), 1);
	daemon_stop(d);
	close(fd);
}

/* ---- what cannot be meant ------------------------------------------------ */

static void
test_bad_options(void **state)
{
	static const struct {
		const char *options, *want;
	} bad[] = {
		{ "sync = \"rediss://host\"",
			"TLS is not spoken with Redis: it wants "
			"redis://host:port" },
		{ "sync = \"host:6379\"",
			"wants redis://host:port or redis+unix:///path" },
		{ "sync = \"redis://\"", "a host is wanted" },
		{ "sync = \"redis://host:0\"", "no number from 1 to 65535" },
		{ "sync = \"redis://host:65536\"",
			"no number from 1 to 65535" },
		{ "sync = \"redis://host/x\"", "/number of the database" },
		{ "sync = \"redis://secret@host\"",
			"before \"@\" it wants user:password" },
		{ "sync = \"redis://:%zz@host\"", "two digits of hexadecimal" },
		{ "sync = \"redis+unix://path\"",
			"a path that begins with \"/\"" },
		{ "sync = \"redis+unix:///path?x\"", "it wants ?db=number" },
		{ "sync = \"redis://host\"; sync_every = \"6s\"",
			"\"sync_stale\" has to be twice \"sync_every\"" },
		{ "sync = \"redis://host\"; keep = \"/tmp/seen\"",
			"over a restart Redis keeps what is shared" },
		{ "sync = \"redis://host\"; sync_prefix = \"\"",
			"has to have 1 to 64 bytes" },
	};
	char *said;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		said = daemon_start_fails("extensions = (\n{ type = \"table\";"
					  " %s; } );\n",
			bad[i].options);
		assert_contains(said, bad[i].want);
		assert_contains(said, "weir.conf:2: extensions[0] (table): ");
		assert_null(strstr(said, "secret"));
		free(said);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		redis_test(test_redis_is_killed_and_comes_back_empty),
		redis_test(test_redis_and_a_machine_are_lost),
		redis_test(test_redis_hangs),
		redis_test(test_redis_refuses),
		redis_test(test_reloads_that_fail_are_not_heard),
		daemon_test(test_garbage),
		daemon_test(test_a_black_hole),
		daemon_test(test_nobody_listens),
		daemon_test(test_bad_options),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
