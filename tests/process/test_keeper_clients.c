/* test_keeper_clients.c - clients of the API that do what no client should. */
#include <sys/socket.h>

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/chance.h"
#include "lib/daemon.h"
#include "lib/http.h"
#include "lib/peer.h"
#include "lib/procs.h"
#include "lib/text.h"

#define CONF                                                                   \
	"process = { workers = 1; pidfile = \"weir.pid\"; };\n"                \
	"api = { listen = [ \"unix:api\", \"127.0.0.1:0\" ]; };\n"             \
	"servers = ( { name = \"e\"; listen = \"127.0.0.1:0\";\n"              \
	"  middlewares = ( { type = \"echo\"; } ); } );\n"
#define SILENT 1000

/* A weir whose keeper, and whose links to it, are more descriptors than there
 * were at the start. */
static struct daemon *
start(void)
{
	struct daemon *d = daemon_start(CONF);

	daemon_fds_allow(d, 6);
	return d;
}

static void
expect(struct daemon *d, const char *what, int status)
{
	struct http h = http_ask(d, what, NULL, status);

	http_done(&h);
}

static void
test_f62_what_is_wrong_is_said(void **state)
{
	static const struct {
		const char *what;
		int status;
	} bad[] = { { "GET /", 404 }, { "GET /v1", 404 },
		{ "GET /v1/channels/", 404 }, { "GET /v1//status", 404 },
		{ "GET /v1/status/", 404 }, { "GET /%00", 404 },
		{ "GET /v1/channels?limit=x", 400 },
		{ "GET /v1/channels?limit=-1", 400 },
		{ "GET /v1/channels?limit=%ff", 400 },
		{ "GET /v1/channels?%c3%28=1", 400 },
		{ "GET /v1/tables/%ff", 404 },
		{ "POST /v1/servers/%e4/pause", 404 },
		{ "POST /v1/extensions/%22%fe/clear", 404 },
		{ "GET /v1/channels?limit=99999999999999999999", 400 },
		{ "GET /v1/channels?limit=100001", 400 },
		{ "GET /v1/channels?sort=size", 400 },
		{ "GET /v1/channels?client=10.0.0.0/99", 400 },
		{ "GET /v1/channels?rate_ms=10001", 400 },
		{ "GET /v1/channels?colour=red", 400 },
		{ "GET /v1/status?x=1", 400 }, { "POST /v1/status", 405 },
		{ "DELETE /v1/channels", 405 }, { "GET /v1/reload", 405 },
		{ "PATCH /v1/reload", 405 },
		{ "GET /v1/channels/1.0.1/kill", 405 },
		{ "POST /v1/channels/1/kill", 400 },
		{ "POST /v1/channels/1.0.0/kill", 400 },
		{ "POST /v1/channels/1.0.1x/kill", 400 },
		{ "POST /v1/channels/-1.0.1/kill", 400 },
		{ "POST /v1/channels/1.0.%31%00/kill", 404 },
		{ "POST /v1/channels/99999999999.0.1/kill", 400 },
		{ "POST /v1/channels/1.0.18446744073709551616/kill", 400 },
		{ "GET /v1/trace", 400 },
		{ "GET /v1/trace?id=1.0.1&client=all", 400 },
		{ "GET /v1/trace?client=all&bytes=1025", 400 },
		{ "GET /v1/tables/none", 404 },
		{ "PUT /v1/tables/none/keys/a", 404 },
		{ "POST /v1/extensions/none/clear", 404 },
		{ "FOO /v1/status", 501 } };
	struct daemon *d = start();
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		expect(d, bad[i].what, bad[i].status);
	expect(d, "GET /v1/status", 200);
	daemon_stop(d);
}

static void
test_f62_garbage(void **state)
{
	struct daemon *d = start();
	uint16_t port = daemon_port(d, "api", 1);
	unsigned char bytes[600];
	struct http h;
	size_t n, j;
	int i;

	(void)state;
	h = http_talk(peer_connect(port), "no http\r\n\r\n", 11);
	assert_int_equal(h.status, 400);
	assert_contains(http_string(&h, "error"), "no HTTP request");
	http_done(&h);
	for (i = 0; i < 200; i++) {
		n = 1 + chance((unsigned)sizeof(bytes) - 8);
		for (j = 0; j < n; j++)
			bytes[j] = (unsigned char)chance((unsigned)256);
		if (i % 2 == 0)
			memcpy(bytes, "GET /v1", n < 7 ? n : 7);
		/* So that it is a whole one, for which nothing is waited. */
		memcpy(bytes + n, "\r\n\r\n", 4);
		h = http_talk(
			i % 3 == 0 ? peer_connect(port)
				   : peer_connect_unix(daemon_path(d, "api")),
			bytes, n + 4);
		if (h.status != 0)
			assert_true(h.status >= 400 && h.json != NULL);
		http_done(&h);
	}
	expect(d, "GET /v1/status", 200);
	daemon_stop(d);
}

