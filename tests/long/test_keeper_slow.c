/* test_keeper_slow.c - what the API does with those who take very long. */
#include <sys/socket.h>

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
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

#define CONF                                                                   \
	"process = { workers = 1; pidfile = \"weir.pid\"; };\n"                \
	"api = { listen = [ \"unix:api\" ]; };\n"                              \
	"servers = ( { name = \"e\"; listen = \"127.0.0.1:0\";\n"              \
	"  middlewares = ( { type = \"echo\"; } ); } );\n"

#define HAMMERS 4
#define SERVERS 1000

/* A worker hangs until its trace was given up: what it says then is for nobody,
 * whether the client has left or not. */
static void
test_a_trace_that_was_given_up(void **state)
{
	struct daemon *d = daemon_start(CONF);
	int client, fds[2], i;
	struct http h;
	char what[128];
	int64_t keeper;

	(void)state;
	daemon_watchdog(300);
	daemon_fds_allow(d, 6);
	client = daemon_join(d, "e");
	keeper = http_value(d, "GET /v1/status", "keeper.pid");
	http_until(d, "GET /v1/channels", "total", 1);
	h = http_ask(d, "GET /v1/channels", NULL, 200);
	snprintf(what, sizeof(what),
		"GET /v1/trace?id=%s HTTP/1.1\r\n"
		"Connection: close\r\n\r\n",
		http_string(&h, "channels.0.id"));
	http_done(&h);
	assert_int_equal(kill(daemon_worker(d, 0), SIGSTOP), 0);
	for (i = 0; i < 2; i++) {
		fds[i] = peer_connect_unix(daemon_path(d, "api"));
		peer_send_text(fds[i], what);
	}
	close(fds[0]);
	/* The one that is there is answered in the end. */
	assert_true(peer_is_silent(fds[1], 85000));
	h = http_talk(fds[1], "", 0);
	assert_int_equal(h.status, 504);
	assert_contains(http_string(&h, "error"), "too long");
	http_done(&h);
	assert_int_equal(kill(daemon_worker(d, 0), SIGCONT), 0);
	peer_echo(client, "an event of both traces");
	http_until(d, "GET /v1/status", "workers", 1);
	peer_echo(client, "another one");
	assert_int_equal(http_value(d, "GET /v1/status", "keeper.pid"), keeper);
	close(client);
	daemon_stop(d);
}

/* Asks as often as it can, until it is killed. */
static pid_t
hammer(struct daemon *d)
{
	pid_t pid = fork();
	struct http h;

	assert_int_not_equal(pid, -1);
	while (pid == 0) {
		h = http_ask(d, "GET /v1/config", NULL, 200);
		http_done(&h);
	}
	return pid;
}

/* A request that never ends is given up, also when others never let it rest. */
static void
test_f62_who_says_a_byte_now_and_then(void **state)
{
	struct daemon *d = daemon_start(CONF);
	int fd = peer_connect_unix(daemon_path(d, "api")), seconds = 0, status;
	pid_t pids[HAMMERS];
	size_t i;

	(void)state;
	for (i = 0; i < HAMMERS; i++)
		pids[i] = hammer(d);
	daemon_fds_allow(d, 6);
	peer_send_text(fd, "GET /v1/status HTTP/1.1\r\nA: ");
	while (seconds < 30 && peer_is_silent(fd, 1000)) {
		peer_send_text(fd, "a");
		seconds++;
	}
	assert_in_range(seconds, 8, 15);
	close(fd);
	for (i = 0; i < HAMMERS; i++) {
		assert_int_equal(kill(pids[i], SIGKILL), 0);
		assert_true(procs_reap(pids[i], &status, DAEMON_MS));
	}
	daemon_stop(d);
}

/* A weir whose configuration is long to read. */
static struct daemon *
start_long(void)
{
	char *text = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&text, &size);
	struct daemon *d;
	int i;

	assert_non_null(f);
	fprintf(f, "process = { workers = 1; pidfile = \"weir.pid\"; };\n"
		   "api = { listen = [ \"unix:api\" ]; };\nservers = (\n");
	for (i = 0; i < SERVERS; i++)
		fprintf(f, "%s{ name = \"e%d\"; listen = \"unix:s%d\"; }\n",
			i == 0 ? "" : ", ", i, i);
	fprintf(f, ");\n");
	fclose(f);
	d = daemon_start("%s", text);
	free(text);
	daemon_fds_allow(d, 6);
	return d;
}

/* Reads what is there, up to so many bytes; false at the end. */
static bool
read_some(int fd, size_t most, size_t *n)
{
	static char text[65536];
	ssize_t got =
		recv(fd, text, most < sizeof(text) ? most : sizeof(text), 0);

	if (got > 0)
		*n += (size_t)got;
	return got > 0 || (got == -1 && errno == EAGAIN);
}

/* Asks for the configuration. */
static int
ask_config(struct daemon *d)
{
	int fd = peer_connect_unix(daemon_path(d, "api"));

	peer_send_text(fd, "GET /v1/config HTTP/1.1\r\n"
			   "Connection: close\r\n\r\n");
	return fd;
}

/* A long answer over a slow line, which takes longer than anybody may be
 * silent. */
static void
test_who_reads_slowly_gets_all(void **state)
{
	struct daemon *d = start_long();
	struct http h = http_ask(d, "GET /v1/config", NULL, 200);
	size_t whole = strlen(h.text), n = 0;
	int fd = ask_config(d), parts = 0;

	(void)state;
	http_done(&h);
	while (read_some(fd, 16384, &n) && parts++ < 1000)
		poll(NULL, 0, 70);
	assert_int_equal(n, whole);
	close(fd);
	daemon_stop(d);
}

/* A client reads a little every second, so that it is never silent. */
static void
test_f62_who_reads_a_little_now_and_then(void **state)
{
	struct daemon *d = start_long();
	struct http h = http_ask(d, "GET /v1/config", NULL, 200);
	size_t whole = strlen(h.text), n = 0;
	int fd = ask_config(d), i;

	(void)state;
	daemon_watchdog(200);
	assert_in_range(whole, 2600000, 4200000);
	http_done(&h);
	for (i = 0; i < 90; i++) {
		poll(NULL, 0, 1000);
		(void)read_some(fd, 24576, &n);
	}
	while (read_some(fd, SIZE_MAX, &n))
		continue;
	assert_true(n < whole);
	close(fd);
	http_until(d, "GET /v1/status", "workers", 1);
	daemon_stop(d);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		daemon_test(test_a_trace_that_was_given_up),
		daemon_test(test_f62_who_says_a_byte_now_and_then),
		daemon_test(test_who_reads_slowly_gets_all),
		daemon_test(test_f62_who_reads_a_little_now_and_then),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
