/* test_reopen.c - log files are opened again under load: no line is lost or
 * split, and nobody waits for a worker that is deaf. */
#include <sys/stat.h>

#include <dirent.h>
#include <poll.h>
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

/* Lines of all files that begin with "access", each whole. */
static unsigned
whole_lines(void)
{
	struct dirent *e;
	unsigned n = 0;
	DIR *all = opendir(logdir);

	assert_non_null(all);
	while ((e = readdir(all)) != NULL) {
		char *text, *line, *end;

		if (strncmp(e->d_name, "access", 6) != 0)
			continue;
		text = logdir_read(logdir_at("%s", e->d_name));
		for (line = text; *line != '\0'; line = end + 1, n++) {
			end = strchr(line, '\n');
			assert_non_null(end);
			assert_memory_equal(line, "<client=", 8);
			assert_memory_equal(end - 5, " end>", 5);
		}
		free(text);
	}
	closedir(all);
	return n;
}

static void
test_f59_reopened_under_load(void **state)
{
	struct daemon *d;
	int i, j, fds;

	(void)state;
	d = logdir_daemon(2,
		"to = \"%s\"; flush = \"100ms\";"
		" format = \"<client=%%{client.addr} end>\";",
		logdir_at("access"));
	daemon_launch(d);
	fds = procs_fds(daemon_pid(d));
	for (i = 0; i < 100; i++) {
		for (j = 0; j < 10; j++)
			logdir_visit(d, "x");
		assert_int_equal(
			rename(logdir_at("access"), logdir_at("access.%d", i)),
			0);
		daemon_signal(d, SIGUSR1);
		for (j = 0; j < 10; j++)
			logdir_visit(d, "x");
		daemon_wait_log(d, LOGDIR_AGAIN, DAEMON_MS);
	}
	assert_int_equal(procs_fds(daemon_pid(d)), fds);
	daemon_stop(d);
	assert_int_equal(whole_lines(), 2000);
}

/* Those that are open at the rename, one of them in the middle of its bytes,
 * end after it: each has its one line, and that is in the new file. */
static void
test_f59_reopened_with_open_channels(void **state)
{
	enum { OPEN = 8, BYTES = 1 << 20, TURNS = 20 };
	char *bytes = malloc(BYTES), *back = malloc(BYTES);
	int fds[OPEN], turn, i;
	struct daemon *d;

	(void)state;
	assert_non_null(bytes);
	assert_non_null(back);
	memset(bytes, 'x', BYTES);
	d = logdir_daemon(2,
		"to = \"%s\"; flush = \"100ms\";"
		" format = \"<client=%%{client.addr} end>\";",
		logdir_at("access"));
	daemon_launch(d);
	for (turn = 0; turn < TURNS; turn++) {
		for (i = 0; i < OPEN; i++) {
			fds[i] = peer_connect(daemon_port(d, "e", 0));
			peer_send_text(fds[i], "a");
			peer_expect_text(fds[i], "a");
		}
		peer_send_all(fds[0], bytes, BYTES / 4);
		peer_read_exact(fds[0], back, 1);
		assert_int_equal(rename(logdir_at("access"),
					 logdir_at("access.%d", turn)),
			0);
		logdir_reopen(d);
		peer_read_exact(fds[0], back, BYTES / 4 - 1);
		for (i = 0; i < OPEN; i++) {
			peer_half_close(fds[i]);
			peer_read_eof(fds[i]);
			close(fds[i]);
		}
		while (logdir_count(logdir_at("access"), " end>\n") < OPEN)
			poll(NULL, 0, 2);
	}
	free(bytes);
	free(back);
	daemon_stop(d);
	assert_int_equal(whole_lines(), TURNS * OPEN);
}

/* The process log is opened again as well, in all processes. */
static void
test_process_log_is_reopened(void **state)
{
	struct daemon *d = daemon_new();
	pid_t worker;

	(void)state;
	daemon_write(d,
		"process = { workers = 1; pidfile = \"weir.pid\"; };\n"
		"log = { target = \"log\"; };\n"
		"servers = ( { name = \"e\"; listen = \"127.0.0.1:0\";\n"
		"  middlewares = ( { type = \"echo\"; },\n"
		"    { type = \"log\"; } ); } );\n");
	daemon_log_file(d, "log");
	daemon_launch(d);
	logdir_visit(d, "old");
	daemon_wait_log(d, "up=3", DAEMON_MS);
	worker = daemon_worker(d, 0);
	assert_int_equal(rename(daemon_path(d, "log"), logdir_at("log.1")), 0);
	assert_int_equal(daemon_say(d, "reopen", ""), 0);
	daemon_log_file(d, "log");
	daemon_wait_log(d, LOGDIR_AGAIN, DAEMON_MS);
	/* One that is started now gets the new one, too. */
	daemon_expect_alert(d, "was killed by signal 9");
	kill(worker, SIGKILL);
	daemon_wait_log(d, "is ready", DAEMON_MS);
	logdir_visit(d, "newer");
	daemon_wait_log(d, "up=5", DAEMON_MS);
	daemon_stop(d);
	assert_int_equal(logdir_count(logdir_at("log.1"), "up=3"), 1);
	assert_int_equal(logdir_count(logdir_at("log.1"), "up=5"), 0);
}

/* A generation that drains has the log that it had; the master has the one of
 * the present generation. */
