/* test_undo.c - reloads that fail, early or late, change nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/daemon.h"
#include "lib/load.h"
#include "lib/peer.h"
#include "lib/relay.h"
#include "lib/reload.h"

#define BAD_LEAST 60 /* kinds of bad files */

#define PROCESS "process = { workers = 2; };\n"
#define SERVER                                                                 \
	"servers = ( { name = \"r\"; listen = ( \"127.0.0.1:0\" %s );"         \
	" middlewares = ( %s ); } );\n"
#define ECHO "{ type = \"echo\"; }"

static void
test_f17_bad_files_change_nothing(void **state)
{
	struct load_plan plan = { .connections = { [LOAD_BRIEF] = 2,
					  [LOAD_KEPT] = 4,
					  [LOAD_IDLE] = 10 },
		.brief_rate = 200,
		.kept_rate = 200 };
	struct load *l = load_new();
	struct reload_view before;
	struct load_result r;
	struct daemon *d;
	char chain[64];
	size_t i, n;

	(void)state;
	snprintf(chain, sizeof(chain),
		"{ type = \"forward\"; to = \"127.0.0.1:%u\"; }",
		load_echo(l, NULL));
	d = daemon_start(PROCESS SERVER, "", chain);
	plan.ports[0] = daemon_port(d, "r", 0);
	load_start(l, &plan);
	load_settle(l);
	reload_look(d, &before);
	n = reload_bad_file(d, 0);
	assert_true(n >= BAD_LEAST);
	for (i = 0; i < n; i++) {
		reload_bad_file(d, i);
		reload_fails(d, (unsigned)i + 2);
		reload_unchanged(d, &before);
	}
	load_stop(l, &r);
	load_check(&r);
	daemon_fds_settle(d);
	daemon_stop(d);
}

/* Good to read, but not to apply: why, what a file has to be like for that, and
 * what is said of it. */
struct late {
	const char *log, *listen, *chain, *said;
};

static void
expect_undone(struct daemon *d, const struct late *late, unsigned generation)
{
	struct reload_view before;

	reload_look(d, &before);
	daemon_write(d, PROCESS "log = { target = \"%s\"; };\n" SERVER,
		late->log, late->listen, late->chain);
	reload_fails(d, generation);
	if (!daemon_logged(d, late->said))
		fail_msg("nobody said \"%s\"", late->said);
	reload_unchanged(d, &before);
	/* What was there to be used, and is no longer. */
	assert_int_equal(access(daemon_path(d, "new.sock"), F_OK), -1);
	assert_int_equal(access(daemon_path(d, "new.log"), F_OK), -1);
}

static void
test_f18_what_cannot_be_applied_changes_nothing(void **state)
{
	static const struct late t[] = {
		{ "new.log", ", \"unix:new.sock\", \"192.0.2.1:0\"", ECHO,
			"no interface of this machine has that address" },
		{ "new.log", ", \"unix:new.sock\", \"unix:missing/s\"", ECHO,
			"its directory does not exist" },
		/* Nobody can make one there. */
		{ "new.log", ", \"unix:new.sock\", \"unix:/proc/s\"", ECHO,
			"cannot listen on unix:/proc/s" },
		{ "new.log", ", \"unix:new.sock\", \"unix:weir.conf\"", ECHO,
			"the path exists and is not a socket" },
		{ "missing/log", ", \"unix:new.sock\"", ECHO,
			"log.target: cannot open" },
		{ ".", ", \"unix:new.sock\"", ECHO, "log.target: cannot open" },
		{ "stderr", ", \"unix:new.sock\"",
			ECHO ", { type = \"log\"; to = \"new.log\"; },"
			     " { type = \"log\"; to = \"missing/log\"; }",
			"cannot open log file missing/log" },
		{ "stderr", ", \"unix:new.sock\"",
			ECHO ", { type = \"heed\"; lame = true; }",
			"its workers cannot start" },
	};
	struct daemon *d;
	int held, fd;
	size_t i;

	(void)state;
	relay_use_trial();
	d = daemon_start(PROCESS SERVER, "", ECHO);
	held = peer_connect(daemon_port(d, "r", 0));
	peer_echo(held, "a");
	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		expect_undone(d, &t[i], (unsigned)i + 2);
	peer_echo(held, "b");
	fd = peer_connect(daemon_port(d, "r", 0));
	peer_echo(fd, "c");
	close(fd);
	close(held);
	daemon_stop(d);
}

static void
test_f18_an_address_that_is_taken(void **state)
{
	struct late late = { "new.log", NULL, ECHO, "address already in use" };
	struct daemon *d = daemon_start(PROCESS SERVER, "", ECHO);
	char listen[64];
	uint16_t port;
	int taken = peer_listen(&port), fd;

	(void)state;
	snprintf(listen, sizeof(listen),
		", \"unix:new.sock\", \"127.0.0.1:%u\"", port);
	late.listen = listen;
	expect_undone(d, &late, 2);
	fd = peer_connect(daemon_port(d, "r", 0));
	peer_echo(fd, "a");
	close(fd);
	close(taken);
	/* The same file is good when the port is free; two listeners more. */
	daemon_write(d, PROCESS SERVER, listen, ECHO);
	daemon_fds_allow(d, 2);
	reload_takes(d, 3);
	daemon_stop(d);
}

static void
test_f18_what_needs_a_start(void **state)
{
	static const char *const users[] = { "daemon", "no-such-user" };
	struct daemon *d = daemon_start(PROCESS SERVER, "", ECHO);
	struct reload_view before;
	unsigned i;

	(void)state;
	reload_look(d, &before);
	for (i = 0; i < 2; i++) {
		daemon_write(d,
			"process = { workers = 2; user = \"%s\"; };\n"
			"log = { target = \"new.log\"; };\n" SERVER,
			users[i], ", \"unix:new.sock\"", ECHO);
		reload_fails(d, i + 2);
		/* Only root is told that there is nobody of that name. */
		assert_true(daemon_logged(d, users[i]));
		reload_unchanged(d, &before);
	}
	assert_true(daemon_logged(d, "cannot become daemon"));
	assert_int_equal(access(daemon_path(d, "new.sock"), F_OK), -1);
	assert_int_equal(access(daemon_path(d, "new.log"), F_OK), -1);
	daemon_stop(d);
}

/* A file that was there is not taken away, whoever fails. */
static void
test_f18_other_files_stay(void **state)
{
	struct daemon *d = daemon_start(PROCESS SERVER, "", ECHO);
	char path[512];
	FILE *f;

	(void)state;
	snprintf(path, sizeof(path), "%s", daemon_path(d, "old.log"));
	f = fopen(path, "we");
	assert_non_null(f);
	fclose(f);
	daemon_write(d, PROCESS "log = { target = \"old.log\"; };\n" SERVER,
		", \"192.0.2.1:0\"", ECHO);
	reload_fails(d, 2);
	assert_int_equal(access(path, F_OK), 0);
	daemon_stop(d);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		daemon_test(test_f17_bad_files_change_nothing),
		daemon_test(test_f18_what_cannot_be_applied_changes_nothing),
		daemon_test(test_f18_an_address_that_is_taken),
		daemon_test(test_f18_what_needs_a_start),
		daemon_test(test_f18_other_files_stay),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
