/* test_paths.c - relative paths begin where weir was started, whatever becomes
 * of that directory. */
#include <sys/stat.h>

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
#include "lib/peer.h"
#include "lib/procs.h"

#define AGAIN "log files were opened again"

static bool
is_there(struct daemon *d, const char *name)
{
	return access(daemon_path(d, name), F_OK) == 0;
}

static void
move(struct daemon *d, const char *from, const char *to)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s", daemon_path(d, from));
	assert_int_equal(rename(path, daemon_path(d, to)), 0);
}

/* A configuration whose paths are all relative, in directory name; in the
 * background the process log is a file, too. */
static void
configure(struct daemon *d, const char *name, const char *listen, bool away)
{
	char path[64], text[1024];

	snprintf(path, sizeof(path), "%s/weir.conf", name);
	snprintf(text, sizeof(text),
		"process = { workers = 1; pidfile = \"weir.pid\"; };\n"
		"log = { target = \"%s\"; };\n"
		"@include \"parts/servers.conf\"\n",
		away ? "../weir.log" : "stderr");
	daemon_put(d, path, text);
	snprintf(path, sizeof(path), "%s/parts", name);
	mkdir(daemon_path(d, path), 0755);
	snprintf(path, sizeof(path), "%s/parts/servers.conf", name);
	snprintf(text, sizeof(text),
		"servers = ( { name = \"pg\"; listen = ( %s ); middlewares = ( "
		"{ type = \"echo\"; }, { type = \"log\"; to = \"access\"; "
		"flush = 0; format = \"line\"; } ); } );\n",
		listen);
	daemon_put(d, path, text);
}

static void
clear(struct daemon *d, const char *name)
{
	static const char *const files[] = { "weir.conf", "weir.pid",
		"weir.pid.ctl", "access", "access.1", "a.sock", "b.sock",
		"parts/servers.conf", "parts" };
	char path[64];
	size_t i;

	for (i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", name, files[i]);
		remove(daemon_path(d, path));
	}
	assert_int_equal(rmdir(daemon_path(d, name)), 0);
}

/* Starts it there, in the foreground or away in the background. */
static struct daemon *
start_in(const char *name, const char *listen, bool away)
{
	struct daemon *d = daemon_new();
	char pidfile[64];

	assert_int_equal(mkdir(daemon_path(d, name), 0755), 0);
	configure(d, name, listen, away);
	daemon_arg(d, "-p");
	daemon_arg(d, name);
	if (!away) {
		daemon_launch(d);
		return d;
	}
	daemon_arg(d, "-d");
	daemon_log_file(d, "weir.log");
	snprintf(pidfile, sizeof(pidfile), "%s/weir.pid", name);
	daemon_launch_background(d, pidfile);
	return d;
}

static void
echo(int fd)
{
	peer_echo(fd, "hello");
	peer_half_close(fd);
	peer_read_eof(fd);
	close(fd);
}

static void
reload(struct daemon *d, const char *outcome)
{
	daemon_signal(d, SIGHUP);
	daemon_wait_log(d, outcome, DAEMON_MS);
}

static void
reopen(struct daemon *d)
{
	daemon_signal(d, SIGUSR1);
	daemon_wait_log(d, AGAIN, DAEMON_MS);
}

/* The files of a directory go with it. */
static void
test_f28_the_start_directory_is_renamed(void **state)
{
	struct daemon *d;
	int away, status;
	char *out;

	(void)state;
	for (away = 0; away < 2; away++) {
		d = start_in("start", "\"unix:a.sock\"", away != 0);
		move(d, "start", "moved");
		echo(peer_connect_unix(daemon_path(d, "moved/a.sock")));
		configure(d, "moved", "\"unix:a.sock\", \"unix:b.sock\"",
			away != 0);
		reload(d, "ready gen=2");
		echo(peer_connect_unix(daemon_path(d, "moved/a.sock")));
		echo(peer_connect_unix(daemon_path(d, "moved/b.sock")));
		move(d, "moved/access", "moved/access.1");
		reopen(d);
		assert_true(is_there(d, "moved/access"));
		status = daemon_run(d, &out, "-p", "moved", "-c", "weir.conf",
			"-s", "status", NULL);
		assert_int_equal(status, 0);
		free(out);
		daemon_signal(d, SIGTERM);
		assert_true(procs_wait_end(daemon_pid(d), DAEMON_MS));
		assert_false(is_there(d, "moved/weir.pid"));
		assert_false(is_there(d, "moved/weir.pid.ctl"));
		assert_false(is_there(d, "moved/a.sock"));
		assert_false(is_there(d, "moved/b.sock"));
		clear(d, "moved");
		daemon_finish(d, 0);
	}
}

