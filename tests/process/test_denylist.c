/* test_denylist.c - networks that every server refuses, of a real weir. */
#include <sys/socket.h>
#include <sys/stat.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/daemon.h"
#include "lib/http.h"
#include "lib/peer.h"
#include "lib/procs.h"

#define CONF(options)                                                          \
	"process = { workers = 2; pidfile = \"weir.pid\"; };\n"                \
	"api = { listen = \"unix:api\"; };\n"                                  \
	"extensions = ( { type = \"denylist\"; " options " } );\n"             \
	"servers = ( { name = \"e\"; listen = \"127.0.0.1:0\";\n"              \
	"  middlewares = ( \"echo\" ); },\n"                                   \
	"  { name = \"f\"; listen = \"127.0.0.1:0\";\n"                        \
	"  middlewares = ( \"echo\" ); } );\n"
#define LIST "POST /v1/extensions/denylist/list"
#define ADD  "POST /v1/extensions/denylist/add?network="
#define DEL  "POST /v1/extensions/denylist/del?network="

/* Connected from that address of the loopback, having said something. */
static int
client_from(struct daemon *d, const char *server, const char *from)
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	struct timeval limit = { DAEMON_MS / 1000, 0 };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_not_equal(fd, -1);
	assert_int_equal(inet_pton(AF_INET, from, &at.sin_addr), 1);
	assert_int_equal(bind(fd, (const struct sockaddr *)&at, sizeof(at)), 0);
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	at.sin_port = htons(daemon_port(d, server, 0));
	assert_int_equal(
		connect(fd, (const struct sockaddr *)&at, sizeof(at)), 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	(void)send(fd, "x", 1, MSG_NOSIGNAL);
	return fd;
}

static bool
is_refused(struct daemon *d, const char *server, const char *from)
{
	int fd = client_from(d, server, from);
	char c = 'y';
	long n = recv(fd, &c, 1, 0);

	close(fd);
	assert_true(n <= 0 || c == 'x');
	return n <= 0;
}

static void
ask(struct daemon *d, const char *what, int status)
{
	struct http h = http_ask(d, what, NULL, status);

	http_done(&h);
}

static void
ask_wrong(struct daemon *d, const char *what, int status, const char *why)
{
	struct http h = http_ask(d, what, NULL, status);

	assert_non_null(strstr(http_string(&h, "error"), why));
	http_done(&h);
}

/* In all workers, of all servers. */
static void
assert_refused_everywhere(struct daemon *d, const char *from, bool refused)
{
	int i;

	for (i = 0; i < 8; i++)
		assert_int_equal(
			is_refused(d, i % 2 == 0 ? "e" : "f", from), refused);
}

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
		daemon_test(test_a_file_is_watched),
		daemon_test(test_kept_over_a_restart),
	};

	return cmocka_run_group_tests_name("denylist", tests, NULL, NULL);
}
