/* test_reload.c - a new configuration takes over without a trace, or the old
 * one goes on without one. */
#include <dirent.h>
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
#include "lib/load.h"
#include "lib/peer.h"
#include "lib/procs.h"
#include "lib/relay.h"

#define RELOADS	  20
#define BAD_LEAST 60 /* kinds of bad files */

#define ECHO                                                                   \
	"{ name = \"r\"; listen = \"127.0.0.1:0\"; middlewares = \"echo\"; }"

static void
reload(struct daemon *d, unsigned generation)
{
	char line[64];

	daemon_signal(d, SIGHUP);
	snprintf(line, sizeof(line), "ready gen=%u ", generation);
	daemon_wait_log(d, line, DAEMON_MS);
}

/* Waits until n workers accept no more: only then is it sure who gets the next
 * connection. */
static void
wait_drains(struct daemon *d, unsigned n)
{
	int64_t end = procs_now() + DAEMON_MS;

	while (daemon_log_count(d, "draining: ") < n) {
		assert_true(procs_now() < end);
		poll(NULL, 0, 1);
	}
}

static void
reload_fails(struct daemon *d, unsigned generation)
{
	char line[64];

	daemon_signal(d, SIGHUP);
	snprintf(line, sizeof(line), "generation %u is given up", generation);
	daemon_wait_log(d, line, DAEMON_MS);
}

static void
expect_echo(int fd, const char *text)
{
	peer_send_text(fd, text);
	peer_expect_text(fd, text);
}

/* ---- it takes over ------------------------------------------------------- */

static void
test_reloads_under_load(void **state)
{
	struct load_plan plan = { .seconds = 60,
		.connections = { [LOAD_BRIEF] = 4,
			[LOAD_KEPT] = 8,
			[LOAD_IDLE] = 50 },
		.brief_rate = 300,
		.kept_rate = 300 };
	struct load *l = load_new();
	uint16_t echo = load_echo(l, NULL);
	struct load_result r;
	struct daemon *d;
	unsigned i;

	(void)state;
	d = daemon_new();
	for (i = 1; i <= RELOADS; i++) {
		daemon_write(d,
			"process = { workers = %u; max_generations = 64; };\n"
			"servers = ( { name = \"r\"; listen = \"127.0.0.1:0\";"
			" middlewares = ( { type = \"forward\";"
			" to = \"127.0.0.1:%u\"; } ); } );",
			1 + i % 8, echo);
		if (i > 1) {
			reload(d, i);
			continue;
		}
		daemon_launch(d);
		plan.ports[0] = daemon_port(d, "r", 0);
		load_start(l, &plan);
		load_await(l, 100);
	}
	load_await(l, 100);
	load_stop(l, &r);
	load_say(&r, "20 reloads");
	load_check(&r);
	daemon_fds_settle(d);
	daemon_stop(d);
}

static void
test_channels_outlive_their_generation(void **state)
{
	struct daemon *d = daemon_start(
		"process = { workers = 1; };\nservers = ( " ECHO " );");
	int old = peer_connect(daemon_port(d, "r", 0)), new;

	(void)state;
	expect_echo(old, "a");
	reload(d, 2);
	wait_drains(d, 1);
	new = peer_connect(daemon_port(d, "r", 0));
	expect_echo(new, "b");
	expect_echo(old, "c");
	close(old);
	daemon_wait_log(d, "generation 1 is gone", DAEMON_MS);
	expect_echo(new, "d");
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
	reload(d, 2);
	daemon_wait_log(d, "generation 1 is gone", DAEMON_MS);
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
	reload(d, 2);
	daemon_wait_log(d, "generation 1 is gone", DAEMON_MS);
	assert_int_not_equal(peer_connect_error(port), 0);
	fd = peer_connect_unix(path);
	expect_echo(fd, "u");
	close(fd);
	daemon_write(d,
		"process = { workers = 1; };\nservers = ( { name = \"r\"; "
		"listen = ( \"127.0.0.1:0\", \"[::1]:0\" ); "
		"middlewares = \"echo\"; } );");
	reload(d, 3);
	assert_int_equal(access(path, F_OK), -1);
	daemon_stop(d);
}

static void
test_drain_timeout(void **state)
{
	struct daemon *d = daemon_start(
		"process = { workers = 1; drain_timeout = \"300ms\"; };\n"
		"servers = ( " ECHO " );");
	int old = peer_connect(daemon_port(d, "r", 0));

	(void)state;
	expect_echo(old, "a");
	reload(d, 2);
	peer_expect_reset(old);
	close(old);
	daemon_wait_log(d, "generation 1 is gone", DAEMON_MS);
	daemon_stop(d);
}

static void
test_too_many_generations(void **state)
{
	struct daemon *d = daemon_start(
		"process = { workers = 1; max_generations = 2; };\n"
		"servers = ( " ECHO " );");
	int first = peer_connect(daemon_port(d, "r", 0)), second;

	(void)state;
	expect_echo(first, "a");
	reload(d, 2);
	wait_drains(d, 1);
	second = peer_connect(daemon_port(d, "r", 0));
	expect_echo(second, "b");
	expect_echo(first, "c");
	reload(d, 3);
	peer_expect_reset(first);
	expect_echo(second, "d");
	close(first);
	close(second);
	daemon_stop(d);
}

