/* http.c - a small client of weir's API. */
#include <sys/socket.h>

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
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

#define ANSWER_MOST ((size_t)64 << 20)

/* Sends what the socket takes; whoever is refused may not be read to the end.
 */
static void
http_send(int fd, const char *p, size_t n)
{
	struct pollfd pfd = { .fd = fd, .events = POLLOUT };

	while (n > 0) {
		ssize_t sent = send(fd, p, n, MSG_NOSIGNAL);

		if (sent >= 0) {
			p += sent;
			n -= (size_t)sent;
		} else if (errno != EAGAIN) {
			return;
		} else {
			assert_int_equal(poll(&pfd, 1, DAEMON_MS), 1);
		}
	}
}

/* All that comes until the end. */
static char *
http_read(int fd)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	size_t n = 0, room = 65536;
	char *text = malloc(room);
	ssize_t got;

	for (;;) {
		assert_non_null(text);
		got = recv(fd, text + n, room - n - 1, 0);
		if (got == 0 || (got == -1 && errno == ECONNRESET))
			break;
		if (got > 0)
			n += (size_t)got;
		else
			assert_int_equal(poll(&pfd, 1, DAEMON_MS), 1);
		if (n + 1 == room) {
			assert_true(room < ANSWER_MOST);
			text = realloc(text, room *= 2);
		}
	}
	text[n] = '\0';
	return text;
}

struct http
http_talk(int fd, const void *p, size_t n)
{
	struct http h = { 0 };
	const char *end;

	http_send(fd, p, n);
	h.text = http_read(fd);
	close(fd);
	if (strncmp(h.text, "HTTP/1.", 7) != 0)
		return h;
	h.status = (int)strtol(h.text + 9, NULL, 10);
	end = strstr(h.text, "\r\n\r\n");
	h.body = end == NULL ? "" : end + 4;
	h.json = json_loads(h.body, 0, NULL);
	return h;
}

static struct http
http_ask_socket(int fd, const char *what, const char *host, const char *token,
	const char *body, int status)
{
	struct http h;
	char *text;
	int n;

	n = asprintf(&text,
		"%s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n"
		"%s%s%sContent-Length: %zu\r\n\r\n%s",
		what, host, token == NULL ? "" : "Authorization: Bearer ",
		token == NULL ? "" : token, token == NULL ? "" : "\r\n",
		body == NULL ? (size_t)0 : strlen(body),
		body == NULL ? "" : body);
	assert_true(n > 0);
	h = http_talk(fd, text, (size_t)n);
	free(text);
	if (h.status != status || h.json == NULL)
		fail_msg("%s: %s", what, h.text);
	if (status >= 400)
		assert_true(strlen(http_string(&h, "error")) > 10);
	return h;
}

struct http
http_ask(struct daemon *d, const char *what, const char *body, int status)
{
	return http_ask_socket(peer_connect_unix(daemon_path(d, "api")), what,
		"weir", NULL, body, status);
}

struct http
http_ask_port(uint16_t port, const char *what, const char *token, int status)
{
	return http_ask_socket(
		peer_connect(port), what, "127.0.0.1", token, NULL, status);
}

void
http_done(struct http *h)
{
	json_decref(h->json);
	free(h->text);
	*h = (struct http){ 0 };
}

static const json_t *
http_find(const struct http *h, const char *path)
{
	const json_t *json = h->json;
	char name[64];

	while (json != NULL && *path != '\0') {
		size_t n = strcspn(path, ".");

		assert_true(n < sizeof(name));
		memcpy(name, path, n);
		name[n] = '\0';
		path += n + (path[n] == '.');
		json = json_is_array(json)
			       ? json_array_get(json, strtoul(name, NULL, 10))
			       : json_object_get(json, name);
	}
	return json;
}

int64_t
http_number(const struct http *h, const char *path)
{
	const json_t *json = http_find(h, path);

	if (!json_is_integer(json))
		fail_msg("%s is no number: %s", path, h->body);
	return json_integer_value(json);
}

const char *
http_string(const struct http *h, const char *path)
{
	const json_t *json = http_find(h, path);

	if (!json_is_string(json))
		fail_msg("%s is no text: %s", path, h->body);
	return json_string_value(json);
}

size_t
http_length(const struct http *h, const char *path)
{
	const json_t *json = http_find(h, path);

	if (!json_is_array(json))
		fail_msg("%s is no list: %s", path, h->body);
	return json_array_size(json);
}

int64_t
http_value(struct daemon *d, const char *what, const char *path)
{
	struct http h = http_ask(d, what, NULL, 200);
	int64_t n = http_number(&h, path);

	http_done(&h);
	return n;
}

void
http_until(struct daemon *d, const char *what, const char *path, int64_t n)
{
	int64_t end = procs_now() + DAEMON_MS, is;
	struct http h;

	do {
		h = http_ask(d, what, NULL, 200);
		is = http_number(&h, path);
		http_done(&h);
	} while (is != n && procs_now() < end);
	if (is != n) {
		h = http_ask(d, what, NULL, 200);
		fail_msg("%s: %s", what, h.body);
	}
}
