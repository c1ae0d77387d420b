/* test_keeper.c - the API of a real weir: what it tells, and what it does. */
#include <sys/socket.h>

#include <poll.h>
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
#include "lib/text.h"

#define TOKEN "0123456789abcdef"
#define CONF                                                                   \
	"process = { workers = 2; pidfile = \"weir.pid\"; };\n"                \
	"api = { listen = [ \"unix:api\" ]; };\n"                              \
	"servers = ( { name = \"e\"; listen = \"127.0.0.1:0\";\n"              \
	"  middlewares = ( { type = \"echo\"; } ); } );\n"

/* A weir whose keeper, and whose links to it, are more descriptors than there
 * were at the start. */
static struct daemon *
start(void)
{
	struct daemon *d = daemon_start(CONF);

	daemon_fds_allow(d, 6);
	return d;
}

/* Asks; what came is not looked at. */
static void
ask(struct daemon *d, const char *what, int status)
{
	struct http h = http_ask(d, what, NULL, status);

	http_done(&h);
}

static void
test_figures_of_all_workers(void **state)
{
	struct daemon *d = start();
	int a = daemon_join(d, "e"), b = daemon_join(d, "e");
	struct http h;

	(void)state;
	http_until(d, "GET /v1/status", "channels", 2);
	h = http_ask(d, "GET /v1/status", NULL, 200);
	assert_int_equal(http_number(&h, "pid"), daemon_pid(d));
	assert_int_equal(http_number(&h, "generation"), 1);
	assert_int_equal(http_number(&h, "workers"), 2);
	assert_true(http_number(&h, "keeper.pid") > 1);
	assert_true(http_number(&h, "copied_bytes") > 0);
	assert_int_equal(http_length(&h, "silent"), 0);
	http_done(&h);
	h = http_ask(d, "GET /v1/workers", NULL, 200);
	assert_int_equal(http_length(&h, "workers"), 2);
	assert_int_equal(http_number(&h, "workers.1.slot"), 1);
	assert_int_equal(http_number(&h, "workers.1.pid"), daemon_worker(d, 1));
	assert_string_equal(http_string(&h, "workers.0.state"), "accepts");
	http_done(&h);
	h = http_ask(d, "GET /v1/generations", NULL, 200);
	assert_int_equal(http_length(&h, "generations"), 1);
	assert_int_equal(http_number(&h, "generations.0.channels"), 2);
	http_done(&h);
	close(a);
	close(b);
	daemon_stop(d);
}

static void
test_channels_are_listed_and_killed(void **state)
{
	struct daemon *d = start();
	int fds[5], i;
	char what[128];
	struct http h;

	(void)state;
	for (i = 0; i < 5; i++)
		fds[i] = daemon_join(d, "e");
	http_until(d, "GET /v1/channels", "total", 5);
	peer_echo(fds[3], "a longer text than all the others have");
	h = http_ask(d,
		"GET /v1/channels?sort=up_bytes&reverse=1&limit=1&server=e"
		"&client=127.0.0.0/8&state=joined",
		NULL, 200);
	assert_int_equal(http_number(&h, "total"), 5);
	assert_int_equal(http_length(&h, "channels"), 1);
	assert_string_equal(http_string(&h, "channels.0.server"), "e");
	assert_string_equal(
		http_string(&h, "channels.0.local"), daemon_address(d, "e", 0));
	assert_string_equal(http_string(&h, "channels.0.up.state"), "open");
	assert_true(http_number(&h, "channels.0.up.bytes") >= 38);
	snprintf(what, sizeof(what), "POST /v1/channels/%s/kill",
		http_string(&h, "channels.0.id"));
	http_done(&h);
	ask(d, what, 200);
	(void)peer_expect_reset(fds[3]);
	close(fds[3]);
	ask(d, what, 404);
	http_until(d, "GET /v1/channels?rate_ms=10", "total", 4);
	ask(d, "POST /v1/channels/7.0.1/kill", 404);
	for (i = 0; i < 5; i++)
		if (i != 3) {
			peer_echo(fds[i], "still there");
			close(fds[i]);
		}
	daemon_stop(d);
}

/* A client that is not accepted. */
static int
waits_at(struct daemon *d)
{
	int fd = peer_connect(daemon_port(d, "e", 0));

	peer_send_text(fd, "hello");
	assert_true(peer_is_silent(fd, 200));
	return fd;
}

