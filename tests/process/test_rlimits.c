/* test_rlimits.c - how many files may be open, how large a core file may
 * become. */
#include <sys/resource.h>

#include <bsd/unistd.h>
#include <inttypes.h>
#include <linux/capability.h>
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

#include "heritage.h"
#include "lib/daemon.h"
#include "lib/peer.h"
#include "lib/plan.h"
#include "lib/procs.h"
#include "lib/text.h"

#define CONF_PROCESS(more)                                                     \
	"process = { workers = 2; pidfile = \"weir.pid\"; " more " };\n"       \
	"servers = ( { name = \"pg\"; listen = \"127.0.0.1:0\"; "              \
	"middlewares = \"echo\"; } );\n"
#define TOO_MANY "2000000000" /* more than fs.nr_open is anywhere */

/* The line of /proc/PID/limits that begins so, without what is before the
 * soft limit; valid until the next call. */
static const char *
limit_of(pid_t pid, const char *name)
{
	static char line[256];
	const char *found = NULL;
	char path[64];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/limits", (int)pid);
	f = fopen(path, "re");
	assert_non_null(f);
	while (found == NULL && fgets(line, sizeof(line), f) != NULL)
		if (strncmp(line, name, strlen(name)) == 0)
			found = line + strlen(name) +
				strspn(line + strlen(name), " ");
	fclose(f);
	assert_non_null(found);
	return found;
}

static void
assert_limit(pid_t pid, const char *name, uint64_t soft, uint64_t hard)
{
	char text[2][32];
	uint64_t want[2] = { soft, hard };
	size_t i;

	assert_int_equal(
		sscanf(limit_of(pid, name), "%31s %31s", text[0], text[1]), 2);
	for (i = 0; i < 2; i++)
		if (want[i] == RLIM_INFINITY)
			assert_string_equal(text[i], "unlimited");
		else
			assert_int_equal(strtoull(text[i], NULL, 10), want[i]);
}

static void
reload(struct daemon *d, const char *outcome)
{
	daemon_signal(d, SIGHUP);
	daemon_wait_log(d, outcome, DAEMON_MS);
}

static void
test_open_files_of_workers(void **state)
{
	struct daemon *d = daemon_start(CONF_PROCESS("nofile = 100;"));
	struct rlimit own;
	pid_t pids[DAEMON_WORKERS];
	size_t i, n = daemon_workers(d, pids);

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &own), 0);
	assert_int_equal(n, 2);
	for (i = 0; i < n; i++)
		assert_limit(pids[i], "Max open files", 100, 100);
	assert_limit(
		daemon_pid(d), "Max open files", own.rlim_cur, own.rlim_max);
	/* More again, and then as weir was started. */
	daemon_write(d, CONF_PROCESS("nofile = 200;"));
	reload(d, "ready gen=2");
	assert_limit(daemon_worker(d, 0), "Max open files", 200, 200);
	daemon_write(d, CONF_PROCESS(""));
	reload(d, "ready gen=3");
	assert_limit(daemon_worker(d, 0), "Max open files", own.rlim_cur,
		own.rlim_max);
	daemon_stop(d);
}

/* As many as the limit leaves room for are accepted, the rest waits. */
static void
test_open_files_bound_the_channels(void **state)
{
	struct daemon *d = daemon_start(
		"process = { workers = 1; nofile = 40; };\n"
		"servers = ( { name = \"pg\"; listen = \"127.0.0.1:0\"; "
		"middlewares = \"echo\"; } );\n");
	int fds[60], i;

	(void)state;
	for (i = 0; i < 60; i++)
		fds[i] = peer_connect(daemon_port(d, "pg", 0));
	for (i = 0; i < 60; i++) {
		peer_send_text(fds[i], "hello");
		peer_expect_text(fds[i], "hello");
		peer_half_close(fds[i]);
		peer_read_eof(fds[i]);
		close(fds[i]);
	}
	daemon_stop(d);
}

