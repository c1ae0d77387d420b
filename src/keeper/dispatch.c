/* dispatch.c - which page answers a request, and whether it may be asked for.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/http.h>

#include "base/log.h"
#include "conf/conf.h"
#include "heritage.h"
#include "keeper/host.h"
#include "keeper/keeper.h"
#include "keeper/request.h"
#include "keeper/route.h"

unsigned
request_asks(const struct weir_request *r)
{
	return r->unix_peer ? ASKS_MOST : ASKS_TCP;
}

static const char *
method_word(enum evhttp_cmd_type method)
{
	switch (method) {
	case EVHTTP_REQ_GET:
		return "GET";
	case EVHTTP_REQ_POST:
		return "POST";
	case EVHTTP_REQ_PUT:
		return "PUT";
	case EVHTTP_REQ_HEAD:
		return "HEAD";
	default:
		return "DELETE";
	}
}

bool
request_has_rights(struct weir_request *r, bool reads)
{
	if (!reads && host_is_foreign(r->req)) {
		request_refuse(r, 403,
			"a page of another host (header Origin) may change "
			"nothing here");
		return false;
	}
	if (r->level == WEB_OPERATES && !reads)
		log_notice("%s asks over the API: %s %s", r->who,
			method_word(evhttp_request_get_command(r->req)),
			evhttp_request_get_uri(r->req));
	if (r->level == WEB_OPERATES || (r->level == WEB_READS && reads))
		return true;
	if (r->unix_peer)
		request_refuse(r, 403,
			"only root, the user whom weir runs as, and users of "
			"api.operators may do this");
	else if (r->keeper->heritage->conf->api.token == NULL)
		request_refuse(r, 403,
			"over TCP this needs a token, and api.token is not "
			"set");
	else {
		(void)evhttp_add_header(
			evhttp_request_get_output_headers(r->req),
			"WWW-Authenticate", "Bearer");
		request_refuse(r, 401,
			"this needs the header \"Authorization: Bearer "
			"TOKEN\" with the token of api.token");
	}
	return false;
}

/* Does the path fit?  Its parts that "*" stands for are r's then. */
static bool
request_fits(struct weir_request *r, const char *path, const char *pattern)
{
	unsigned n = 0;

	while (*pattern != '\0') {
		size_t len;

		if (*pattern != '*') {
			if (*path++ != *pattern++)
				return false;
			continue;
		}
		len = strcspn(path, "/");
		if (len == 0)
			return false;
		free(r->parts[n].p);
		r->parts[n].p = strndup(path, len);
		if (r->parts[n].p == NULL)
			return false;
		r->parts[n++].n = len;
		path += len;
		pattern++;
	}
	return *path == '\0';
}

static bool
request_decode(struct weir_request *r)
{
	unsigned i;

	for (i = 0; i < REQUEST_PARTS && r->parts[i].p != NULL; i++) {
		struct part *part = &r->parts[i];
		char *text = evhttp_uridecode(part->p, 0, &part->n);

		if (text == NULL) {
			request_refuse(r, 500, "%s", strerror(ENOMEM));
			return false;
		}
		free(part->p);
		part->p = text;
	}
	return true;
}

static bool
word_is_in(const char *words, const char *word)
{
	size_t n = strlen(word);
	const char *p;

	for (p = words; (p = strstr(p, word)) != NULL; p++)
		if (n > 0 && (p == words || p[-1] == ' ') &&
			(p[n] == ' ' || p[n] == '\0'))
			return true;
	return false;
}

static bool
request_params_are_known(struct weir_request *r, const char *params)
{
	const struct evkeyval *kv;

	if (params == NULL)
		return true;
	TAILQ_FOREACH(kv, &r->query, next)
	{
		if (word_is_in(params, kv->key))
			continue;
		if (*params == '\0')
			request_refuse(r, 400, "there are no parameters here");
		else
			request_refuse(r, 400,
				"unknown parameter \"%.64s\" (known: %s)",
				kv->key, params);
		return false;
	}
	return true;
}

/* No page has this path with this method. */
static void
request_lost(struct weir_request *r, const char *path)
{
	const struct route *route;
	char allowed[64] = "";
	size_t n = 0;

	for (route = routes; route->page != NULL; route++)
		if (request_fits(r, path, route->path))
			n += (size_t)snprintf(allowed + n, sizeof(allowed) - n,
				"%s%s", n == 0 ? "" : ", ",
				method_word(route->method));
	if (n == 0) {
		request_refuse(r, 404,
			"there is no such page: weir-api(7) has them all");
		return;
	}
	(void)evhttp_add_header(
		evhttp_request_get_output_headers(r->req), "Allow", allowed);
	request_refuse(r, 405, "this page wants %s", allowed);
}

void
request_dispatch(struct weir_request *r, const char *path)
{
	enum evhttp_cmd_type method = evhttp_request_get_command(r->req);
	const struct route *route = routes;
	const char *why;

	if (r->level == WEB_NOTHING) {
		(void)request_has_rights(r, true);
		return;
	}
	why = r->unix_peer || r->level == WEB_OPERATES ? NULL
						       : host_refuses(r->req);
	if (why != NULL) {
		request_refuse(r, 403, "%s", why);
		return;
	}
	if (method == EVHTTP_REQ_HEAD)
		method = EVHTTP_REQ_GET;
	while (route->page != NULL &&
		(route->method != method ||
			!request_fits(r, path, route->path)))
		route++;
	if (route->page == NULL) {
		if (method != EVHTTP_REQ_GET || !pages_answer(r, path))
			request_lost(r, path);
		return;
	}
	if (request_decode(r) && request_has_rights(r, route->reads) &&
		request_params_are_known(r, route->params))
		route->page(r);
}
