/* test_denylist_file.c - a denylist that comes from a file. */
#include <poll.h>

#include "denylist_try.h"
#include "lib/relay.h"
#include "lib/reload.h"

static void
file_wants(struct daemon *d, const char *text, const char *log)
{
	daemon_put(d, "next", text);
	assert_int_equal(chmod(daemon_path(d, "next"), 0644), 0);
	{
		char next[512];

		snprintf(next, sizeof(next), "%s", daemon_path(d, "next"));
		assert_int_equal(rename(next, daemon_path(d, "deny")), 0);
	}
	daemon_wait_log(d, log, DAEMON_MS);
}

static void
test_a_file_is_watched(void **state)
{
	struct daemon *d = daemon_new();
	struct http h;

	(void)state;
	assert_int_equal(chmod(daemon_dir(d), 0755), 0);
	daemon_put(d, "deny",
		"# who scans\n127.0.0.2\n127.0.4.0/22 1h # twice\n\n");
	assert_int_equal(chmod(daemon_path(d, "deny"), 0644), 0);
	daemon_write(d, CONF("file = \"%s/deny\";"), daemon_dir(d));
	daemon_launch(d);
	assert_refused_everywhere(d, "127.0.0.2", true);
	assert_refused_everywhere(d, "127.0.7.1", true);
	ask(d, ADD "127.0.0.9", 200);
	ask_wrong(d, DEL "127.0.0.2", 409, "change it there");
	ask_wrong(d, ADD "127.0.0.2", 409, "change it there");
	file_wants(d, "127.0.0.2\nbad\n", "deny:2: not a network");
	assert_refused_everywhere(d, "127.0.7.1", true);
	file_wants(d, "127.0.0.2 2h extra\n", "deny:1: wants a network");
	file_wants(d, "127.0.0.3\n", "deny: 1 networks, 2 others taken away");
	assert_refused_everywhere(d, "127.0.0.2", false);
	assert_refused_everywhere(d, "127.0.7.1", false);
	assert_refused_everywhere(d, "127.0.0.3", true);
	assert_refused_everywhere(d, "127.0.0.9", true);
	assert_int_equal(unlink(daemon_path(d, "deny")), 0);
	daemon_wait_log(d, "the list stays as it was", DAEMON_MS);
	assert_refused_everywhere(d, "127.0.0.3", true);
	h = http_ask(d, LIST, NULL, 200);
	assert_int_equal(http_length(&h, "networks"), 2);
	assert_string_equal(http_string(&h, "networks.0.by"), "file");
	http_done(&h);
	daemon_stop(d);
}

static void
assert_lists(struct daemon *d, int64_t n)
{
	http_until(d, LIST, "total", n);
}

/* A reload that fails in the end has changed nothing. */
static void
test_f18_the_list_of_a_reload_that_fails(void **state)
{
	struct daemon *d = daemon_new();
	unsigned i;

	(void)state;
	relay_use_trial();
	/* A keeper that is killed while it looks for leaks has a child. */
	setenv("ASAN_OPTIONS", "detect_leaks=0:abort_on_error=1", 1);
	assert_int_equal(chmod(daemon_dir(d), 0755), 0);
	daemon_put(d, "deny", "127.0.0.2\n");
	assert_int_equal(chmod(daemon_path(d, "deny"), 0644), 0);
	daemon_put(d, "other", "127.0.0.3\n");
	assert_int_equal(chmod(daemon_path(d, "other"), 0644), 0);
	daemon_write(d, CONF("file = \"%s/deny\";"), daemon_dir(d));
	daemon_launch(d);
	for (i = 2; i < 7; i++) {
		daemon_write(d,
			"process = { workers = 2; pidfile = \"weir.pid\"; };\n"
			"api = { listen = \"unix:api\"; };\n"
			"extensions = ( { type = \"denylist\";\n"
			"  file = \"%s/other\"; } );\n"
			"servers = ( { name = \"e\";\n"
			"  listen = \"127.0.0.1:0\"; middlewares = (\n"
			"  { type = \"heed\"; lame = true; } ); } );\n",
			daemon_dir(d));
		reload_fails(d, i);
		assert_refused_everywhere(d, "127.0.0.3", false);
		assert_refused_everywhere(d, "127.0.0.2", true);
	}
	daemon_write(d, CONF("file = \"%s/other\";"), daemon_dir(d));
	assert_int_equal(daemon_say(d, "reload", "generation 7 serves"), 0);
	daemon_wait_log(d, "other: 1 networks, 1 others taken", DAEMON_MS);
	assert_refused_everywhere(d, "127.0.0.3", true);
	assert_refused_everywhere(d, "127.0.0.2", false);
	/* Nor does anything of it stay when there is no file. */
	ask(d, ADD "127.0.0.4", 200);
	daemon_write(d, CONF(""));
	assert_int_equal(daemon_say(d, "reload", "generation 8 serves"), 0);
	assert_lists(d, 1);
	assert_refused_everywhere(d, "127.0.0.3", false);
	assert_refused_everywhere(d, "127.0.0.4", true);
	daemon_fds_allow(d, 4);
	daemon_stop(d);
}

