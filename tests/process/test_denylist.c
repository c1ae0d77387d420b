/* test_denylist.c - networks that every server refuses, of a real weir. */
#include "denylist_try.h"

static void
test_commands(void **state)
{
	struct daemon *d = daemon_start(CONF(""));
	struct http h;

	(void)state;
	ask(d, ADD "127.0.0.2&ttl=1h&why=scans", 200);
	ask(d, ADD "127.0.8.0/21", 200);
	ask(d, ADD "2001:db8::/32&ttl=off", 200);
	assert_refused_everywhere(d, "127.0.0.2", true);
	assert_refused_everywhere(d, "127.0.15.255", true);
	assert_refused_everywhere(d, "127.0.16.0", false);
	assert_refused_everywhere(d, "127.0.0.1", false);
	h = http_ask(d, LIST, NULL, 200);
	assert_int_equal(http_length(&h, "networks"), 3);
	assert_string_equal(http_string(&h, "networks.0.network"), "127.0.0.2");
	assert_string_equal(http_string(&h, "networks.0.by"), "command");
	assert_string_equal(http_string(&h, "networks.0.why"), "scans");
	assert_in_range(
		http_number(&h, "networks.0.left_ms"), 3500000, 3600000);
	assert_string_equal(
		http_string(&h, "networks.1.network"), "127.0.8.0/21");
	assert_string_equal(
		http_string(&h, "networks.2.network"), "2001:db8::/32");
	http_done(&h);
	ask(d, DEL "127.0.0.2", 200);
	assert_refused_everywhere(d, "127.0.0.2", false);
	ask(d, "POST /v1/extensions/denylist/clear", 200);
	assert_refused_everywhere(d, "127.0.8.1", false);
	h = http_ask(d, LIST, NULL, 200);
	assert_int_equal(http_length(&h, "networks"), 0);
	http_done(&h);
	assert_true(daemon_logged(d, "this client is on the denylist") ||
		    !daemon_logged(d, "denied"));
	daemon_stop(d);
}

static void
test_what_is_wrong_is_said(void **state)
{
	struct daemon *d = daemon_start(CONF(""));

	(void)state;
	ask_wrong(d, "POST /v1/extensions/denylist/add", 400, "which network");
	ask_wrong(d, ADD "nonsense", 400, "\"nonsense\": not a network");
	ask_wrong(d, ADD "127.0.0.2/8", 400, "bits set behind its prefix");
	ask_wrong(d, ADD "all", 400, "0.0.0.0/0");
	ask_wrong(d, ADD "127.0.0.3&ttl=soon", 400, "ttl \"soon\"");
	ask_wrong(d, DEL "127.0.0.3", 404, "is not on the list");
	ask_wrong(d, "POST /v1/extensions/denylist/nosuch", 404, "no command");
	assert_refused_everywhere(d, "127.0.0.2", false);
	daemon_stop(d);
}

static void
test_each_has_its_time(void **state)
{
	struct daemon *d = daemon_start(CONF("ttl = \"300ms\";"));
	int left = DAEMON_MS;

	(void)state;
	ask(d, ADD "127.0.0.2", 200);
	ask(d, ADD "127.0.0.3&ttl=1h", 200);
	assert_refused_everywhere(d, "127.0.0.3", true);
	while (is_refused(d, "e", "127.0.0.2") && left-- > 0)
		;
	assert_true(left > 0);
	assert_refused_everywhere(d, "127.0.0.2", false);
	assert_refused_everywhere(d, "127.0.0.3", true);
	daemon_stop(d);
}

/* Nor does it end when workers and keeper are killed. */
static void
test_kept_over_reload_and_kills(void **state)
{
	struct daemon *d = daemon_start(CONF(""));
	struct http h;
	pid_t keeper;

	(void)state;
	ask(d, ADD "127.0.0.2", 200);
	h = http_ask(d, "GET /v1/status", NULL, 200);
	keeper = (pid_t)http_number(&h, "keeper.pid");
	http_done(&h);
	daemon_expect_alert(d, "keeper (pid");
	assert_int_equal(kill(keeper, SIGKILL), 0);
	daemon_expect_alert(d, "worker 0 (pid");
	assert_int_equal(kill(daemon_worker(d, 0), SIGKILL), 0);
	daemon_wait_log(d, "worker 0", DAEMON_MS);
	assert_int_equal(daemon_say(d, "reload", "generation 2 serves"), 0);
	assert_refused_everywhere(d, "127.0.0.2", true);
	assert_refused_everywhere(d, "127.0.0.1", false);
	h = http_ask(d, LIST, NULL, 200);
	assert_int_equal(http_length(&h, "networks"), 1);
	http_done(&h);
	daemon_fds_allow(d, 2);
	daemon_stop(d);
}