static void
test_a_pause_outlives_processes_and_reloads(void **state)
{
	struct daemon *d = start();
	pid_t pids[DAEMON_WORKERS];
	int there = daemon_join(d, "e"), fd;
	char who[128];
	struct http h;
	size_t n;

	(void)state;
	ask(d, "POST /v1/servers/e/pause", 200);
	fd = waits_at(d);
	peer_echo(there, "who is in stays");
	close(there);
	h = http_ask(d, "GET /v1/status", NULL, 200);
	assert_string_equal(http_string(&h, "paused.0"), "e");
	http_done(&h);
	snprintf(who, sizeof(who),
		"uid %u (pid %d) asks over the API: POST "
		"/v1/servers/e/pause",
		(unsigned)geteuid(), (int)getpid());
	daemon_wait_log(d, who, DAEMON_MS);
	h = http_ask(d, "GET /v1/listeners", NULL, 200);
	assert_string_equal(http_string(&h, "listeners.0.state"), "paused");
	assert_int_equal(http_number(&h, "listeners.0.backlog"), 1);
	assert_string_equal(http_string(&h, "listeners.0.address"),
		daemon_address(d, "e", 0));
	http_done(&h);
	/* All but the master. */
	daemon_expect_alert(d, "was killed by signal 9");
	for (n = procs_children(daemon_pid(d), pids, DAEMON_WORKERS); n > 0;
		n--)
		assert_int_equal(kill(pids[n - 1], SIGKILL), 0);
	http_until(d, "GET /v1/status", "workers", 2);
	assert_true(peer_is_silent(fd, 200));
	ask(d, "POST /v1/reload", 200);
	http_until(d, "GET /v1/status", "generation", 2);
	assert_true(peer_is_silent(fd, 200));
	ask(d, "POST /v1/servers/e/resume", 200);
	peer_expect_text(fd, "hello");
	close(fd);
	fd = daemon_join(d, "e");
	close(fd);
	h = http_ask(d, "POST /v1/servers/other/resume", NULL, 404);
	assert_contains(http_string(&h, "error"), "\"other\": there is e");
	http_done(&h);
	h = http_ask(d, "GET /v1/status", NULL, 200);
	assert_int_equal(http_length(&h, "paused"), 0);
	http_done(&h);
	daemon_stop(d);
}

/* Pid of the keeper. */
static pid_t
keeper_of(struct daemon *d)
{
	struct http h = http_ask(d, "GET /v1/status", NULL, 200);
	pid_t pid = (pid_t)http_number(&h, "keeper.pid");

	http_done(&h);
	return pid;
}

static void
test_traffic_does_not_notice_that_the_keeper_is_killed(void **state)
{
	struct daemon *d = start();
	int fd = daemon_join(d, "e"), i;
	pid_t pid;

	(void)state;
	daemon_expect_alert(d, "keeper");
	for (i = 0; i < 8; i++) {
		pid = keeper_of(d);
		assert_int_equal(kill(pid, SIGKILL), 0);
		peer_echo(fd, "nobody has noticed");
		/* The next one has the same socket, and all workers. */
		http_until(d, "GET /v1/status", "workers", 2);
		assert_int_not_equal(keeper_of(d), pid);
	}
	close(fd);
	daemon_stop(d);
}

static void
test_a_worker_that_hangs_is_named(void **state)
{
	struct daemon *d = start();
	pid_t pid = daemon_worker(d, 1);
	struct http h;
	int64_t since;

	(void)state;
	http_until(d, "GET /v1/status", "workers", 2);
	assert_int_equal(kill(pid, SIGSTOP), 0);
	since = procs_now();
	h = http_ask(d, "GET /v1/workers", NULL, 200);
	assert_true(procs_now() - since >= 900);
	assert_int_equal(http_length(&h, "workers"), 1);
	assert_int_equal(http_length(&h, "silent"), 1);
	assert_int_equal(http_number(&h, "silent.0.pid"), pid);
	assert_int_equal(http_number(&h, "silent.0.slot"), 1);
	http_done(&h);
	ask(d, "POST /v1/channels/1.1.1/kill", 504);
	ask(d, "POST /v1/servers/e/pause", 200);
	assert_int_equal(kill(pid, SIGCONT), 0);
	http_until(d, "GET /v1/status", "workers", 2);
	/* It has heard what nobody waited for. */
	close(waits_at(d));
	daemon_stop(d);
}

static void
test_reload_tells_what_is_wrong(void **state)
{
	struct daemon *d = start();
	struct http h;

	(void)state;
	ask(d, "POST /v1/reload", 200);
	http_until(d, "GET /v1/status", "generation", 2);
	daemon_write(d, "servers = ( { nam = 1; } );");
	h = http_ask(d, "POST /v1/reload", NULL, 409);
	assert_true(http_number(&h, "code") != 0);
	assert_contains(h.body, "did you mean");
	http_done(&h);
	/* Also what is no UTF-8. */
	daemon_write(d, "servers = ( { name = \"\xe4\"; \xfc = 1; } );");
	h = http_ask(d, "POST /v1/reload", NULL, 409);
	assert_true(http_length(&h, "messages") > 0);
	assert_true(strlen(http_string(&h, "messages.0.text")) > 10);
	http_done(&h);
	ask(d, "POST /v1/reopen", 200);
	daemon_stop(d);
}

