/* address.c - where a Redis is. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "address.h"

#define TCP	  "redis://"
#define UNIX	  "redis+unix://"
#define TLS	  "rediss://"
#define DB	  "?db="
#define PORT	  6379
#define PORT_MOST 65535
#define DB_MOST	  65535

static int
digit(char c)
{
	const char *digits = "0123456789abcdef", *at;

	if (c >= 'A' && c <= 'F')
		c = (char)(c - 'A' + 'a');
	at = c == '\0' ? NULL : strchr(digits, c);
	return at == NULL ? -1 : (int)(at - digits);
}

/* Copies n bytes with each %XX as its byte; -1: one is wrong, or they are too
 * many. */
static int
part_decode(char *to, size_t size, const char *p, size_t n)
{
	size_t i, len = 0;

	for (i = 0; i < n; i++) {
		int c = (unsigned char)p[i];

		if (c == '%') {
			if (n - i < 3 || digit(p[i + 1]) == -1 ||
				digit(p[i + 2]) == -1)
				return -1;
			c = digit(p[i + 1]) * 16 + digit(p[i + 2]);
			i += 2;
		}
		if (c == '\0' || len + 1 >= size)
			return -1;
		to[len++] = (char)c;
	}
	to[len] = '\0';
	return 0;
}

/* A number up to most, all of the text. */
static int
number_parse(uint32_t *to, const char *text, size_t n, uint32_t most)
{
	size_t i;

	*to = 0;
	for (i = 0; i < n; i++) {
		if (text[i] < '0' || text[i] > '9' || *to > most)
			return -1;
		*to = *to * 10 + (uint32_t)(text[i] - '0');
	}
	return n > 0 && *to <= most ? 0 : -1;
}

/* user:password@ at *text, if they are there. */
static int
login_parse(struct address *a, const char **text, const char **why)
{
	const char *p = *text, *end = strrchr(p, '@'), *colon;

	if (end == NULL)
		return 0;
	colon = memchr(p, ':', (size_t)(end - p));
	*why = "before \"@\" it wants user:password or :password";
	if (colon == NULL || colon + 1 == end)
		return -1;
	*why = "user and password have at most 255 bytes each, and % only "
	       "before two digits of hexadecimal";
	if (part_decode(a->user, sizeof(a->user), p, (size_t)(colon - p)) ==
			-1 ||
		part_decode(a->password, sizeof(a->password), colon + 1,
			(size_t)(end - colon - 1)) == -1)
		return -1;
	*text = end + 1;
	return 0;
}

static int
path_parse(struct address *a, const char *text, const char **why)
{
	size_t n = strcspn(text, "?");

	*why = "a path that begins with \"/\", of at most 107 bytes, is wanted";
	if (text[0] != '/' || n < 2 ||
		part_decode(a->path, sizeof(a->path), text, n) == -1)
		return -1;
	text += n;
	n = sizeof(DB) - 1;
	*why = "behind the path it wants ?db=number, or nothing";
	if (*text != '\0' && (strncmp(text, DB, n) != 0 ||
				     number_parse(&a->db, text + n,
					     strlen(text + n), DB_MOST) == -1))
		return -1;
	snprintf(a->text, sizeof(a->text), "%s", a->path);
	return 0;
}

static int
host_parse(struct address *a, const char *text, const char **why)
{
	size_t host = strcspn(text, ":/"), n;
	const char *p = text;
	uint32_t port = PORT;

	if (*text == '[') {
		p = text + 1;
		host = strcspn(p, "]");
		text = p[host] == ']' ? p + host + 1 : p;
	} else {
		text = p + host;
	}
	*why = "a host is wanted: redis://host:port";
	if (host == 0 || host >= sizeof(a->host) || text == p)
		return -1;
	memcpy(a->host, p, host);
	a->host[host] = '\0';
	if (*text == ':') {
		n = strcspn(++text, "/");
		*why = "the port is no number from 1 to 65535";
		if (number_parse(&port, text, n, PORT_MOST) == -1 || port == 0)
			return -1;
		text += n;
	}
	a->port = (uint16_t)port;
	*why = "behind the host it wants :port, /number of the database, or "
	       "nothing";
	if (*text == '/' && text[1] != '\0' &&
		number_parse(&a->db, text + 1, strlen(text + 1), DB_MOST) == -1)
		return -1;
	if (*text != '/' && *text != '\0')
		return -1;
	snprintf(a->text, sizeof(a->text),
		strchr(a->host, ':') != NULL ? "[%s]:%u" : "%s:%u", a->host,
		(unsigned)a->port);
	return 0;
}

int
address_parse(struct address *a, const char *text, const char **why)
{
	*a = (struct address){ 0 };
	if (strncmp(text, UNIX, sizeof(UNIX) - 1) == 0) {
		text += sizeof(UNIX) - 1;
		return login_parse(a, &text, why) == -1
			       ? -1
			       : path_parse(a, text, why);
	}
	*why = "TLS is not spoken with Redis: it wants redis://host:port or "
	       "redis+unix:///path, or a tunnel there";
	if (strncmp(text, TLS, sizeof(TLS) - 1) == 0)
		return -1;
	*why = "wants redis://host:port or redis+unix:///path";
	if (strncmp(text, TCP, sizeof(TCP) - 1) != 0)
		return -1;
	text += sizeof(TCP) - 1;
	return login_parse(a, &text, why) == -1 ? -1 : host_parse(a, text, why);
}