/* So many addresses, for a list; valid until the next call. */
static const char *
listen_text(unsigned addresses)
{
	static char text[2048];
	size_t i, n = 0;

	for (i = 0; i < addresses; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n,
			"%s\"127.0.0.1:0\"", i > 0 ? ", " : "");
	return text;
}

/* More come at once than can be served at once: all are. */
static void
all_are_served(struct daemon *d, int backend)
{
	int clients[60], server, i;
	unsigned char which;

	for (i = 0; i < 60; i++) {
		clients[i] = peer_connect(daemon_port(d, "pg", 0));
		which = (unsigned char)i;
		peer_send_all(clients[i], &which, 1);
	}
	for (i = 0; i < 60; i++) {
		server = peer_accept(backend);
		peer_read_exact(server, &which, 1);
		assert_in_range(which, 0, 59);
		peer_send_text(server, "hello");
		peer_expect_text(clients[which], "hello");
		peer_abort(server);
		peer_expect_reset(clients[which]);
		close(clients[which]);
	}
}

/* The descriptors of workers that a reload has made have gaps: where those of
 * the older generation were. */
static void
test_open_files_bound_the_channels_of_each_generation(void **state)
{
	uint16_t port;
	int backend = peer_listen(&port);
	struct daemon *d = daemon_start(
		"process = { workers = 1; nofile = 131; };\n"
		"servers = ( { name = \"pg\"; listen = ( %s ); middlewares = "
		"( { type = \"forward\"; to = \"127.0.0.1:%u\"; } ); } );\n",
		listen_text(40), port);

	(void)state;
	all_are_served(d, backend);
	reload(d, "ready gen=2");
	all_are_served(d, backend);
	reload(d, "ready gen=3");
	all_are_served(d, backend);
	assert_false(daemon_logged(d, "cannot connect"));
	daemon_stop(d);
	close(backend);
}

static void
test_too_many_open_files_for_workers(void **state)
{
	char *out = daemon_start_fails(CONF_PROCESS("nofile = " TOO_MANY ";"));
	struct daemon *d;
	struct rlimit own;
	char want[128];

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &own), 0);
	snprintf(want, sizeof(want),
		"process.nofile is " TOO_MANY
		", but a worker can be allowed only %" PRIu64 " open files",
		(uint64_t)own.rlim_max);
	assert_contains(out, want);
	assert_contains(out, "LimitNOFILE=");
	free(out);
	d = daemon_start(CONF_PROCESS(""));
	daemon_write(d, CONF_PROCESS("nofile = " TOO_MANY ";"));
	/* Who asks for the reload is told as well. */
	assert_int_equal(
		daemon_say(d, "reload", "process.nofile is " TOO_MANY), 1);
	daemon_wait_log(d, "generation 2 is given up, 1 goes on", DAEMON_MS);
	daemon_stop(d);
}

#define CONF_SHARED(workers, nofile)                                           \
	"process = { pidfile = \"weir.pid\"; workers = " #workers              \
	"; nofile = " #nofile "; };\n"                                         \
	"servers = ( { name = \"pg\"; listen = { address = "                   \
	"\"127.0.0.1:0\"; reuseport = true; }; } );\n"

/* The sockets that an address has from many workers stay, and are known before
 * any worker is started. */
static void
test_sockets_of_more_workers_count(void **state)
{
	struct daemon *d = daemon_start(CONF_SHARED(6, 0));

	(void)state;
	daemon_write(d, CONF_SHARED(1, 30));
	assert_int_equal(daemon_say(d, "reload",
				 "process.nofile is 30, but workers of this "
				 "configuration need at least 32 open files"),
		1);
	assert_int_equal(daemon_log_count(d, "worker 0 (pid"), 2);
	daemon_write(d, CONF_SHARED(1, 32));
	reload(d, "ready gen=3");
	daemon_stop(d);
}

