/* addr.c - stream addresses as text and as sockaddr. */
#include <arpa/inet.h>
#include <net/if.h>
#include <netdb.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bsd/string.h>

#include "base/addr.h"

#define UNIX_HEAD offsetof(struct sockaddr_un, sun_path)
#define UNIX_MAX  (sizeof(((struct sockaddr_un *)0)->sun_path) - 1)
#define HOST_MAX  (INET6_ADDRSTRLEN + IF_NAMESIZE)

static const char needs_dns[] =
	"names that need DNS are not built in yet; write an IP address";
static const char needs_upstream[] =
	"upstreams are not built in yet; write \"host:port\" or "
	"\"unix:/path\"";
static const char no_port[] =
	"the port is missing; write \"127.0.0.1:80\" or \"[::1]:80\"";
static const char no_host[] =
	"the host is missing; write \"0.0.0.0:80\" or \"[::]:80\" for every "
	"address of this machine";
static const char bare_ipv6[] =
	"an IPv6 address stands in brackets; write \"[::1]:80\"";
static const char bad_port[] = "a port is a number from 0 to 65535";
static const char bad_ip[] = "not an IP address";

static int unix_parse(struct weir_addr *a, const char *path, const char **why);
static int ipv6_parse(struct weir_addr *a, const char *host, const char **why);
static int port_parse(in_port_t *port, const char *text);
static const char *portless_why(const char *text);

int
addr_parse(struct weir_addr *a, const char *text, const char **why)
{
	const char *colon = strrchr(text, ':');
	bool bracket = *text == '[';
	char host[HOST_MAX];
	in_port_t port;
	size_t n;

	memset(a, 0, sizeof(*a));
	if (strncmp(text, "unix:", 5) == 0)
		return unix_parse(a, text + 5, why);
	if (bracket && colon != NULL && colon[-1] != ']')
		colon = NULL;
	*why = portless_why(text);
	if (colon == NULL)
		return -1;
	*why = bare_ipv6;
	if (!bracket && strchr(text, ':') != colon)
		return -1;
	n = (size_t)(colon - text) - (bracket ? 2 : 0);
	*why = bad_port;
	if (port_parse(&port, colon + 1) == -1)
		return -1;
	*why = no_host;
	if (n == 0 || (n == 1 && *text == '*'))
		return -1;
	*why = bracket ? bad_ip : needs_dns;
	if (n >= sizeof(host))
		return -1;
	strlcpy(host, text + bracket, n + 1);
	if (bracket) {
		if (ipv6_parse(a, host, why) == -1)
			return -1;
		a->in6.sin6_port = htons(port);
		return 0;
	}
	/* Not getaddrinfo(3): it takes "127.1" and octal "010.0.0.1". */
	if (inet_pton(AF_INET, host, &a->in.sin_addr) != 1) {
		if (host[strspn(host, "0123456789.")] == '\0')
			*why = bad_ip;
		return -1;
	}
	a->in.sin_family = AF_INET;
	a->in.sin_port = htons(port);
	a->len = sizeof(a->in);
	return 0;
}

bool
addr_equal(const struct weir_addr *a, const struct weir_addr *b)
{
	if (a->len == 0 || b->len == 0)
		return a->len == b->len;
	if (a->sa.sa_family != b->sa.sa_family)
		return false;
	switch (a->sa.sa_family) {
	case AF_INET:
		return a->in.sin_port == b->in.sin_port &&
		       a->in.sin_addr.s_addr == b->in.sin_addr.s_addr;
	case AF_INET6:
		return a->in6.sin6_port == b->in6.sin6_port &&
		       a->in6.sin6_scope_id == b->in6.sin6_scope_id &&
		       memcmp(&a->in6.sin6_addr, &b->in6.sin6_addr,
			       sizeof(a->in6.sin6_addr)) == 0;
	default:
		return a->len == b->len && memcmp(&a->sa, &b->sa, a->len) == 0;
	}
}

bool
weir_addr_lacks_port(const struct weir_addr *a)
{
	return (a->sa.sa_family == AF_INET && a->in.sin_port == 0) ||
	       (a->sa.sa_family == AF_INET6 && a->in6.sin6_port == 0);
}

bool
weir_addr_is_low(const struct weir_addr *a)
{
	/* One setting for both families. */
	FILE *f = fopen("/proc/sys/net/ipv4/ip_unprivileged_port_start", "re");
	bool ip = a->sa.sa_family == AF_INET || a->sa.sa_family == AF_INET6;
	int start = 0;

	if (f == NULL || fscanf(f, "%d", &start) != 1)
		start = IPPORT_RESERVED;
	if (f != NULL)
		fclose(f);
	return a->len != 0 && ip && !weir_addr_lacks_port(a) &&
	       ntohs(a->sa.sa_family == AF_INET6 ? a->in6.sin6_port
						 : a->in.sin_port) < start;
}

