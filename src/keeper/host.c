/* host.c - by which name a request has come. */
#include <sys/queue.h>

#include <arpa/inet.h>

#include <stddef.h>
#include <string.h>
#include <strings.h>

#include <event2/http.h>
#include <event2/http_struct.h>
#include <event2/keyvalq_struct.h>

#include "keeper/host.h"

/* Longer is no address. */
#define HOST_MOST 64

static bool
port_fits(const char *text)
{
	return *text == '\0' ||
	       (*text == ':' &&
		       text[1 + strspn(text + 1, "0123456789")] == '\0');
}

bool
host_is_plain(const char *host)
{
	bool six = *host == '[';
	size_t n = strcspn(host + six, six ? "]" : ":");
	const char *rest = host + six + n;
	struct in6_addr addr;
	char name[HOST_MOST];

	if (n >= sizeof(name) || (six && *rest++ != ']') || !port_fits(rest))
		return false;
	memcpy(name, host + six, n);
	name[n] = '\0';
	return inet_pton(six ? AF_INET6 : AF_INET, name, &addr) == 1 ||
	       (!six && strcasecmp(name, "localhost") == 0);
}

const char *
host_refuses(struct evhttp_request *req)
{
	const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(req);
	const char *named = uri == NULL ? NULL : evhttp_uri_get_host(uri);
	const struct evkeyval *kv;
	unsigned n = 0;
	bool plain = named == NULL || host_is_plain(named);

	TAILQ_FOREACH(kv, evhttp_request_get_input_headers(req), next)
	{
		if (strcasecmp(kv->key, "Host") != 0)
			continue;
		n++;
		plain = plain && host_is_plain(kv->value);
	}
	if (n > 1 || (n == 0 && (req->major != 1 || req->minor != 0)))
		return "over TCP, one header Host is wanted";
	if (!plain)
		return "over TCP, without a token, weir answers to an address "
		       "or \"localhost\" as Host only, so that no page in a "
		       "browser reaches it by a name of its own";
	return NULL;
}

bool
host_is_foreign(struct evhttp_request *req)
{
	struct evkeyvalq *headers = evhttp_request_get_input_headers(req);
	const char *host = evhttp_find_header(headers, "Host"), *origin;
	const struct evkeyval *kv;

	TAILQ_FOREACH(kv, headers, next)
	{
		if (strcasecmp(kv->key, "Origin") != 0)
			continue;
		origin = strstr(kv->value, "://");
		if (origin == NULL || host == NULL ||
			strcasecmp(origin + 3, host) != 0)
			return true;
	}
	return false;
}
