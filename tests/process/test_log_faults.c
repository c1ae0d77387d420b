/* test_log_faults.c - log files on a full disk, pipes and sockets that nobody
 * reads: lines are dropped and counted, traffic goes on. */
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <fcntl.h>
#include <setjmp.h>
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
#include "lib/procs.h"

#define DISK   65536 /* bytes of the small disk */
#define BUFFER 65536 /* bytes that wait for it in a worker */
#define PAD    1000  /* bytes of a line, about */
#define LATE   2000  /* ms that a connection may take, at most */

static bool mounted, limited;
static struct rlimit before;
static char pad[PAD + 1];

/* Makes "disk" of the directory: a file system of 64 kB where that can be
 * mounted, else no file may become longer than that. */
static void
disk_make(void)
{
	struct rlimit few = { .rlim_cur = DISK };
	char size[32];

	assert_int_equal(mkdir(logdir_at("disk"), 0755), 0);
	snprintf(size, sizeof(size), "size=%d", DISK);
	mounted = mount("none", logdir_at("disk"), "tmpfs", 0, size) == 0;
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	few.rlim_max = before.rlim_max;
	limited = !mounted;
	if (limited)
		assert_int_equal(setrlimit(RLIMIT_FSIZE, &few), 0);
}

static int
disk_setup(void **state)
{
	memset(pad, 'p', PAD);
	return logdir_setup(state);
}

static int
disk_teardown(void **state)
{
	int rc = daemon_teardown(state);

	unlink(logdir_at("disk/access"));
	unlink(logdir_at("disk/log"));
	if (mounted)
		umount2(logdir_at("disk"), MNT_DETACH);
	if (limited)
		setrlimit(RLIMIT_FSIZE, &before);
	mounted = limited = false;
	rmdir(logdir_at("disk"));
	return logdir_teardown(state) == 0 ? rc : -1;
}

/* Connections that carry bytes, none of which waits for a log. */
static void
visit(struct daemon *d, unsigned n)
{
	int64_t begin;

	while (n-- > 0) {
		begin = procs_now();
		logdir_visit(d, "hello");
		assert_in_range(procs_now() - begin, 0, LATE);
	}
}

/* How many lines were lost, as it says when it can write again. */
static unsigned
lost_lines(struct daemon *d)
{
	static const char again[] = "disk/access: lines are written again; ";
	char *all = logdir_read(daemon_path(d, "stderr.txt"));
	const char *at = strstr(all, again);
	unsigned n;

	assert_non_null(at);
	n = (unsigned)strtoul(at + sizeof(again) - 1, NULL, 10);
	free(all);
	return n;
}

/* Beyond disk and buffer lines are dropped, and one line says so; with room
 * again it goes on by itself.  What was written is whole, and none is missing
 * but those that were counted. */
static void
test_f57_full_disk(void **state)
{
	const unsigned many = (DISK + BUFFER) / PAD + 50;
	struct daemon *d;
	unsigned whole;

	(void)state;
	disk_make();
	d = logdir_daemon(1,
		"to = \"%s\"; flush = 0; format = \"<%%{bytes.up} %s>\";",
		logdir_at("disk/access"), pad);
	daemon_launch(d);
	visit(d, many);
	assert_int_equal(daemon_log_count(d, "disk/access: "), 1);
	assert_true(daemon_logged(d, "disk/access: 1 line was lost: "));
	whole = logdir_count(logdir_at("disk/access"), "p>\n");
	assert_in_range(whole, DISK / PAD / 2, DISK / PAD);
	assert_int_equal(truncate(logdir_at("disk/access"), 0), 0);
	daemon_clock_advance(d, 1000);
	daemon_wait_log(d, "lines are written again; ", DAEMON_MS);
	visit(d, 2);
	whole += lost_lines(d);
	daemon_stop(d);
	whole += logdir_count(logdir_at("disk/access"), "p>\n");
	assert_int_equal(whole, many + 2);
}

/* The same for the log of the processes, which counts as well. */
static void
test_f57_full_disk_of_the_process_log(void **state)
{
	struct daemon *d = daemon_new();

	(void)state;
	disk_make();
	daemon_write(d,
		"process = { workers = 1; };\n"
		"log = { target = \"%s\"; };\n"
		"servers = ( { name = \"e\"; listen = \"127.0.0.1:0\"; "
		"middlewares = ( { type = \"echo\"; }, { type = \"log\"; "
		"format = \"<%s>\"; } ); } );\n",
		logdir_at("disk/log"), pad);
	daemon_launch(d);
	visit(d, DISK / PAD + 20);
	assert_int_equal(logdir_count(logdir_at("disk/log"), "lost"), 0);
	assert_int_equal(truncate(logdir_at("disk/log"), 0), 0);
	visit(d, 2);
	logdir_wait(logdir_at("disk/log"), " log lines were lost\n");
	assert_int_equal(logdir_count(logdir_at("disk/log"), "lost"), 1);
	/* And the last one of before, when it came late. */
	assert_in_range(logdir_count(logdir_at("disk/log"), "p>\n"), 2, 3);
	daemon_stop(d);
}