/* Each that comes while one is under way is not lost; they are not counted. */
static void
test_a_storm_of_signals(void **state)
{
	struct daemon *d = daemon_start(
		"process = { workers = 2; };\nservers = ( " ECHO " );");
	int i, fd;

	(void)state;
	for (i = 0; i < 200; i++)
		daemon_signal(d, SIGHUP);
	daemon_wait_log(d, "ready gen=2 ", DAEMON_MS);
	fd = peer_connect(daemon_port(d, "r", 0));
	expect_echo(fd, "a");
	close(fd);
	daemon_stop(d);
}

static void
test_quit_during_a_reload(void **state)
{
	struct daemon *d = daemon_start(
		"process = { workers = 8; };\nservers = ( " ECHO " );");

	(void)state;
	daemon_signal(d, SIGHUP);
	daemon_wait_log(d, "as generation 2", DAEMON_MS);
	daemon_signal(d, SIGQUIT);
	daemon_finish(d, 0);
}

/* ---- it changes nothing -------------------------------------------------- */

/* A bad file of the corpus, as it is. */
static void
copy(struct daemon *d, const char *from)
{
	char text[65536];
	FILE *f = fopen(from, "r");
	size_t n;

	assert_non_null(f);
	n = fread(text, 1, sizeof(text), f);
	fclose(f);
	f = fopen(daemon_path(d, "weir.conf"), "w");
	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, n, f), n);
	assert_int_equal(fclose(f), 0);
}

static void
test_bad_files_change_nothing(void **state)
{
	struct daemon *d = daemon_start(
		"process = { workers = 1; };\nservers = ( " ECHO " );");
	const char *srcdir = getenv("srcdir");
	int held = peer_connect(daemon_port(d, "r", 0)), fd;
	pid_t worker = daemon_worker(d, 0);
	unsigned generation = 2;
	char path[512];
	struct dirent *e;
	DIR *dir;

	(void)state;
	expect_echo(held, "a");
	snprintf(path, sizeof(path), "%s/tests/conf/bad", srcdir);
	dir = opendir(path);
	assert_non_null(dir);
	while ((e = readdir(dir)) != NULL) {
		if (strstr(e->d_name, ".conf") == NULL)
			continue;
		snprintf(path, sizeof(path), "%s/tests/conf/bad/%s", srcdir,
			e->d_name);
		copy(d, path);
		reload_fails(d, generation++);
	}
	closedir(dir);
	assert_true(generation - 2 >= BAD_LEAST);
	assert_int_equal(kill(worker, 0), 0);
	expect_echo(held, "b");
	fd = peer_connect(daemon_port(d, "r", 0));
	expect_echo(fd, "c");
	close(fd);
	close(held);
	daemon_fds_settle(d);
	daemon_stop(d);
}

static void
test_an_address_that_is_taken(void **state)
{
	struct daemon *d = daemon_start(
		"process = { workers = 1; };\nservers = ( " ECHO " );");
	uint16_t port;
	int taken = peer_listen(&port), fd;

	(void)state;
	daemon_write(d,
		"process = { workers = 1; };\nservers = ( { name = \"r\"; "
		"listen = ( \"127.0.0.1:0\", \"127.0.0.1:%u\" ); "
		"middlewares = \"echo\"; } );",
		port);
	reload_fails(d, 2);
	fd = peer_connect(daemon_port(d, "r", 0));
	expect_echo(fd, "a");
	close(fd);
	close(taken);
	daemon_fds_allow(d, 1);
	reload(d, 3);
	daemon_stop(d);
}

static void
test_workers_that_cannot_start(void **state)
{
	struct daemon *d;
	int fd;

	(void)state;
	relay_use_trial();
	d = daemon_start(
		"process = { workers = 2; };\nservers = ( " ECHO " );");
	daemon_write(d,
		"process = { workers = 2; };\nservers = ( { name = \"r\"; "
		"listen = \"127.0.0.1:0\"; middlewares = "
		"( { type = \"heed\"; lame = true; } ); } );");
	reload_fails(d, 2);
	assert_true(daemon_logged(d, "r/heed: cannot start"));
	fd = peer_connect(daemon_port(d, "r", 0));
	expect_echo(fd, "a");
	close(fd);
	daemon_stop(d);
}

static void
test_what_needs_a_start(void **state)
{
	struct daemon *d = daemon_start(
		"process = { workers = 1; };\nservers = ( " ECHO " );");

	(void)state;
	daemon_write(d, "process = { workers = 1; user = \"daemon\"; };\n"
			"servers = ( " ECHO " );");
	reload_fails(d, 2);
	assert_true(daemon_logged(d, "cannot become"));
	daemon_stop(d);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		daemon_test(test_reloads_under_load),
		daemon_test(test_channels_outlive_their_generation),
		daemon_test(test_an_idle_generation_is_gone),
		daemon_test(test_addresses_come_and_go),
		daemon_test(test_drain_timeout),
		daemon_test(test_too_many_generations),
		daemon_test(test_a_storm_of_signals),
		daemon_test(test_quit_during_a_reload),
		daemon_test(test_bad_files_change_nothing),
		daemon_test(test_an_address_that_is_taken),
		daemon_test(test_workers_that_cannot_start),
		daemon_test(test_what_needs_a_start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
