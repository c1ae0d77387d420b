/* test_words.c - the command line: what it takes and how it says no. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/daemon.h"
#include "lib/peer.h"
#include "lib/text.h"

#define CONF "servers = ( { name = \"pg\"; listen = \"127.0.0.1:0\"; } );\n"

/* Wrong usage: exit 1, the option is named, and where to read on. */
static void
refuse(const char *one, const char *two, const char *three, const char *part)
{
	struct daemon *d = daemon_new();
	char *out;

	assert_int_equal(daemon_run(d, &out, one, two, three, NULL), 1);
	assert_contains(out, part);
	assert_contains(out, "weir -h lists the options");
	free(out);
	daemon_teardown(NULL);
}

static void
test_wrong_usage(void **state)
{
	(void)state;
	refuse("-x", NULL, NULL, "unknown option \"-x\"");
	refuse("-tx", NULL, NULL, "unknown option \"-x\"");
	refuse("--nonsense", NULL, NULL, "unknown option \"--nonsense\"");
	refuse("-c", NULL, NULL, "option \"-c\" needs an argument");
	refuse("-o", NULL, NULL, "option \"-o\" needs an argument");
	refuse("-s", NULL, NULL, "option \"-s\" needs an argument");
	refuse("-p", NULL, NULL, "option \"-p\" needs an argument");
	refuse("--ready-fd", NULL, NULL, "\"--ready-fd\" needs an argument");
	refuse("-t", "surplus", NULL, "unexpected argument \"surplus\"");
	refuse("-t", "-V", NULL, "-t and -V do not go together");
	refuse("--man", "--modules", NULL,
		"--man and --modules do not go together");
	refuse("-o", "process.workers", NULL, "wants PATH=VALUE");
	refuse("-o", "=1", NULL, "wants PATH=VALUE");
	refuse("--ready-fd", "77", NULL, "wants an open descriptor");
	refuse("--ready-fd", "-1", NULL, "wants an open descriptor");
	refuse("--ready-fd", "five", NULL, "wants an open descriptor");
	refuse("--ready-fd", "4294967297", NULL, "wants an open descriptor");
}

static void
test_wrong_files(void **state)
{
	struct daemon *d = daemon_new();
	char *out;

	(void)state;
	assert_int_equal(daemon_run(d, &out, "-c", "none.conf", NULL), 1);
	assert_contains(out, "none.conf");
	free(out);
	assert_int_equal(daemon_run(d, &out, "-t", "-c", "none.conf", NULL), 1);
	assert_contains(out, "none.conf");
	free(out);
	assert_int_equal(daemon_run(d, &out, "-p", "none", "-t", NULL), 1);
	assert_contains(out, "prefix \"none\": No such file or directory");
	free(out);
}

static void
test_words_that_only_print(void **state)
{
	static const struct {
		const char *word, *part;
	} rows[] = { { "-V", "weir " }, { "--version", "weir " },
		{ "-h", "--ready-fd N" }, { "-h", "-V, --version" },
		{ "--help", "usage: weir" }, { "--modules", "echo" },
		{ "--man", ".S" } };
	struct daemon *d = daemon_new();
	char *out;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(daemon_run(d, &out, rows[i].word, NULL), 0);
		assert_contains(out, rows[i].part);
		free(out);
	}
}

/* However often: it is said once. */
static void
test_option_said_many_times(void **state)
{
	struct daemon *d = daemon_new();
	char *out;

	(void)state;
	daemon_write(d, CONF);
	assert_int_equal(daemon_run(d, &out, "-dddddddddddddddd", "-tttt",
				 "-qddddddddddddddd", "-c", "weir.conf", NULL),
		0);
	assert_string_equal(out, "");
	free(out);
	assert_int_equal(
		daemon_run(d, &out, "-dddddddd", "-T", "-c", "weir.conf", NULL),
		0);
	assert_contains(out, "process.daemon");
	free(out);
}

/* -t does all that a start does, short of binding. */
static void
test_f24_check_binds_nothing(void **state)
{
	struct daemon *d = daemon_new();
	uint16_t port;
	int i, fd = peer_listen(&port);
	char *out;

	(void)state;
	daemon_write(d,
		"process = { pidfile = \"weir.pid\"; };\n"
		"servers = ( { name = \"pg\"; listen = ( \"127.0.0.1:%u\", "
		"\"unix:a.sock\" ); } );\n",
		port);
	for (i = 0; i < 20; i++) {
		assert_int_equal(
			daemon_run(d, &out, "-t", "-c", "weir.conf", NULL), 0);
		assert_contains(out, "weir.conf: the configuration is good");
		free(out);
		assert_int_equal(access(daemon_path(d, "a.sock"), F_OK), -1);
		assert_int_equal(access(daemon_path(d, "weir.pid"), F_OK), -1);
	}
	assert_int_equal(
		daemon_run(d, &out, "-q", "-t", "-c", "weir.conf", NULL), 0);
	assert_string_equal(out, "");
	free(out);
	assert_int_equal(daemon_run(d, &out, "-T", "-c", "weir.conf", NULL), 0);
	assert_contains(out, "process.workers");
	free(out);
	assert_true(peer_nobody(fd, 0));
	close(fd);
}