static void
test_trace_shows_events_while_they_happen(void **state)
{
	struct daemon *d = start();
	int fd = peer_connect_unix(daemon_path(d, "api")), client;
	char text[4096];
	size_t n = 0;

	(void)state;
	peer_send_text(fd, "GET /v1/trace?client=127.0.0.1&bytes=8 "
			   "HTTP/1.1\r\n\r\n");
	peer_read_exact(fd, text, strlen("HTTP/1.1 200 OK\r\n"));
	http_until(d, "GET /v1/status", "workers", 2);
	client = daemon_join(d, "e");
	while (n < sizeof(text) - 1) {
		peer_read_exact(fd, text + n++, 1);
		text[n] = '\0';
		if (strstr(text, "\"read\",\"side\":\"frontend\"") != NULL &&
			strstr(text, "\"data\":\"") != NULL)
			break;
	}
	assert_contains(text, "accepted by e");
	assert_contains(text, "application/x-ndjson");
	/* Who hangs up costs nothing more. */
	close(fd);
	close(client);
	ask(d, "GET /v1/trace", 400);
	ask(d, "GET /v1/trace?id=1.0.99999", 404);
	daemon_stop(d);
}

/* Nothing happens on the channel: that the client leaves is seen all the same.
 */
static void
test_who_leaves_the_trace_of_an_idle_channel_is_noticed(void **state)
{
	struct daemon *d = start();
	int client = daemon_join(d, "e"), fds[16], i, times;
	char what[128], text[64];
	struct http h;

	(void)state;
	http_until(d, "GET /v1/channels", "total", 1);
	h = http_ask(d, "GET /v1/channels", NULL, 200);
	snprintf(what, sizeof(what), "GET /v1/trace?id=%s HTTP/1.1\r\n\r\n",
		http_string(&h, "channels.0.id"));
	http_done(&h);
	/* As many as there may be at a time, and more than once. */
	for (times = 0; times < 3; times++) {
		for (i = 0; i < 16; i++) {
			fds[i] = peer_connect_unix(daemon_path(d, "api"));
			peer_send_text(fds[i], what);
			peer_read_exact(
				fds[i], text, strlen("HTTP/1.1 200 OK\r\n"));
		}
		for (i = 0; i < 16; i++)
			close(fds[i]);
		http_until(d, "GET /v1/status", "workers", 2);
	}
	peer_echo(client, "still there");
	close(client);
	daemon_stop(d);
}

static void
test_f62_rights(void **state)
{
	struct daemon *d = daemon_start(
		"process = { workers = 1; pidfile = \"weir.pid\"; };\n"
		"api = { listen = [ \"unix:api\", \"127.0.0.1:0\" ];\n"
		"  token = \"" TOKEN "\"; };\n"
		"servers = ( { name = \"e\"; listen = \"127.0.0.1:0\"; } );\n");
	uint16_t port = daemon_port(d, "api", 1);
	struct http h;

	(void)state;
	daemon_fds_allow(d, 6);
	h = http_ask_port(port, "GET /v1/status", NULL, 200);
	http_done(&h);
	h = http_ask_port(port, "POST /v1/servers/e/pause", NULL, 401);
	http_done(&h);
	h = http_ask_port(port, "POST /v1/servers/e/pause", "0123456789", 401);
	http_done(&h);
	h = http_ask_port(port, "POST /v1/servers/e/pause", TOKEN "more", 401);
	http_done(&h);
	h = http_ask_port(port, "GET /v1/status", "wrong", 401);
	http_done(&h);
	h = http_ask_port(port, "POST /v1/servers/e/resume", TOKEN, 200);
	http_done(&h);
	daemon_wait_log(d, "the token, from 127.0.0.1 port", DAEMON_MS);
	/* The token itself is for nobody. */
	h = http_ask_port(port, "GET /v1/config", NULL, 200);
	assert_null(strstr(h.body, TOKEN));
	assert_contains(h.body, "api.token");
	http_done(&h);
	daemon_stop(d);
}

