/* test_rights.c - what workers may do, and what they have. */
#include <sys/prctl.h>
#include <sys/stat.h>

#include <bsd/unistd.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/log.h"
#include "heritage.h"
#include "lib/daemon.h"
#include "lib/low.h"
#include "lib/peer.h"
#include "lib/plan.h"
#include "lib/procs.h"
#include "lib/text.h"

#define NOBODY 65534
#define NO_CAP "0000000000000000"
#define CONF   CONF_ON("127.0.0.1:0", "")
#define CONF_ON(address, ...)                                                  \
	"process = { workers = 2; " __VA_ARGS__ " };\n"                        \
	"servers = ( { name = \"pg\"; listen = \"" address "\";\n"             \
	"  middlewares = ( { type = \"echo\"; } ); } );\n"

/* Of all that the master and the others have, a worker has the listener. */
static void
test_f61_workers_have_only_their_own(void **state)
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

/* Are all ids of that line of /proc/PID/status this one? */
static void
assert_ids(pid_t pid, const char *field, unsigned want)
{
	unsigned id[4], i;

	assert_int_equal(sscanf(procs_status(pid, field), "%u %u %u %u", &id[0],
				 &id[1], &id[2], &id[3]),
		4);
	for (i = 0; i < 4; i++)
		assert_int_equal(id[i], want);
}

/* Root's workers are nobody; without root they stay who they are. */
static void
test_f61_workers_have_no_privileges(void **state)
{
	struct daemon *d = daemon_start(CONF);
	pid_t pids[DAEMON_WORKERS];
	bool root = getuid() == 0;
	size_t i, n = daemon_workers(d, pids);
	char groups[64];

	(void)state;
	for (i = 0; i < n; i++) {
		assert_ids(pids[i], "Uid", root ? NOBODY : getuid());
		assert_ids(pids[i], "Gid", root ? NOBODY : getgid());
		snprintf(groups, sizeof(groups), "%s",
			procs_status(pids[i], "Groups"));
		if (root)
			assert_string_equal(groups, "65534 ");
		else
			assert_string_equal(
				groups, procs_status(getpid(), "Groups"));
		assert_string_equal(procs_status(pids[i], "CapEff"), NO_CAP);
		assert_string_equal(procs_status(pids[i], "CapPrm"), NO_CAP);
		assert_string_equal(procs_status(pids[i], "NoNewPrivs"), "1");
	}
	daemon_stop(d);
}

/* Runs in a worker in front of what it does: tries what it may not. */
_Noreturn static void
worker_tries(const struct heritage *h)
{
	int fd = open("secret", O_RDONLY | O_CLOEXEC);

	log_notice("secret: %s", fd == -1 ? strerror(errno) : "read");
	log_notice("dumpable: %d", prctl(PR_GET_DUMPABLE, 0, 0, 0, 0));
	log_notice("setuid: %s", setuid(0) == -1 ? strerror(errno) : "done");
	log_notice("setgid: %s", setgid(0) == -1 ? strerror(errno) : "done");
	worker_main(h);
}

static int
run_trying(int ready_fd, void *arg)
{
	(void)arg;
	return plan_run_file(ready_fd, worker_tries);
}

/* A file that only root may read, no way back, and memory that nobody else can
 * look at, unless core files are wanted. */
static void
test_f61_workers_cannot_do_more(void **state)
{
	static const char *const conf[] = { CONF,
		CONF_ON("127.0.0.1:0", "core = \"64k\";") };
	bool root = getuid() == 0;
	struct daemon *d;
	size_t i;
	int fd;

	(void)state;
	for (i = 0; i < 2; i++) {
		d = daemon_new();
		daemon_write(d, "%s", conf[i]);
		fd = open(daemon_path(d, "secret"),
			O_WRONLY | O_CREAT | O_CLOEXEC, root ? 0600 : 0);
		assert_int_not_equal(fd, -1);
		close(fd);
		daemon_launch_function(d, run_trying, NULL);
		assert_int_equal(
			daemon_log_count(d, "secret: Permission denied"), 2);
		assert_int_equal(daemon_log_count(d, "dumpable: 1"),
			root && i == 0 ? 0 : 2);
		assert_int_equal(
			daemon_log_count(d, "setuid: Operation not"), 2);
		assert_int_equal(
			daemon_log_count(d, "setgid: Operation not"), 2);
		daemon_stop(d);
	}
}

/* Log files are opened by the master and are its own, also again; the directory
 * is none that a worker could write to. */
static void
test_f61_log_files_are_of_the_master(void **state)
{
	struct daemon *d = daemon_new();
	struct stat st;

	(void)state;
	daemon_write(
		d, "log = { target = \"log\"; };\n" CONF_ON("127.0.0.1:0", ""));
	daemon_log_file(d, "log");
	daemon_launch(d);
	assert_int_equal(unlink(daemon_path(d, "log")), 0);
	daemon_signal(d, SIGUSR1);
	daemon_log_file(d, "log");
	daemon_wait_log(d, "log files were opened again", DAEMON_MS);
	assert_int_equal(stat(daemon_path(d, "log"), &st), 0);
	assert_int_equal(st.st_uid, getuid());
	assert_int_equal(st.st_mode & 07777, 0640);
	daemon_stop(d);
}

/* The master has kept what its workers gave up: a reload binds a low port, and
 * the user who may not hears so. */
static void
test_f61_a_reload_opens_a_low_port(void **state)
{
	struct daemon *d = daemon_start(CONF);
	bool may = getuid() == 0 || low_port() == 1;
	uint16_t port = low_port();

	(void)state;
	daemon_write(d,
		"process = { workers = 2; };\n"
		"servers = ( { name = \"pg\"; listen = "
		"\"127.0.0.1:%u\"; middlewares = \"echo\"; } );\n",
		port);
	daemon_signal(d, SIGHUP);
	if (may) {
		daemon_wait_log(d, "ready gen=2", DAEMON_MS);
		close(peer_connect(port));
		assert_ids(daemon_worker(d, 0), "Uid",
			getuid() == 0 ? NOBODY : getuid());
		assert_string_equal(
			procs_status(daemon_worker(d, 0), "CapEff"), NO_CAP);
	} else {
		daemon_wait_log(d, "permission denied", DAEMON_MS);
		daemon_wait_log(d, "generation 2 is given up", DAEMON_MS);
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
		daemon_test(test_f61_workers_have_only_their_own),
		daemon_test(test_f61_workers_have_no_privileges),
		daemon_test(test_f61_workers_cannot_do_more),
		daemon_test(test_f61_log_files_are_of_the_master),
		daemon_test(test_f61_a_reload_opens_a_low_port),
		daemon_test(test_unknown_user),
		daemon_test(test_user_that_was_asked_for),
	};

	setproctitle_init(argc, argv, environ);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