/* So are log files, but none is made. */
static void
test_log_files_are_checked(void **state)
{
	static const char *const t[][2] = {
		{ "none/access", "cannot open log file none/access: No such" },
		{ ".", "cannot open log file .: Is a directory" },
		{ "link", "cannot open log file link: it is a symbolic link" },
		{ "access", "the configuration is good" },
	};
	struct daemon *d = daemon_new();
	char *out;
	size_t i;

	(void)state;
	assert_int_equal(symlink("access", daemon_path(d, "link")), 0);
	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		daemon_write(d,
			"servers = ( { listen = \"127.0.0.1:0\"; middlewares ="
			" ( { type = \"log\"; to = \"%s\"; } ); } );\n",
			t[i][0]);
		assert_int_equal(
			daemon_run(d, &out, "-t", "-c", "weir.conf", NULL),
			strstr(t[i][1], "good") == NULL);
		assert_contains(out, t[i][1]);
		free(out);
		assert_int_equal(access(daemon_path(d, "access"), F_OK), -1);
	}
	daemon_write(d, "log = { target = \"none/log\"; };\n" CONF);
	assert_int_equal(daemon_run(d, &out, "-t", "-c", "weir.conf", NULL), 1);
	assert_contains(out, "log.target: cannot open \"none/log\": No such");
	free(out);
	unlink(daemon_path(d, "link"));
}

/* So are the files that workers need, for the sockets of all workers. */
static void
test_open_files_are_checked(void **state)
{
	static const char *const listen[] = {
		"\"127.0.0.1:0\", \"127.0.0.1:0\", \"unix:a.sock\", "
		"\"unix:b.sock\"",
		"{ address = \"127.0.0.1:0\"; reuseport = true; }",
	};
	static const char *const enough[] = { "30", "29" };
	struct daemon *d = daemon_new();
	char *out;
	size_t i;

	(void)state;
	for (i = 0; i < 2; i++) {
		daemon_write(d,
			"process = { workers = 3; nofile = 28; };\n"
			"servers = ( { listen = ( %s ); } );\n",
			listen[i]);
		assert_int_equal(
			daemon_run(d, &out, "-t", "-c", "weir.conf", NULL), 1);
		assert_contains(out, "need at least ");
		assert_contains(out, enough[i]);
		free(out);
		daemon_write(d,
			"process = { workers = 3; nofile = %s; };\n"
			"servers = ( { listen = ( %s ); } );\n",
			enough[i], listen[i]);
		assert_int_equal(
			daemon_run(d, &out, "-t", "-c", "weir.conf", NULL), 0);
		free(out);
	}
	assert_int_equal(access(daemon_path(d, "a.sock"), F_OK), -1);
}

/* -p is where relative paths begin, the configuration's own among them. */
static void
test_prefix(void **state)
{
	struct daemon *d = daemon_new();
	char *out, dir[4096];

	(void)state;
	daemon_write(d, CONF);
	snprintf(dir, sizeof(dir), "%s/..", daemon_dir(d));
	assert_int_equal(
		daemon_run(d, &out, "-p", dir, "-t", "-c", "weir.conf", NULL),
		1);
	free(out);
	snprintf(dir, sizeof(dir), "%s", daemon_dir(d));
	assert_int_equal(
		daemon_run(d, &out, "-p", dir, "-t", "-c", "weir.conf", NULL),
		0);
	free(out);
}

static void
test_log_that_cannot_be_opened(void **state)
{
	char *out = daemon_start_fails(
		"log = { target = \"none/weir.log\"; };\n" CONF);

	(void)state;
	assert_contains(out, "log.target: cannot open \"none/weir.log\": No");
	free(out);
	out = daemon_start_fails(
		"log = { target = \"/proc/self/exe\"; };\n" CONF);
	assert_contains(out, "it is a symbolic link, and links are not "
			     "followed; for the terminal or a service manager "
			     "write \"stderr\"");
	free(out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		daemon_test(test_wrong_usage),
		daemon_test(test_wrong_files),
		daemon_test(test_words_that_only_print),
		daemon_test(test_option_said_many_times),
		daemon_test(test_f24_check_binds_nothing),
		daemon_test(test_log_files_are_checked),
		daemon_test(test_open_files_are_checked),
		daemon_test(test_prefix),
		daemon_test(test_log_that_cannot_be_opened),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
