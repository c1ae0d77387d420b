/* rights.c - what whoever sends a request may do. */
#include <sys/socket.h>

#include <errno.h>
#include <pwd.h>
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

static bool
user_operates(const struct conf *conf, uid_t uid)
{
	const char *const *names = conf->api.operators.v;
	const struct passwd *pw;
	size_t i;

	if (uid == 0 || uid == geteuid())
		return true;
	for (i = 0; i < conf->api.operators.n; i++) {
		pw = getpwnam(names[i]);
		if (pw != NULL && pw->pw_uid == uid)
			return true;
	}
	return false;
}

enum web_level
web_level(struct web *w, struct evhttp_request *req, bool *unix_peer)
{
	const struct conf *conf = w->keeper->heritage->conf;
	struct evhttp_connection *evcon = evhttp_request_get_connection(req);
	const char *said = evhttp_find_header(
		evhttp_request_get_input_headers(req), "Authorization");
	struct weir_addr local = { .len = sizeof(local.un) };
	struct ucred peer;
	socklen_t len = sizeof(peer);
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
		return user_operates(conf, peer.uid) ? WEB_OPERATES : WEB_READS;
	}
	if (said == NULL || conf->api.token == NULL)
		return WEB_READS;
	if (strncasecmp(said, bearer, sizeof(bearer) - 1) != 0 ||
		!token_is(conf->api.token, said + sizeof(bearer) - 1))
		return WEB_NOTHING;
	return WEB_OPERATES;
}