/* What the list says of how long a network stays. */
static int64_t
left_of(struct daemon *d, const char *path)
{
	struct http h = http_ask(d, LIST, NULL, 200);
	int64_t ms = http_number(&h, path);

	http_done(&h);
	return ms;
}

/* The time of a line runs on, whatever becomes of the others. */
static void
test_times_of_a_file_run_on(void **state)
{
	struct daemon *d = daemon_new();

	(void)state;
	assert_int_equal(chmod(daemon_dir(d), 0755), 0);
	daemon_put(d, "deny", "127.0.0.2 1h\n127.0.0.3 10m\n");
	assert_int_equal(chmod(daemon_path(d, "deny"), 0644), 0);
	daemon_write(d, CONF("file = \"%s/deny\";"), daemon_dir(d));
	daemon_launch(d);
	daemon_clock_advance(d, 20 * 60 * 1000);
	assert_lists(d, 1);
	file_wants(d, "127.0.0.2 1h\n127.0.0.3 10m\n127.0.0.5\n",
		"deny: 3 networks");
	assert_in_range(left_of(d, "networks.0.left_ms"), 0, 2400000);
	assert_refused_everywhere(d, "127.0.0.3", false);
	assert_refused_everywhere(d, "127.0.0.5", true);
	assert_int_equal(daemon_say(d, "reload", "generation 2 serves"), 0);
	assert_refused_everywhere(d, "127.0.0.3", false);
	assert_in_range(left_of(d, "networks.0.left_ms"), 0, 2400000);
	/* Another time is a new one; so is a line that was away. */
	file_wants(d, "127.0.0.2 2h\n127.0.0.5 5m\n127.0.0.5\n",
		"deny: 2 networks");
	assert_in_range(left_of(d, "networks.0.left_ms"), 7000000, 7200000);
	file_wants(d, "127.0.0.3 10m\n", "deny: 1 networks, 2 others");
	assert_refused_everywhere(d, "127.0.0.3", true);
	daemon_fds_allow(d, 4);
	daemon_stop(d);
}

static pid_t
keeper_of(struct daemon *d)
{
	return (pid_t)http_value(d, "GET /v1/status", "keeper.pid");
}

/* A client that reads no answer holds the keeper in its drain: it looks at its
 * file no more, as the list is that of another one. */
