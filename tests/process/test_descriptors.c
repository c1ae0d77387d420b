/* test_descriptors.c - what master and workers have open, after many reloads.
 */
#include <fcntl.h>
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

#include "lib/daemon.h"
#include "lib/logdir.h"
#include "lib/peer.h"
#include "lib/procs.h"

#define RELOADS 50
#define FDS	64

/* Fails unless descriptor fd of pid is closed by exec (proc(5), fdinfo). */
static void
assert_cloexec(pid_t pid, int fd)
{
	unsigned flags = 0;
	char path[64], line[128];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/fdinfo/%d", (int)pid, fd);
	f = fopen(path, "re");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f) != NULL)
		if (sscanf(line, "flags: %o", &flags) == 1)
			break;
	fclose(f);
	if ((flags & O_CLOEXEC) == 0)
		fail_msg("%d of pid %d is not close-on-exec: %s", fd, (int)pid,
			procs_fd(pid, fd));
}

/* Fails when pid has anything open that none of these begins. */
static void
assert_targets(pid_t pid, const char *const *allowed)
{
	const char *to;
	size_t i;
	int fd;

	for (fd = STDERR_FILENO + 1; fd < FDS; fd++) {
		to = procs_fd(pid, fd);
		for (i = 0; to != NULL && allowed[i] != NULL; i++)
			if (strncmp(to, allowed[i], strlen(allowed[i])) == 0)
				break;
		if (to != NULL && allowed[i] == NULL)
			fail_msg("%d of pid %d is %s", fd, (int)pid, to);
		if (to != NULL)
			assert_cloexec(pid, fd);
	}
}

/* Reloads and waits until the older generation is no more. */
static void
reload(struct daemon *d, unsigned generation)
{
	char line[64];

	daemon_signal(d, SIGHUP);
	snprintf(line, sizeof(line), "ready gen=%u ", generation);
	daemon_wait_log(d, line, DAEMON_MS);
	snprintf(line, sizeof(line), "generation %u is gone", generation - 1);
	daemon_wait_log(d, line, DAEMON_MS);
}

static void
test_f16_descriptors_after_reloads(void **state)
{
	struct daemon *d = daemon_new();
	char access_log[256], pidfile[256], process_log[256];
	const char *const master[] = { "socket:", access_log, process_log,
		pidfile, NULL };
	const char *const worker[] = { "socket:", access_log, process_log,
		"anon_inode:[eventpoll]", "pipe:", NULL };
	int master_fds, worker_fds;
	unsigned i;

	(void)state;
	snprintf(access_log, sizeof(access_log), "%s", logdir_at("access"));
	snprintf(pidfile, sizeof(pidfile), "%s", daemon_path(d, "weir.pid"));
	snprintf(process_log, sizeof(process_log), "%s", daemon_path(d, "log"));
	daemon_write(d,
		"process = { workers = 2; pidfile = \"weir.pid\"; };\n"
		"log = { target = \"log\"; };\n"
		"servers = ( { name = \"e\"; listen = ( \"127.0.0.1:0\", "
		"\"unix:a.sock\" ); middlewares = ( { type = \"echo\"; }, "
		"{ type = \"log\"; to = \"%s\"; } ); } );\n",
		access_log);
	daemon_log_file(d, "log");
	daemon_launch(d);
	master_fds = procs_fds(daemon_pid(d));
	worker_fds = procs_fds(daemon_worker(d, 0));
	for (i = 0; i < RELOADS; i++) {
		logdir_visit(d, "hello");
		reload(d, i + 2);
	}
	assert_int_equal(procs_fds(daemon_pid(d)), master_fds);
	assert_targets(daemon_pid(d), master);
	for (i = 0; i < 2; i++) {
		assert_int_equal(procs_fds(daemon_worker(d, i)), worker_fds);
		assert_targets(daemon_worker(d, i), worker);
	}
	daemon_stop(d);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		logdir_test(test_f16_descriptors_after_reloads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