static void
test_f62_more_than_anybody_needs(void **state)
{
	static const size_t sizes[] = { 17000, 20000, 60000, 1000000 };
	struct daemon *d = start();
	char *text = calloc(1, 3000000), *body;
	size_t i, n;
	struct http h;

	(void)state;
	assert_non_null(text);
	for (i = 0; i < 4; i++) {
		n = (size_t)snprintf(
			text, 64, "GET /v1/status HTTP/1.1\r\nA: ");
		memset(text + n, 'a', sizes[i]);
		memcpy(text + n + sizes[i], "\r\n\r\n", 4);
		h = http_talk(peer_connect_unix(daemon_path(d, "api")), text,
			n + sizes[i] + 4);
		/* The end of the socket may come before the answer is read. */
		if (h.status != 0)
			assert_int_equal(h.status, 400);
		http_done(&h);
		n = (size_t)snprintf(text, 64, "GET /");
		memset(text + n, 'a', sizes[i]);
		memcpy(text + n + sizes[i], " HTTP/1.1\r\n\r\n", 13);
		h = http_talk(peer_connect_unix(daemon_path(d, "api")), text,
			n + sizes[i] + 13);
		if (h.status != 0)
			assert_int_equal(h.status, 400);
		http_done(&h);
	}
	n = (size_t)snprintf(text, 128,
		"PUT /v1/tables/t/keys/k HTTP/1.1\r\n"
		"Content-Length: 2000000\r\n\r\n");
	body = text + n;
	memset(body, 'b', 2000000);
	h = http_talk(peer_connect_unix(daemon_path(d, "api")), text, n);
	assert_int_equal(h.status, 413);
	assert_contains(http_string(&h, "error"), "1 MB");
	http_done(&h);
	free(text);
	expect(d, "GET /v1/status", 200);
	daemon_stop(d);
}

static void
test_f62_a_thousand_that_say_nothing(void **state)
{
	struct daemon *d = start();
	uint16_t port = daemon_port(d, "api", 1);
	int *fds = calloc(SILENT, sizeof(*fds)), i, client;
	int64_t since;

	(void)state;
	assert_non_null(fds);
	client = daemon_join(d, "e");
	for (i = 0; i < SILENT; i++) {
		fds[i] = peer_connect(port);
		if (i % 2 == 0)
			peer_send_text(fds[i], "GET /v1/st");
	}
	since = procs_now();
	expect(d, "GET /v1/status", 200);
	assert_true(procs_now() - since < 8000);
	peer_echo(client, "who is in has not noticed");
	for (i = 0; i < SILENT; i++)
		close(fds[i]);
	free(fds);
	close(client);
	expect(d, "GET /v1/status", 200);
	daemon_stop(d);
}

static void
test_f62_who_never_reads(void **state)
{
	struct daemon *d = start();
	int fds[40], i, client = daemon_join(d, "e");

	(void)state;
	for (i = 0; i < 40; i++) {
		fds[i] = peer_connect_unix(daemon_path(d, "api"));
		peer_send_text(
			fds[i], i < 20 ? "GET /v1/config HTTP/1.1\r\n\r\n"
				       : "GET /v1/trace?client=all&bytes=1024 "
					 "HTTP/1.1\r\n\r\n");
	}
	for (i = 0; i < 3000; i++)
		peer_echo(client, "0123456789012345678901234567890123456789");
	expect(d, "GET /v1/status", 200);
	for (i = 0; i < 40; i++)
		close(fds[i]);
	close(client);
	daemon_stop(d);
}

static void
test_f62_who_hangs_up_meanwhile(void **state)
{
	struct daemon *d = start();
	int fd, i, client = daemon_join(d, "e");

	(void)state;
	for (i = 0; i < 300; i++) {
		fd = peer_connect_unix(daemon_path(d, "api"));
		peer_send_text(fd,
			i % 3 == 0 ? "GET /v1/trace?client=all HTTP/1.1\r\n\r\n"
			: i % 3 == 1 ? "GET /v1/channels?rate_ms=5 "
				       "HTTP/1.1\r\n\r\n"
				     : "POST /v1/reload HTTP/1.1\r\nContent-");
		if (i % 7 == 0)
			peer_echo(client, "x");
		close(fd);
		/* A unix socket refuses whom its backlog has no room for. */
		if (i % 20 == 0)
			expect(d, "GET /v1/status", 200);
	}
	expect(d, "GET /v1/status", 200);
	peer_echo(client, "still there");
	close(client);
	daemon_stop(d);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		daemon_test(test_f62_what_is_wrong_is_said),
		daemon_test(test_f62_garbage),
		daemon_test(test_f62_more_than_anybody_needs),
		daemon_test(test_f62_a_thousand_that_say_nothing),
		daemon_test(test_f62_who_never_reads),
		daemon_test(test_f62_who_hangs_up_meanwhile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
