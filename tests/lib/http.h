/* http.h - a small client of weir's API, over its unix socket or TCP. */
#ifndef LIB_HTTP_H
#define LIB_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

struct daemon;

struct http {
	int status;
	char *text; /* headers and body */
	const char *body;
	json_t *json; /* of the body; NULL: it is none */
};

/* Sends these bytes to the socket and reads all that comes until its end, or
 * fails; the socket is closed.  Ends with http_done(). */
struct http http_talk(int fd, const void *p, size_t n);
/* "GET /v1/status", and a body or NULL, to the socket "api" of d; the answer
 * must have that status, and be JSON. */
struct http
http_ask(struct daemon *d, const char *what, const char *body, int status);
/* The same to a port of the loopback with a token, or NULL. */
struct http
http_ask_port(uint16_t port, const char *what, const char *token, int status);
void http_done(struct http *h);
/* A number at a path of names and indexes ("channels.0.up.bytes"), or fails. */
int64_t http_number(const struct http *h, const char *path);
/* The same of a text. */
const char *http_string(const struct http *h, const char *path);
/* How long that list is. */
size_t http_length(const struct http *h, const char *path);
/* That number of an answer. */
int64_t http_value(struct daemon *d, const char *what, const char *path);
/* Asks until that number is n, or fails. */
void
http_until(struct daemon *d, const char *what, const char *path, int64_t n);

#endif