/* Without it a reload fails and all goes on; when there is one of that name
 * again, that is meant, and files of others in it are left alone. */
static void
test_f28_the_start_directory_is_deleted(void **state)
{
	struct daemon *d;
	uint16_t port;
	int away;

	(void)state;
	for (away = 0; away < 2; away++) {
		d = start_in("start", "\"127.0.0.1:0\"", away != 0);
		port = daemon_port(d, "pg", 0);
		clear(d, "start");
		daemon_signal(d, SIGHUP);
		daemon_wait_log(d, "relative paths lead nowhere", DAEMON_MS);
		daemon_wait_log(
			d, "generation 2 is given up, 1 goes on", DAEMON_MS);
		reopen(d);
		echo(peer_connect(port));
		assert_int_equal(mkdir(daemon_path(d, "start"), 0755), 0);
		configure(d, "start", "\"127.0.0.1:0\"", away != 0);
		daemon_put(d, "start/weir.pid", "not ours");
		daemon_signal(d, SIGHUP);
		daemon_wait_log(
			d, "relative paths begin in the new", DAEMON_MS);
		daemon_wait_log(d, "ready gen=3", DAEMON_MS);
		echo(peer_connect(port));
		assert_true(is_there(d, "start/access"));
		move(d, "start/access", "start/access.1");
		reopen(d);
		assert_true(is_there(d, "start/access"));
		daemon_signal(d, SIGTERM);
		assert_true(procs_wait_end(daemon_pid(d), DAEMON_MS));
		assert_true(is_there(d, "start/weir.pid"));
		clear(d, "start");
		daemon_finish(d, 0);
	}
}

static void
write_absolute(struct daemon *d, const char *listen)
{
	daemon_write(d,
		"process = { workers = 1; };\n"
		"servers = ( { name = \"pg\"; listen = ( %s );"
		" middlewares = \"echo\"; } );\n",
		listen);
}

/* Who has no relative path does not miss it. */
static void
test_f28_absolute_paths_need_no_start_directory(void **state)
{
	struct daemon *d = daemon_new();
	char conf[4096], sock[4096], listen[4200];
	uint16_t port;

	(void)state;
	snprintf(conf, sizeof(conf), "%s", daemon_path(d, "weir.conf"));
	snprintf(sock, sizeof(sock), "%s", daemon_path(d, "a.sock"));
	snprintf(listen, sizeof(listen), "\"127.0.0.1:0\", \"unix:%s\"", sock);
	assert_int_equal(mkdir(daemon_path(d, "start"), 0755), 0);
	write_absolute(d, "\"127.0.0.1:0\"");
	daemon_arg(d, "-p");
	daemon_arg(d, "start");
	daemon_arg(d, "-c");
	daemon_arg(d, conf);
	daemon_launch(d);
	port = daemon_port(d, "pg", 0);
	clear(d, "start");
	write_absolute(d, listen);
	reload(d, "ready gen=2");
	echo(peer_connect(port));
	echo(peer_connect_unix(sock));
	write_absolute(d, "\"127.0.0.1:0\"");
	reload(d, "ready gen=3");
	echo(peer_connect(port));
	assert_false(is_there(d, "a.sock"));
	reopen(d);
	daemon_stop(d);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		daemon_test(test_f28_the_start_directory_is_renamed),
		daemon_test(test_f28_the_start_directory_is_deleted),
		daemon_test(test_f28_absolute_paths_need_no_start_directory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
