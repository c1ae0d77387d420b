/* rights.c - what whoever sends a request may do. */
#include <sys/socket.h>

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/http.h>

#include "base/log.h"
#include "conf/conf.h"
#include "heritage.h"
#include "keeper/keeper.h"
#include "keeper/web.h"

static const char bearer[] = "Bearer ";

/* Takes as long wherever they differ. */
static bool
token_is(const char *token, const char *said)
{
	size_t n = strlen(token), m = strlen(said), i;
	unsigned differ = n != m;

	for (i = 0; i < n; i++)
		differ |=
			(unsigned char)(token[i] ^ (m == 0 ? 0 : said[i % m]));
	return differ == 0;
}

int
web_name_operators(struct web *w)
{
	const struct weir_list *names =
		&w->keeper->heritage->conf->api.operators;
	const struct passwd *pw;
	const char *name;
	size_t i;

	w->operators = calloc(names->n + 1, sizeof(*w->operators));
	if (w->operators == NULL)
		return -1;
	for (i = 0; i < names->n; i++) {
		name = ((const char *const *)names->v)[i];
		errno = 0;
		pw = getpwnam(name);
		if (pw != NULL)
			w->operators[w->noperators++] = pw->pw_uid;
		else if (errno != 0 && errno != ENOENT)
			log_error("api.operators: user \"%s\" cannot be looked "
				  "up, and may not operate until a reload: %s",
				name, strerror(errno));
		else
			log_warn("api.operators: there is no user \"%s\" any "
				 "more",
				name);
	}
	return 0;
}

static bool
user_operates(const struct web *w, uid_t uid)
{
	size_t i;

	if (uid == 0 || uid == geteuid())
		return true;
	for (i = 0; i < w->noperators; i++)
		if (w->operators[i] == uid)
			return true;
	return false;
}

enum web_level
web_level(struct web *w, struct evhttp_request *req, bool *unix_peer, char *who,
	size_t size)
{
	const struct conf *conf = w->keeper->heritage->conf;
	struct evhttp_connection *evcon = evhttp_request_get_connection(req);
	const char *said = evhttp_find_header(
		evhttp_request_get_input_headers(req), "Authorization");
	struct weir_addr local = { .len = sizeof(local.un) };
	struct ucred peer;
	socklen_t len = sizeof(peer);
	ev_uint16_t port = 0;
	char *address = NULL;
	int fd;

	*unix_peer = false;
	if (evcon == NULL)
		return WEB_NOTHING;
	fd = bufferevent_getfd(evhttp_connection_get_bufferevent(evcon));
	if (getsockname(fd, &local.sa, &local.len) == -1)
		return WEB_NOTHING;
	*unix_peer = local.sa.sa_family == AF_UNIX;
	if (*unix_peer) {
		if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == -1)
			return WEB_NOTHING;
		snprintf(who, size, "uid %u (pid %d)", (unsigned)peer.uid,
			(int)peer.pid);
		return user_operates(w, peer.uid) ? WEB_OPERATES : WEB_READS;
	}
	evhttp_connection_get_peer(evcon, &address, &port);
	snprintf(who, size, "the token, from %s port %u,",
		address == NULL ? "?" : address, port);
	if (said == NULL || conf->api.token == NULL)
		return WEB_READS;
	if (strncasecmp(said, bearer, sizeof(bearer) - 1) != 0 ||
		!token_is(conf->api.token, said + sizeof(bearer) - 1))
		return WEB_NOTHING;
	return WEB_OPERATES;
}