size_t
addr_decimal(char *text, unsigned n)
{
	char digits[10];
	size_t len = 0, i;

	do
		digits[len++] = (char)('0' + n % 10);
	while ((n /= 10) != 0);
	for (i = 0; i < len; i++)
		text[i] = digits[len - 1 - i];
	return len;
}

size_t
addr_ip4_text(char *text, const uint8_t ip[4])
{
	size_t len = 0;
	int i;

	for (i = 0; i < 4; i++) {
		if (i > 0)
			text[len++] = '.';
		len += addr_decimal(text + len, ip[i]);
	}
	return len;
}

const char *
weir_addr_text(const struct weir_addr *a, char text[static WEIR_ADDR_TEXT])
{
	char host[HOST_MAX] = "?";
	size_t n;

	if (a->len == 0) {
		strlcpy(text, "-", WEIR_ADDR_TEXT);
	} else if (a->sa.sa_family == AF_UNIX) {
		/* A client that has not bound its socket has no path. */
		n = a->len > UNIX_HEAD ? a->len - UNIX_HEAD : 0;
		if (n > 0 && a->un.sun_path[0] == '\0')
			snprintf(text, WEIR_ADDR_TEXT, "unix:@%.*s",
				(int)(n - 1), a->un.sun_path + 1);
		else
			snprintf(text, WEIR_ADDR_TEXT, "unix:%.*s", (int)n,
				a->un.sun_path);
	} else if (a->sa.sa_family == AF_INET) {
		n = addr_ip4_text(text, (const uint8_t *)&a->in.sin_addr);
		text[n++] = ':';
		n += addr_decimal(text + n, ntohs(a->in.sin_port));
		text[n] = '\0';
	} else {
		getnameinfo(&a->sa, a->len, host, sizeof(host), NULL, 0,
			NI_NUMERICHOST);
		snprintf(text, WEIR_ADDR_TEXT, "[%s]:%u", host,
			ntohs(a->in6.sin6_port));
	}
	return text;
}

/* See unix(7): a path ends with its NUL, an abstract name with the length. */
static int
unix_parse(struct weir_addr *a, const char *path, const char **why)
{
	size_t n = strlen(path);
	bool abstract = *path == '@';

	*why = "the path is missing; write \"unix:/path\"";
	if (n == (abstract ? 1 : 0))
		return -1;
	*why = "the path of a unix socket has at most 107 bytes";
	if (n > UNIX_MAX)
		return -1;
	a->un.sun_family = AF_UNIX;
	memcpy(a->un.sun_path, path, n);
	if (abstract)
		a->un.sun_path[0] = '\0';
	a->len = (socklen_t)(UNIX_HEAD + n + (abstract ? 0 : 1));
	return 0;
}

static int
ipv6_parse(struct weir_addr *a, const char *host, const char **why)
{
	struct addrinfo hints = { .ai_family = AF_INET6,
		.ai_socktype = SOCK_STREAM,
		.ai_flags = AI_NUMERICHOST };
	struct addrinfo *found;
	const char *zone = strchr(host, '%');

	*why = bad_ip;
	if (zone != NULL && if_nametoindex(zone + 1) == 0) {
		*why = "there is no interface of the name behind the \"%\"";
		return -1;
	}
	if (getaddrinfo(host, NULL, &hints, &found) != 0)
		return -1;
	memcpy(&a->in6, found->ai_addr, sizeof(a->in6));
	a->len = sizeof(a->in6);
	/* glibc keeps the zone of link-local addresses only. */
	if (zone != NULL)
		a->in6.sin6_scope_id = if_nametoindex(zone + 1);
	freeaddrinfo(found);
	return 0;
}

static int
port_parse(in_port_t *port, const char *text)
{
	size_t n = strspn(text, "0123456789");
	long v = n == 0 || n > 5 ? -1 : strtol(text, NULL, 10);

	if (text[n] != '\0' || v < 0 || v > 65535)
		return -1;
	*port = (in_port_t)v;
	return 0;
}

/* What is wrong with an address that has no ":PORT". */
static const char *
portless_why(const char *text)
{
	struct in_addr in;

	if (*text == '[' || inet_pton(AF_INET, text, &in) == 1)
		return no_port;
	if (text[strspn(text, "0123456789")] == '\0')
		return no_host;
	return needs_upstream;
}