static void
test_the_list_in_parts(void **state)
{
	struct daemon *d = daemon_start(CONF("size = \"16M\";"));
	char what[128];
	struct http h;
	int i;

	(void)state;
	for (i = 0; i < 30; i++) {
		snprintf(what, sizeof(what), ADD "10.0.0.%d", i);
		ask(d, what, 200);
	}
	h = http_ask(d, LIST "?limit=7", NULL, 200);
	assert_int_equal(http_length(&h, "networks"), 7);
	assert_int_equal(http_number(&h, "total"), 30);
	assert_string_equal(http_string(&h, "networks.6.network"), "10.0.0.6");
	http_done(&h);
	h = http_ask(d, LIST "?limit=7&after=10.0.0.25", NULL, 200);
	assert_int_equal(http_length(&h, "networks"), 4);
	assert_int_equal(http_number(&h, "total"), 30);
	assert_string_equal(http_string(&h, "networks.0.network"), "10.0.0.26");
	http_done(&h);
	ask_wrong(d, LIST "?limit=10001", 400, "limit \"10001\"");
	ask_wrong(d, LIST "?limit=x", 400, "limit \"x\"");
	ask_wrong(d, LIST "?after=x", 400, "after \"x\": not a network");
	daemon_stop(d);
}

/* Nobody could read it. */
static void
test_why_is_text(void **state)
{
	struct daemon *d = daemon_start(CONF(""));
	char what[256];
	struct http h;

	(void)state;
	ask_wrong(d, ADD "127.0.0.2&why=%ff%fe", 400, "why: it is not UTF-8");
	snprintf(what, sizeof(what), ADD "127.0.0.2&why=%0*d", 128, 7);
	ask_wrong(d, what, 400, "why: at most 127 bytes");
	assert_refused_everywhere(d, "127.0.0.2", false);
	ask(d, ADD "127.0.0.2&why=%c3%bc%22", 200);
	h = http_ask(d, LIST, NULL, 200);
	assert_string_equal(http_string(&h, "networks.0.why"), "\xc3\xbc\"");
	http_done(&h);
	daemon_stop(d);
}

/* Which prefixes are used is nobody else's business. */
static void
test_what_is_shown_of_it(void **state)
{
	struct daemon *d = daemon_start(CONF(""));
	struct http h;

	(void)state;
	ask(d, ADD "127.0.0.2", 200);
	h = http_ask(d, "GET /v1/tables", NULL, 200);
	assert_int_equal(http_length(&h, "tables"), 1);
	assert_string_equal(http_string(&h, "tables.0.name"), "denylist");
	http_done(&h);
	ask(d, "GET /v1/tables/denylist.prefixes", 404);
	daemon_stop(d);
}

static void
test_kept_over_a_restart(void **state)
{
	struct daemon *d = daemon_new();

	(void)state;
	/* The keeper is another user, when we are root. */
	assert_int_equal(chmod(daemon_dir(d), 0777), 0);
	daemon_write(d, CONF("keep = \"%s/list\";"), daemon_dir(d));
	daemon_launch(d);
	ask(d, ADD "127.0.0.2&ttl=1h", 200);
	ask(d, ADD "127.0.4.0/22&ttl=off", 200);
	/* Who is left without a master writes it down as well. */
	daemon_kill_master(d);
	daemon_launch(d);
	assert_refused_everywhere(d, "127.0.0.2", true);
	assert_refused_everywhere(d, "127.0.7.7", true);
	assert_refused_everywhere(d, "127.0.0.1", false);
	daemon_kill_master(d);
	daemon_put(d, "list", "nonsense");
	assert_int_equal(chmod(daemon_path(d, "list"), 0644), 0);
	daemon_launch(d);
	daemon_wait_log(d, "begins empty", DAEMON_MS);
	assert_refused_everywhere(d, "127.0.0.2", false);
	/* The keeper does that when it hears that this start is for good. */
	daemon_wait_log(d, "list.damaged now", DAEMON_MS);
	assert_int_equal(access(daemon_path(d, "list.damaged"), F_OK), 0);
	assert_int_equal(unlink(daemon_path(d, "list.damaged")), 0);
	daemon_signal(d, SIGTERM);
	daemon_finish(d, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		daemon_test(test_commands),
		daemon_test(test_what_is_wrong_is_said),
		daemon_test(test_each_has_its_time),
		daemon_test(test_kept_over_reload_and_kills),
		daemon_test(test_the_list_in_parts),
		daemon_test(test_why_is_text),
		daemon_test(test_what_is_shown_of_it),
		daemon_test(test_kept_over_a_restart),
	};

	return cmocka_run_group_tests_name("denylist", tests, NULL, NULL);
}
