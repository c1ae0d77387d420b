/* test_rights.c - what workers may do, and what they have. */
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <bsd/unistd.h>
#include <linux/capability.h>
#include <pwd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "conf/conf.h"
#include "lib/daemon.h"
#include "lib/procs.h"
#include "master/master.h"

#define NOBODY 65534
#define CONF   CONF_ON("127.0.0.1:0", "")
#define CONF_ON(address, ...)                                                  \
	"process = { workers = 2; " __VA_ARGS__ " };\n"                        \
	"servers = ( { name = \"pg\"; listen = \"" address "\";\n"             \
	"  middlewares = ( { type = \"echo\"; } ); } );\n"

static void
assert_contains(const char *text, const char *part)
{
	if (strstr(text, part) == NULL) {
		print_error("no \"%s\" in: %s\n", part, text);
		fail();
	}
}

/* Of all that the master and the others have, a worker has the listener. */
static void
test_worker_has_only_its_own(void **state)
{
	struct daemon *d =
		daemon_start(CONF_ON("127.0.0.1:0", "pidfile = \"weir.pid\";"));
	pid_t master = daemon_pid(d), pids[DAEMON_WORKERS];
	size_t i, n = daemon_workers(d, pids);
	const char *to;
	int fd;

	(void)state;
	assert_int_equal(n, 2);
	assert_int_equal(procs_fds_shared(pids[0], pids[1]), 1);
	for (i = 0; i < n; i++) {
		assert_int_equal(procs_fds_shared(pids[i], master), 1);
		assert_int_equal(procs_fds_shared(pids[i], getpid()), 0);
		for (fd = 0; fd < 64; fd++) {
			to = procs_fd(pids[i], fd);
			assert_true(to == NULL || !strstr(to, "weir.pid"));
		}
		to = procs_status(pids[i], "NoNewPrivs");
		assert_string_equal(to, "1");
	}
	daemon_stop(d);
}

/* Root's workers are nobody; without root they stay who they are. */
static void
test_workers_have_no_privileges(void **state)
{
	struct daemon *d = daemon_start(CONF);
	pid_t worker = daemon_worker(d, 0);
	unsigned uid[4], i;
	const char *text;

	(void)state;
	text = procs_status(worker, "Uid");
	assert_int_equal(
		sscanf(text, "%u %u %u %u", &uid[0], &uid[1], &uid[2], &uid[3]),
		4);
	for (i = 0; i < 4; i++)
		if (getuid() == 0)
			assert_int_equal(uid[i], 65534);
		else
			assert_int_equal(uid[i], getuid());
	if (getuid() == 0) {
		text = procs_status(worker, "CapEff");
		assert_string_equal(text, "0000000000000000");
		text = procs_status(worker, "CapPrm");
		assert_string_equal(text, "0000000000000000");
		text = procs_status(worker, "Gid");
		assert_int_equal(strtol(text, NULL, 10), 65534);
		text = procs_status(worker, "Groups");
		assert_int_equal(strtol(text, NULL, 10), 65534);
	}
	daemon_stop(d);
}

static void
test_unknown_user(void **state)
{
	static const char conf[] =
		CONF_ON("127.0.0.1:0", "user = \"no-such-user-here\";");
	struct daemon *d;
	char *out;

	(void)state;
	if (getuid() == 0) {
		out = daemon_start_fails("%s", conf);
		assert_contains(out, "\"no-such-user-here\"");
		free(out);
		return;
	}
	d = daemon_start("%s", conf);
	assert_true(daemon_logged(d, "has no effect: only root"));
	daemon_stop(d);
}

static void
test_user_that_was_asked_for(void **state)
{
	struct daemon *d =
		daemon_start(CONF_ON("127.0.0.1:0", "user = \"daemon\";"));
	const struct passwd *pw = getpwnam("daemon");
	const char *uid = procs_status(daemon_worker(d, 0), "Uid");

	(void)state;
	assert_non_null(pw);
	assert_int_equal(
		strtol(uid, NULL, 10), getuid() == 0 ? pw->pw_uid : getuid());
	/* Without root it is said that this cannot be. */
	assert_int_equal(daemon_log_count(d, "has no effect: only root"),
		getuid() == 0 ? 0 : 1);
	daemon_stop(d);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		daemon_test(test_worker_has_only_its_own),
		daemon_test(test_workers_have_no_privileges),
		daemon_test(test_unknown_user),
		daemon_test(test_user_that_was_asked_for),
	};

	setproctitle_init(argc, argv, environ);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