/* So do those of the keeper, and its links to workers of two generations. */
static void
test_open_files_of_the_keeper_count(void **state)
{
	char *out = daemon_start_fails(
		"process = { workers = 6; nofile = 60; };\n"
		"api = { listen = \"unix:api\"; };\n"
		"servers = ( { name = \"e\"; listen = \"127.0.0.1:0\"; } );\n");

	(void)state;
	assert_contains(out,
		"process.nofile is 60, but the keeper of this configuration "
		"needs at least 63 open files");
	free(out);
}

/* Of whom root has started no core is written unless it is wanted, as it has
 * what root's files had. */
static void
test_core_files_of_workers(void **state)
{
	struct daemon *d = daemon_start(CONF_PROCESS("core = \"64k\";"));
	struct rlimit own;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_CORE, &own), 0);
	assert_limit(daemon_worker(d, 0), "Max core file size", 65536, 65536);
	assert_limit(daemon_pid(d), "Max core file size", own.rlim_cur,
		own.rlim_max);
	daemon_write(d, CONF_PROCESS(""));
	reload(d, "ready gen=2");
	assert_limit(daemon_worker(d, 0), "Max core file size", own.rlim_cur,
		own.rlim_max);
	daemon_stop(d);
}

/* What is run in place of the binary: weir with limits of its own. */
struct limited {
	int resource;
	struct rlimit limit;
};

static int
run_limited(int ready_fd, void *arg)
{
	const struct limited *l = arg;

	if (setrlimit(l->resource, &l->limit) == -1)
		return 3;
	return plan_run_file(ready_fd, worker_main);
}

/* 40 listeners are more than the soft limit of the master: it takes what it
 * may have, but not for a worker that can do without; what would be allowed
 * anyway it leaves alone. */
static void
test_master_takes_the_files_that_it_needs(void **state)
{
	static const struct {
		unsigned files, listeners;
		bool raised, for_worker;
	} rows[] = { { 70, 40, true, false }, { 64, 40, true, true },
		{ 128, 1, false, false } };
	struct limited l = { .resource = RLIMIT_NOFILE };
	struct daemon *d;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		d = daemon_new();
		daemon_write(d,
			"process = { workers = 1; };\n"
			"servers = ( { name = \"pg\"; listen = ( %s ); } );\n",
			listen_text(rows[i].listeners));
		assert_int_equal(getrlimit(RLIMIT_NOFILE, &l.limit), 0);
		l.limit.rlim_cur = rows[i].files;
		daemon_launch_function(d, run_limited, &l);
		assert_limit(daemon_pid(d), "Max open files",
			rows[i].raised ? l.limit.rlim_max : rows[i].files,
			l.limit.rlim_max);
		assert_limit(daemon_worker(d, 0), "Max open files",
			rows[i].for_worker ? l.limit.rlim_max : rows[i].files,
			l.limit.rlim_max);
		daemon_stop(d);
	}
}

/* What cannot have a descriptor for each worker says so, and starts none. */
static void
test_too_few_files_are_allowed(void **state)
{
	struct limited l = { RLIMIT_NOFILE, { 64, 64 } };
	struct daemon *d = daemon_new();

	(void)state;
	daemon_write(d, "process = { workers = 80; };\n"
			"servers = ( { listen = \"127.0.0.1:0\"; } );\n");
	daemon_fork_function(d, run_limited, &l);
	daemon_wait_log(d,
		"80 workers, 1 listeners and 1 log files need 114 open files, "
		"but only 64 are allowed (the hard limit, RLIMIT_NOFILE)",
		DAEMON_MS);
	assert_false(daemon_logged(d, "worker 0"));
	daemon_finish(d, 1);
}

#define CONF_WORKERS(n)                                                        \
	"process = { workers = " #n "; pidfile = \"weir.pid\"; };\n"           \
	"servers = ( { name = \"pg\"; listen = \"127.0.0.1:0\"; "              \
	"middlewares = \"echo\"; } );\n"

/* A reload needs them beside all that older generations have open: it is
 * refused before anything of it is started, or takes what it may have. */