/* Opens a pipe of one page for reading, as a program that never reads. */
static int
pipe_make(const char *path)
{
	int fd;

	assert_int_equal(mkfifo(path, 0666), 0);
	fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	assert_int_not_equal(fd, -1);
	assert_int_not_equal(fcntl(fd, F_SETPIPE_SZ, 4096), -1);
	return fd;
}

/* Reads a pipe until it has text. */
static void
pipe_wait(struct daemon *d, int fd, const char *text)
{
	int64_t end = procs_now() + DAEMON_MS;
	char got[8192];
	size_t n = 0;
	ssize_t more;

	for (;;) {
		got[n] = '\0';
		if (strstr(got, text) != NULL)
			return;
		if (procs_now() > end)
			fail_msg("no \"%s\" in the pipe", text);
		if (n > sizeof(got) / 2) {
			memmove(got, got + n - 256, 256);
			n = 256;
		}
		more = read(fd, got + n, sizeof(got) - 1 - n);
		if (more > 0)
			n += (size_t)more;
		else
			visit(d, 1); /* which writes more of them */
	}
}

/* Neither log is waited for while nobody reads it; who reads again learns how
 * many lines he has missed. */
static void
test_f58_full_pipes(void **state)
{
	int lines = pipe_make(logdir_at("lines")),
	    process = pipe_make(logdir_at("process"));
	struct daemon *d = daemon_new();

	(void)state;
	daemon_write(d,
		"process = { workers = 1; };\n"
		"log = { target = \"%s\"; };\n"
		"servers = ( { name = \"e\"; listen = \"127.0.0.1:0\"; "
		"middlewares = ( { type = \"echo\"; }, { type = \"log\"; "
		"format = \"<%s>\"; }, { type = \"log\"; name = \"lines\"; "
		"to = \"%s\"; flush = 0; format = \"<%s>\"; } ); } );\n",
		logdir_at("process"), pad, logdir_at("lines"), pad);
	daemon_launch(d);
	visit(d, BUFFER / PAD + 30);
	pipe_wait(d, process, " log lines were lost\n");
	pipe_wait(d, lines, "p>\n");
	daemon_stop(d);
	close(lines);
	close(process);
}

/* A FIFO that nobody reads from is refused instead of waited for. */
static void
test_f58_fifo_without_reader(void **state)
{
	char *said;

	(void)state;
	assert_int_equal(mkfifo(logdir_at("fifo"), 0666), 0);
	said = daemon_start_fails("log = { target = \"%s\"; };\n"
				  "servers = ( { listen = \"127.0.0.1:0\"; } "
				  ");\n",
		logdir_at("fifo"));
	assert_non_null(strstr(said, "that no process reads from"));
	free(said);
}

/* A syslog daemon that stands still, for both kinds of lines. */
static void
test_f58_full_syslog(void **state)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int s = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct daemon *d = daemon_new();
	char env[128], got[8192];
	struct timeval limit = { .tv_sec = DAEMON_MS / 1000 };
	ssize_t n;

	(void)state;
	snprintf(un.sun_path, sizeof(un.sun_path), "%s/socket", logdir);
	assert_int_equal(bind(s, (struct sockaddr *)&un, sizeof(un)), 0);
	assert_int_equal(chmod(un.sun_path, 0666), 0);
	assert_int_equal(
		setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)),
		0);
	snprintf(env, sizeof(env), "WEIR_TEST_SYSLOG=%s", un.sun_path);
	daemon_env(d, env);
	daemon_write(d,
		"process = { workers = 1; };\n"
		"log = { target = \"syslog\"; };\n"
		"servers = ( { name = \"e\"; listen = \"127.0.0.1:0\"; "
		"middlewares = ( { type = \"echo\"; }, { type = \"log\"; "
		"format = \"<%s>\"; }, { type = \"log\"; name = \"lines\"; "
		"to = \"syslog\"; flush = 0; format = \"<%s>\"; } ); } );\n",
		pad, pad);
	daemon_launch(d);
	visit(d, 600);
	do {
		n = recv(s, got, sizeof(got) - 1, 0);
		if (n == -1)
			fail_msg("the log does not tell of lost lines");
		got[n] = '\0';
		visit(d, 1);
	} while (strstr(got, " log lines were lost") == NULL);
	daemon_stop(d);
	close(s);
}

#define disk_test(f)                                                           \
	cmocka_unit_test_setup_teardown(f, disk_setup, disk_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		disk_test(test_f57_full_disk),
		disk_test(test_f57_full_disk_of_the_process_log),
		disk_test(test_f58_full_pipes),
		disk_test(test_f58_fifo_without_reader),
		disk_test(test_f58_full_syslog),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
