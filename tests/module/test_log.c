/* test_log.c - what lines say of a channel, when they come, and that nobody
 * else has a say in it. */
#include <sys/socket.h>
#include <sys/un.h>

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/addr.h"
#include "base/fd.h"
#include "base/target.h"
#include "lib/entry.h"
#include "lib/pair.h"
#include "lib/said.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define FILES	 2 /* the process log of the entry, and its own */

static struct entry entry;
static char path[] = "/tmp/weir-lines-XXXXXX";
static int fds[FILES];

/* A log entry that writes to a file, and these options. */
static void
lines_load(const char *options)
{
	char text[1024];
	int fd;

	memcpy(path + sizeof(path) - 7, "XXXXXX", 6);
	fd = mkstemp(path);
	assert_int_not_equal(fd, -1);
	close(fd);
	snprintf(text, sizeof(text), "to = \"%s\"; flush = 0; %s", path,
		options);
	pair_start(NULL);
	entry_load(&entry, "log", text, NULL);
	rig_add(&rig, entry.stage->mw, entry.stage->conf);
}

/* The rig has started: the files of its worker. */
static void
lines_open(void)
{
	size_t i;

	assert_int_equal(entry.conf->logfiles.n, FILES);
	for (i = 0; i < FILES; i++)
		fds[i] = target_open(conf_logfile_at(entry.conf, i)->text);
	assert_int_equal(
		sinks_init(&rig.loop.sinks, &rig.loop.poller, entry.conf, fds),
		0);
}

static void
lines_start(const char *options)
{
	lines_load(options);
	rig_add(&rig, &rig_dial, &dial);
	rig_start(&rig);
	lines_open();
	rig_join(&rig, listener, &client, &server);
}

static void
lines_close(void)
{
	rig_close(&client);
	rig_close(&server);
	rig_until(&rig, rig_ends.n == rig.opened);
}

static void
lines_stop(void)
{
	size_t i;

	lines_close();
	sinks_done(&rig.loop.sinks);
	for (i = 0; i < FILES; i++)
		if (fds[i] != STDERR_FILENO)
			fd_close(&fds[i]);
	pair_stop(NULL);
	entry_free(&entry);
	unlink(path);
}

static void
assert_lines(const char *wanted)
{
	static char text[65536];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = read(fd, text, sizeof(text) - 1);

	close(fd);
	assert_true(n >= 0);
	text[n] = '\0';
	assert_string_equal(text, wanted);
}

static void
relay(const char *up, const char *down)
{
	rig_say(client, up);
	rig_hear(&rig, server, up);
	rig_say(server, down);
	rig_hear(&rig, client, down);
}

static void
test_a_line_at_the_end(void **state)
{
	(void)state;
	lines_start("format = \"up=%{bytes.up} down=%{bytes.down} "
		    "%{end.reason} why=\\\"%{end.why}\\\" 100%%\";");
	relay("hello", "hi");
	assert_lines("");
	lines_close();
	assert_lines("up=5 down=2 done why=\"-\" 100%\n");
	lines_stop();
}

/* All that is said when nothing is asked for. */
static void
test_the_default_line(void **state)
{
	(void)state;
	pair_start(NULL);
	entry_load(&entry, "log", "", NULL);
	rig_add(&rig, entry.stage->mw, entry.stage->conf);
	pair_join();
	relay("hello", "hi");
	rig_close(&client);
	rig_close(&server);
	rig_until(&rig, rig_ends.n == 1);
	assert_true(rig_logged(&rig, "client=127.0.0.1:"));
	assert_true(rig_logged(&rig, " listen=rig server=rig backend=127.0."));
	assert_true(rig_logged(&rig, " up=5 down=2 ms="));
	assert_true(rig_logged(&rig, " reason=done by=client why=\"-\"\n"));
	pair_stop(NULL);
	entry_free(&entry);
}

static void
test_json(void **state)
{
	(void)state;
	lines_start("json = true; format = \"%{server.name} %{bytes.up} x "
		    "%{end.errno}\";");
	relay("hello", "hi");
	lines_close();
	assert_lines("{\"server.name\":\"rig\",\"bytes.up\":5,"
		     "\"end.errno\":null}\n");
	lines_stop();
}

static void
test_each_moment(void **state)
{
	static const struct {
		const char *at, *wanted;
	} t[] = {
		{ "\"open\"", "open 0\n" },
		{ "\"connect\"", "connect 0\n" },
		{ "[ \"close\", \"open\" ]", "open 0\nclose 5\n" },
		{ "[ \"open\", \"connect\", \"close\" ]",
			"open 0\nconnect 0\nclose 5\n" },
	};
	char options[256];
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(t); i++) {
		snprintf(options, sizeof(options),
			"format = \"%%{log.event} %%{bytes.up}\"; at = %s;",
			t[i].at);
		lines_start(options);
		relay("hello", "hi");
		lines_close();
		assert_lines(t[i].wanted);
		lines_stop();
	}
}