static void
test_reload_needs_files(void **state)
{
	struct limited l = { RLIMIT_NOFILE, { 48, 78 } };
	struct daemon *d = daemon_new();
	int fd;

	(void)state;
	daemon_write(d, CONF_WORKERS(1));
	daemon_launch_function(d, run_limited, &l);
	fd = peer_connect(daemon_port(d, "pg", 0));
	peer_send_text(fd, "hello");
	peer_expect_text(fd, "hello");
	reload(d, "ready gen=2");
	assert_limit(daemon_pid(d), "Max open files", 48, 78);
	daemon_write(d, CONF_WORKERS(40));
	assert_int_equal(daemon_say(d, "reload",
				 "generation 3: the reload needs 79 open "
				 "files, for 40 workers, 1 listeners and 1 log "
				 "files beside what runs, but only 78 are "
				 "allowed (the hard limit, RLIMIT_NOFILE)"),
		1);
	assert_false(daemon_logged(d, "worker 1 (pid"));
	peer_half_close(fd);
	peer_read_eof(fd);
	close(fd);
	daemon_wait_log(d, "generation 1 is gone", DAEMON_MS);
	reload(d, "ready gen=4");
	assert_limit(daemon_pid(d), "Max open files", 78, 78);
	daemon_stop(d);
}

/* A core file that the hard limit does not allow: root may raise that, where it
 * has CAP_SYS_RESOURCE. */
static void
test_too_large_a_core_file(void **state)
{
	struct limited l = { RLIMIT_CORE, { 0, 0 } };
	uint64_t caps = strtoull(procs_status(getpid(), "CapEff"), NULL, 16);
	struct daemon *d = daemon_new();

	(void)state;
	daemon_write(d, CONF_PROCESS("core = \"1G\";"));
	if (caps & UINT64_C(1) << CAP_SYS_RESOURCE) {
		daemon_launch_function(d, run_limited, &l);
		assert_limit(daemon_worker(d, 0), "Max core file size", 1 << 30,
			1 << 30);
		daemon_stop(d);
		return;
	}
	daemon_fork_function(d, run_limited, &l);
	daemon_wait_log(d,
		"process.core is 1G, but a core file can be allowed only 0 "
		"bytes",
		DAEMON_MS);
	daemon_finish(d, 1);
}

/* Runs in a worker in front of what it does: leaves libevent no file. */
_Noreturn static void
worker_poor(const struct heritage *h)
{
	struct rlimit few = { 7, 7 };

	setrlimit(RLIMIT_NOFILE, &few);
	worker_main(h);
}

static int
run_poor(int ready_fd, void *arg)
{
	(void)arg;
	return plan_run_file(ready_fd, worker_poor);
}

/* What libevent does not survive at the start is a start that failed, not a
 * crash. */
static void
test_no_file_is_left_for_libevent(void **state)
{
	struct daemon *d = daemon_new();

	(void)state;
	daemon_write(d, CONF_PROCESS(""));
	daemon_fork_function(d, run_poor, NULL);
	daemon_wait_log(d, "Too many open files", DAEMON_MS);
	daemon_wait_log(d, "could not start", DAEMON_MS);
	daemon_finish(d, 1);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		daemon_test(test_open_files_of_workers),
		daemon_test(test_open_files_bound_the_channels),
		daemon_test(
			test_open_files_bound_the_channels_of_each_generation),
		daemon_test(test_too_many_open_files_for_workers),
		daemon_test(test_sockets_of_more_workers_count),
		daemon_test(test_open_files_of_the_keeper_count),
		daemon_test(test_core_files_of_workers),
		daemon_test(test_master_takes_the_files_that_it_needs),
		daemon_test(test_too_few_files_are_allowed),
		daemon_test(test_reload_needs_files),
		daemon_test(test_too_large_a_core_file),
		daemon_test(test_no_file_is_left_for_libevent),
	};

	setproctitle_init(argc, argv, environ);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