/* A request over TCP, with these headers; its status. */
static int
status_of(uint16_t port, const char *line, const char *headers)
{
	struct http h;
	char text[512];
	int n = snprintf(text, sizeof(text),
		"%s\r\n%sConnection: close\r\nContent-Length: 0\r\n\r\n", line,
		headers);

	h = http_talk(peer_connect(port), text, (size_t)n);
	n = h.status;
	assert_non_null(h.json);
	http_done(&h);
	return n;
}

/* A page in somebody's browser can send requests to the loopback, by a name
 * that its host has made lead there. */
static void
test_f62_pages_of_others(void **state)
{
	static const struct {
		const char *line, *headers;
		int status;
	} asked[] = {
#define GET    "GET /v1/status HTTP/1.1"
#define POST   "POST /v1/servers/e/resume HTTP/1.1"
#define BEARER "Authorization: Bearer " TOKEN "\r\n"
		{ GET, "Host: 127.0.0.1\r\n", 200 },
		{ GET, "Host: [::1]:9398\r\n", 200 },
		{ GET, "host: LocalHost:80\r\n", 200 },
		{ GET, "Host: evil.example\r\n", 403 },
		{ GET, "Host: 127.0.0.1.evil.example:9398\r\n", 403 },
		{ GET, "Host: localhost\r\nHost: evil.example\r\n", 403 },
		{ GET, "", 403 }, { "GET /v1/status HTTP/1.0", "", 200 },
		{ "GET http://evil.example/v1/status HTTP/1.1",
			"Host: localhost\r\n", 403 },
		{ GET, "Host: evil.example\r\n" BEARER, 200 },
		{ GET, "Host: localhost\r\nOrigin: http://a.example\r\n", 200 },
		{ POST, "Host: localhost:1\r\n" BEARER, 200 },
		{ POST, "Host: weir:1\r\nOrigin: http://WEIR:1\r\n" BEARER,
			200 },
		{ POST, "Host: localhost:1\r\nOrigin: null\r\n" BEARER, 403 },
		{ POST, "Host: weir:1\r\nOrigin: http://weir:2\r\n" BEARER,
			403 },
		{ POST,
			"Host: weir:1\r\nOrigin: "
			"http://weir.example\r\n" BEARER,
			403 }
	};
	struct daemon *d = daemon_start(
		"process = { workers = 1; pidfile = \"weir.pid\"; };\n"
		"api = { listen = [ \"unix:api\", \"127.0.0.1:0\" ];\n"
		"  token = \"" TOKEN "\"; };\n"
		"servers = ( { name = \"e\"; listen = \"127.0.0.1:0\"; } );\n");
	uint16_t port = daemon_port(d, "api", 1);
	size_t i;

	(void)state;
	daemon_fds_allow(d, 6);
	for (i = 0; i < sizeof(asked) / sizeof(*asked); i++)
		if (status_of(port, asked[i].line, asked[i].headers) !=
			asked[i].status)
			fail_msg("%s %s", asked[i].line, asked[i].headers);
	daemon_stop(d);
}

/* Nobody has the other end of anything that is not his own, so each sees when
 * the other side is gone. */
static void
test_f61_keeper_and_workers_have_only_their_own(void **state)
{
	struct daemon *d = daemon_start(CONF);
	pid_t master = daemon_pid(d), keeper, pids[DAEMON_WORKERS];
	size_t i, n = daemon_workers(d, pids);
	struct http h = http_ask(d, "GET /v1/status", NULL, 200);

	(void)state;
	keeper = (pid_t)http_number(&h, "keeper.pid");
	http_done(&h);
	assert_int_equal(n, 2);
	/* The segment of memory is everybody's; so is a listener, of workers or
	 * of the keeper. */
	assert_int_equal(procs_fds_shared(pids[0], pids[1]), 2);
	assert_int_equal(procs_fds_shared(keeper, master), 2);
	for (i = 0; i < n; i++) {
		assert_int_equal(procs_fds_shared(pids[i], master), 2);
		assert_int_equal(procs_fds_shared(pids[i], keeper), 1);
	}
	daemon_kill_master(d);
	daemon_launch(d);
	daemon_stop(d);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		daemon_test(test_figures_of_all_workers),
		daemon_test(test_f61_keeper_and_workers_have_only_their_own),
		daemon_test(test_channels_are_listed_and_killed),
		daemon_test(test_a_pause_outlives_processes_and_reloads),
		daemon_test(
			test_traffic_does_not_notice_that_the_keeper_is_killed),
		daemon_test(test_a_worker_that_hangs_is_named),
		daemon_test(test_reload_tells_what_is_wrong),
		daemon_test(test_trace_shows_events_while_they_happen),
		daemon_test(
			test_who_leaves_the_trace_of_an_idle_channel_is_noticed),
		daemon_test(test_f62_rights),
		daemon_test(test_f62_pages_of_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