/* Bytes since the line before, whatever that was written for. */
static void
test_every_so_often(void **state)
{
	(void)state;
	lines_start("every = \"10s\"; at = [ \"connect\", \"close\" ]; format "
		    "= \"%{log.event} %{log.up_delta} %{log.down_delta}\";");
	assert_lines("connect 0 0\n");
	relay("hello", "hi");
	rig_advance(&rig, 5000);
	assert_lines("connect 0 0\n");
	rig_advance(&rig, 5000);
	assert_lines("connect 0 0\nevery 5 2\n");
	rig_advance(&rig, 10000);
	assert_lines("connect 0 0\nevery 5 2\nevery 0 0\n");
	relay("x", "yz");
	rig_advance(&rig, 10000);
	relay("abc", "d");
	lines_close();
	assert_lines("connect 0 0\nevery 5 2\nevery 0 0\nevery 1 2\n"
		     "close 3 1\n");
	lines_stop();
}

/* A channel that comes from a path that its client made up. */
static void
visit_from(const char *from)
{
	struct weir_addr a = { .un = { .sun_family = AF_UNIX } };
	int two[2];

	memcpy(a.un.sun_path, from, strlen(from));
	a.len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) +
			    strlen(from) + 1);
	assert_int_equal(
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
			0, two),
		0);
	client = two[1];
	rig.opened++;
	engine_accept(&rig.engine, two[0], &a, 0);
	lines_close();
}

static void
test_no_field_is_forged(void **state)
{
	static const char from[] = "/c server=ssh why=\"no\"\nclient=x";
	static const struct {
		const char *options, *wanted;
	} t[] = {
		{ "format = \"client=%{client.addr} server=%{server.name}\";",
			"client=unix:/c\\x20server=ssh\\x20why=\\x22no\\x22"
			"\\x0aclient=x server=rig\n" },
		{ "format = \"client=\\\"%{client.addr}\\\" %{server.name}\";",
			"client=\"unix:/c server=ssh why=\\x22no\\x22"
			"\\x0aclient=x\" rig\n" },
		{ "json = true; format = \"%{client.addr} %{server.name}\";",
			"{\"client.addr\":\"unix:/c server=ssh "
			"why=\\\"no\\\"\\u000aclient=x\","
			"\"server.name\":\"rig\"}\n" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(t); i++) {
		lines_load(t[i].options);
		rig_start(&rig);
		lines_open();
		visit_from(from);
		assert_lines(t[i].wanted);
		lines_stop();
	}
	/* The process log, and the default. */
	pair_start(NULL);
	entry_load(&entry, "log", "", NULL);
	rig_add(&rig, entry.stage->mw, entry.stage->conf);
	rig_start(&rig);
	visit_from(from);
	assert_true(rig_logged(&rig, "client=unix:/c\\x20server=ssh\\x20why="));
	assert_false(rig_logged(&rig, " server=ssh"));
	pair_stop(NULL);
	entry_free(&entry);
}

static void
test_options_have_to_fit(void **state)
{
	static const char *const t[][2] = {
		{ "", "" },
		{ "to = \"/x\"; json = true;", "" },
		{ "to = \"/x\"; json = true; format = \"%%%{client.ip}\";",
			"" },
		{ "json = true;", "\"json\" wants \"to\": a line of the" },
		{ "to = \"/x\"; json = true; format = \"x\";",
			"\"json\" wants variables such as %{client.addr}" },
		{ "to = \"/x\"; json = true; format = \"%%{client.ip}\";",
			"\"json\" wants variables such as %{client.addr}" },
		{ "format = \"\";", "option \"format\" = \"\": empty" },
		{ "at = \"never\";",
			"\"at\" wants \"open\", \"connect\" or \"close\", not "
			"\"never\"\n" },
		{ "at = \"every\";",
			"not \"every\": write every = \"10s\" for lines in "
			"between\n" },
		{ "at = [ ];", "option \"at\" is empty" },
		{ "to = \"\";", "option \"to\" = \"\": empty" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(t); i++)
		said_of("log", t[i][0], t[i][1]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_line_at_the_end),
		cmocka_unit_test(test_the_default_line),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_each_moment),
		cmocka_unit_test(test_every_so_often),
		cmocka_unit_test(test_no_field_is_forged),
		cmocka_unit_test(test_options_have_to_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