static void
test_who_leaves_looks_no_more(void **state)
{
	static const char words[] = "POST /v1/extensions/denylist/list"
				    "?limit=10000 HTTP/1.1\r\nHost: w\r\n"
				    "Content-Length: 0\r\n\r\n";
	struct daemon *d = daemon_new();
	struct pollfd p = { .events = POLLIN };
	char *text = malloc(64 * 10000);
	size_t len = 0;
	pid_t keeper;
	int fd, i;

	(void)state;
	assert_non_null(text);
	assert_int_equal(chmod(daemon_dir(d), 0755), 0);
	for (i = 0; i < 10000; i++)
		len += (size_t)snprintf(text + len, 64 * 10000 - len,
			"10.0.%d.%d\n", i / 250, i % 250);
	daemon_put(d, "deny", text);
	free(text);
	assert_int_equal(chmod(daemon_path(d, "deny"), 0644), 0);
	daemon_put(d, "other", "127.0.0.3\n");
	assert_int_equal(chmod(daemon_path(d, "other"), 0644), 0);
	daemon_write(
		d, CONF("file = \"%s/deny\"; size = \"16M\";"), daemon_dir(d));
	daemon_launch(d);
	keeper = keeper_of(d);
	fd = peer_connect_unix(daemon_path(d, "api"));
	assert_int_equal(
		write(fd, words, sizeof(words) - 1), sizeof(words) - 1);
	p.fd = fd;
	assert_int_equal(poll(&p, 1, DAEMON_MS), 1);
	daemon_write(
		d, CONF("file = \"%s/other\"; size = \"16M\";"), daemon_dir(d));
	assert_int_equal(daemon_say(d, "reload", "generation 2 serves"), 0);
	daemon_wait_log(d, "other: 1 networks, 10000 others taken", DAEMON_MS);
	daemon_put(d, "deny", "127.0.0.2\n");
	assert_true(procs_wait_end(keeper, DAEMON_MS));
	assert_false(daemon_logged(d, "deny: 1 networks"));
	assert_refused_everywhere(d, "127.0.0.2", false);
	assert_refused_everywhere(d, "127.0.0.3", true);
	close(fd);
	daemon_fds_allow(d, 4);
	daemon_stop(d);
}

static void
test_a_line_takes_the_place_of_a_command(void **state)
{
	struct daemon *d = daemon_new();
	struct http h;

	(void)state;
	assert_int_equal(chmod(daemon_dir(d), 0755), 0);
	daemon_put(d, "deny", "127.0.0.3\n");
	assert_int_equal(chmod(daemon_path(d, "deny"), 0644), 0);
	daemon_write(d, CONF("file = \"%s/deny\";"), daemon_dir(d));
	daemon_launch(d);
	ask(d, ADD "127.0.0.2&why=me", 200);
	file_wants(d, "127.0.0.2\n", "deny: 1 networks, 1 others");
	h = http_ask(d, LIST, NULL, 200);
	assert_string_equal(http_string(&h, "networks.0.by"), "file");
	assert_string_equal(http_string(&h, "networks.0.why"), "");
	http_done(&h);
	daemon_stop(d);
}

/* When the list is full, the rest of a file finds its place later. */
static void
test_a_file_that_finds_no_room(void **state)
{
	struct daemon *d = daemon_new();
	char *text = malloc(64 * 1000);
	size_t len = 0;
	int i;

	(void)state;
	assert_non_null(text);
	assert_int_equal(chmod(daemon_dir(d), 0755), 0);
	for (i = 0; i < 1000; i++)
		len += (size_t)snprintf(text + len, 64 * 1000 - len,
			"10.0.%d.%d\n", i / 250, i % 250);
	daemon_put(d, "deny", text);
	free(text);
	assert_int_equal(chmod(daemon_path(d, "deny"), 0644), 0);
	daemon_write(
		d, CONF("file = \"%s/deny\"; size = \"64k\";"), daemon_dir(d));
	daemon_launch(d);
	daemon_wait_log(d,
		"networks of the file are not on the list: it is "
		"full (option \"size\"); they are tried again",
		DAEMON_MS);
	file_wants(d, "127.0.0.2\n", "deny: 1 networks");
	assert_refused_everywhere(d, "127.0.0.2", true);
	daemon_stop(d);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		daemon_test(test_a_file_is_watched),
		daemon_test(test_times_of_a_file_run_on),
		daemon_test(test_a_line_takes_the_place_of_a_command),
		daemon_test(test_a_file_that_finds_no_room),
		daemon_test(test_who_leaves_looks_no_more),
		/* The others look for leaks. */
		daemon_test(test_f18_the_list_of_a_reload_that_fails),
	};

	return cmocka_run_group_tests_name("denylist_file", tests, NULL, NULL);
}
