/* test_reload.c - a new configuration takes over, the old one leaves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/daemon.h"
#include "lib/peer.h"
#include "lib/reload.h"

#define ECHO                                                                   \
	"{ name = \"r\"; listen = \"127.0.0.1:0\"; middlewares = \"echo\"; }"

static void
test_channels_outlive_their_generation(void **state)
{
	struct daemon *d = daemon_start(
		"process = { workers = 1; };\nservers = ( " ECHO " );");
	int old = peer_connect(daemon_port(d, "r", 0)), new;

	(void)state;
	peer_echo(old, "a");
	reload_takes(d, 2);
	reload_drained(d, 1);
	new = peer_connect(daemon_port(d, "r", 0));
	peer_echo(new, "b");
	peer_echo(old, "c");
	close(old);
	daemon_wait_log(d, "generation 1 is gone", DAEMON_MS);
	peer_echo(new, "d");
	close(new);
	daemon_stop(d);
}

/* One that has no channels leaves at once. */
static void
test_an_idle_generation_is_gone(void **state)
{
	struct daemon *d = daemon_start(
		"process = { workers = 2; };\nservers = ( " ECHO " );");

	(void)state;
	reload_takes(d, 2);
	daemon_wait_log(d, "generation 1 is gone", DAEMON_MS);
	daemon_stop(d);
}

/* What the start has only warned of is no error of a reload. */
static void
test_warnings_are_no_errors(void **state)
{
	struct daemon *d = daemon_new();

	(void)state;
	daemon_env(d, "WEIR_OF_NOBODY=1");
	daemon_write(d, "process = { workers = 1; };\nservers = ( " ECHO " );");
	daemon_launch(d);
	reload_takes(d, 2);
	assert_true(daemon_logged(d, "[warn] WEIR_OF_NOBODY is no option"));
	assert_false(daemon_logged(d, "[error]"));
	daemon_stop(d);
}

static void
test_addresses_come_and_go(void **state)
{
	struct daemon *d = daemon_new();
	char path[256];
	uint16_t port;
	int fd;

	(void)state;
	snprintf(path, sizeof(path), "%s", daemon_path(d, "s"));
	daemon_write(d,
		"process = { workers = 1; };\nservers = ( { name = \"r\"; "
		"listen = ( \"127.0.0.1:0\", \"unix:%s\" ); "
		"middlewares = \"echo\"; } );",
		path);
	daemon_launch(d);
	port = daemon_port(d, "r", 0);
	daemon_write(d,
		"process = { workers = 1; };\nservers = ( { name = \"r\"; "
		"listen = \"unix:%s\"; middlewares = \"echo\"; } );",
		path);
	reload_takes(d, 2);
	daemon_wait_log(d, "generation 1 is gone", DAEMON_MS);
	assert_int_not_equal(peer_connect_error(port), 0);
	fd = peer_connect_unix(path);
	peer_echo(fd, "u");
	close(fd);
	daemon_write(d,
		"process = { workers = 1; };\nservers = ( { name = \"r\"; "
		"listen = ( \"127.0.0.1:0\", \"[::1]:0\" ); "
		"middlewares = \"echo\"; } );");
	reload_takes(d, 3);
	assert_int_equal(access(path, F_OK), -1);
	daemon_stop(d);
}

/* ---- an address that is in use under another name ------------------------ */

static void
write_listen(struct daemon *d, const char *listen)
{
	daemon_write(d,
		"process = { workers = 1; };\nservers = ( { name = \"r\"; "
		"listen = ( %s \"127.0.0.1:0\" ); "
		"middlewares = \"echo\"; } );",
		listen);
}

/* In use is in use; with a reload in between it can be had. */
static void
expect_two_reloads(const char *first, const char *then)
{
	struct daemon *d = daemon_new();

	write_listen(d, first);
	daemon_launch(d);
	write_listen(d, then);
	reload_fails(d, 2);
	assert_true(daemon_logged(d, "address already in use"));
	write_listen(d, "");
	reload_takes(d, 3);
	write_listen(d, then);
	reload_takes(d, 4);
	daemon_stop(d);
}

static void
test_overlapping_addresses(void **state)
{
	char one[64], every[64];
	uint16_t port;
	int hold = peer_hold(&port);

	(void)state;
	snprintf(one, sizeof(one), "\"127.0.0.1:%u\",", port);
	snprintf(every, sizeof(every), "\"0.0.0.0:%u\",", port);
	expect_two_reloads(one, every);
	expect_two_reloads(every, one);
	close(hold);
	expect_two_reloads("\"unix:s\",", "\"unix:./s\",");
}

static void
test_drain_timeout(void **state)
{
	struct daemon *d = daemon_start(
		"process = { workers = 1; drain_timeout = \"300ms\"; };\n"
		"servers = ( " ECHO " );");
	int old = peer_connect(daemon_port(d, "r", 0));

	(void)state;
	peer_echo(old, "a");
	reload_takes(d, 2);
	peer_expect_reset(old);
	close(old);
	daemon_wait_log(d, "generation 1 is gone", DAEMON_MS);
	daemon_stop(d);
}

static void
test_f21_oldest_generation_has_to_go(void **state)
{
	struct daemon *d = daemon_start(
		"process = { workers = 1; max_generations = 2; };\n"
		"servers = ( " ECHO " );");
	int first = peer_connect(daemon_port(d, "r", 0)), second;

	(void)state;
	peer_echo(first, "a");
	reload_takes(d, 2);
	reload_drained(d, 1);
	second = peer_connect(daemon_port(d, "r", 0));
	peer_echo(second, "b");
	peer_echo(first, "c");
	reload_takes(d, 3);
	peer_expect_reset(first);
	peer_echo(second, "d");
	close(first);
	close(second);
	daemon_stop(d);
}

/* One that has no channels any more does not push out another. */
static void
test_f21_empty_generations_do_not_count(void **state)
{
	struct daemon *d = daemon_start(
		"process = { workers = 1; max_generations = 2; };\n"
		"servers = ( " ECHO " );");
	int fd = peer_connect(daemon_port(d, "r", 0));
	unsigned i;

	(void)state;
	peer_echo(fd, "a");
	for (i = 2; i < 12; i++) {
		reload_takes(d, i);
		peer_echo(fd, "b");
	}
	assert_int_equal(daemon_log_count(d, "is one too many"), 0);
	close(fd);
	daemon_stop(d);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		daemon_test(test_channels_outlive_their_generation),
		daemon_test(test_an_idle_generation_is_gone),
		daemon_test(test_warnings_are_no_errors),
		daemon_test(test_addresses_come_and_go),
		daemon_test(test_overlapping_addresses),
		daemon_test(test_drain_timeout),
		daemon_test(test_f21_oldest_generation_has_to_go),
		daemon_test(test_f21_empty_generations_do_not_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