static void
test_f59_reopened_while_one_drains(void **state)
{
	static const char conf[] =
		"process = { workers = 1; };\n"
		"log = { target = \"%s\"; };\n"
		"servers = ( { name = \"e\"; listen = \"127.0.0.1:0\";\n"
		"  middlewares = ( { type = \"echo\"; } ); } );\n";
	struct daemon *d = daemon_new();
	int fd;

	(void)state;
	daemon_write(d, conf, "log");
	daemon_log_file(d, "log");
	daemon_launch(d);
	fd = peer_connect(daemon_port(d, "e", 0));
	peer_send_text(fd, "a");
	peer_expect_text(fd, "a");
	daemon_write(d, conf, "log2");
	daemon_signal(d, SIGHUP);
	daemon_wait_log(d, "draining: 1 channels", DAEMON_MS);
	daemon_log_file(d, "log2");
	daemon_wait_log(d, "ready gen=2", DAEMON_MS);
	daemon_signal(d, SIGUSR1);
	daemon_wait_log(d, LOGDIR_AGAIN, DAEMON_MS);
	close(fd);
	daemon_wait_log(d, "generation 1 is gone", DAEMON_MS);
	daemon_stop(d);
}

static void
test_f59_missing_directory_keeps_the_old_file(void **state)
{
	struct daemon *d;

	(void)state;
	assert_int_equal(mkdir(logdir_at("sub"), 0755), 0);
	d = logdir_daemon(
		1, "to = \"%s\"; flush = 0;", logdir_at("sub/access"));
	daemon_launch(d);
	assert_int_equal(rename(logdir_at("sub"), logdir_at("gone")), 0);
	logdir_reopen(d);
	assert_true(daemon_logged(d, "No such file or directory; the old"));
	logdir_visit(d, "hello");
	logdir_wait(logdir_at("gone/access"), "reason=done");
	/* It is mended. */
	assert_int_equal(mkdir(logdir_at("sub"), 0755), 0);
	logdir_reopen(d);
	logdir_visit(d, "hello");
	logdir_wait(logdir_at("sub/access"), "reason=done");
	daemon_stop(d);
	unlink(logdir_at("sub/access"));
	unlink(logdir_at("gone/access"));
	rmdir(logdir_at("sub"));
	rmdir(logdir_at("gone"));
}

/* A worker that hears nothing holds up nobody, and is not drowned. */
static void
test_deaf_worker(void **state)
{
	struct daemon *d;
	pid_t deaf;
	int i;

	(void)state;
	d = logdir_daemon(1, "to = \"%s\"; flush = 0;", logdir_at("access"));
	daemon_launch(d);
	deaf = daemon_worker(d, 0);
	assert_int_equal(kill(deaf, SIGSTOP), 0);
	for (i = 0; i < 300; i++)
		logdir_reopen(d);
	assert_int_equal(rename(logdir_at("access"), logdir_at("access.1")), 0);
	logdir_reopen(d);
	assert_int_equal(kill(deaf, SIGCONT), 0);
	/* It goes from the first to the last one. */
	do
		logdir_visit(d, "hello");
	while (logdir_count(logdir_at("access"), "reason=done") == 0);
	daemon_stop(d);
}

/* Two files and an address; the second file tells that it is being loaded. */
static void
write_generation(struct daemon *d, const char *to, uint16_t port)
{
	daemon_write(d,
		"process = { workers = 1; };\n"
		"servers = ( { name = \"e\"; listen = ( \"127.0.0.1:0\", "
		"\"127.0.0.1:%u\" ); middlewares = ( { type = \"echo\"; }, "
		"{ type = \"log\"; to = \"%s\"; flush = 0; } ); } );\n",
		port, to);
}

/* Waits for the end of that reload; was it the new generation that came? */
static bool
reload_ended_well(struct daemon *d, unsigned generation)
{
	int64_t end = procs_now() + DAEMON_MS;
	char good[64], bad[64];

	snprintf(good, sizeof(good), "ready gen=%u ", generation);
	snprintf(bad, sizeof(bad), "generation %u is given up", generation);
	while (!daemon_logged(d, good)) {
		if (daemon_logged(d, bad))
			return false;
		assert_true(procs_now() < end);
		poll(NULL, 0, 2);
	}
	return true;
}

/* One that is just being loaded goes on with the new file as well. */
static void
test_f59_reopened_while_reloading(void **state)
{
	struct daemon *d = daemon_new();
	char loading[64];
	uint16_t port;
	unsigned gen = 2;
	bool ready = false;
	int busy;

	(void)state;
	write_generation(d, logdir_at("first"), 0);
	daemon_launch(d);
	/* It is to bind a port that somebody has for a moment: how long such a
	 * reload lasts is not ours to say, so it may take more than one. */
	while (!ready) {
		busy = peer_listen(&port);
		unlink(logdir_at("access"));
		write_generation(d, logdir_at("access"), port);
		daemon_signal(d, SIGHUP);
		snprintf(loading, sizeof(loading), "as generation %u", gen);
		daemon_wait_log(d, loading, DAEMON_MS);
		while (access(logdir_at("access"), F_OK) == -1)
			poll(NULL, 0, 2);
		assert_int_equal(
			rename(logdir_at("access"), logdir_at("access.1")), 0);
		logdir_reopen(d);
		close(busy);
		ready = reload_ended_well(d, gen++);
	}
	logdir_visit(d, "hello");
	logdir_wait(logdir_at("access"), "reason=done");
	daemon_stop(d);
	assert_int_equal(logdir_count(logdir_at("access.1"), "reason=done"), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		logdir_test(test_f59_reopened_under_load),
		logdir_test(test_f59_reopened_with_open_channels),
		logdir_test(test_process_log_is_reopened),
		logdir_test(test_f59_reopened_while_one_drains),
		logdir_test(test_f59_missing_directory_keeps_the_old_file),
		logdir_test(test_deaf_worker),
		logdir_test(test_f59_reopened_while_reloading),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
