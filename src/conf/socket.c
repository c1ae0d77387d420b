/* socket.c - options of sockets: those that listen, those to backends. */
#include <string.h>

#include "conf/socket.h"

/* Options that both sides have, for a struct S whose member socket has them. */
#define SOCKET_ROWS(S)                                                         \
	WEIR_BOOL("nodelay", S, socket.nodelay, .def = "true",                 \
		.help = "Whether bytes go out at once (TCP_NODELAY, tcp(7)); " \
			"with false small writes wait for what the peer has "  \
			"not acknowledged yet: fewer packets, and up to 40 "   \
			"ms more for an answer."),                             \
		WEIR_SIZE("sndbuf", S, socket.sndbuf, .def = "off",            \
			.flags = WEIR_OFF, .min = 1024, .max = 1 << 30,        \
			.help = "Bytes of data that the kernel takes before "  \
				"the peer has acknowledged them (SO_SNDBUF, "  \
				"socket(7)), at most net.core.wmem_max; with " \
				"off it adapts that to the connection, which " \
				"is right but for very many connections that " \
				"may not have much memory each."),             \
		WEIR_SIZE("rcvbuf", S, socket.rcvbuf, .def = "off",            \
			.flags = WEIR_OFF, .min = 1024, .max = 1 << 30,        \
			.help = "The same for bytes that have come and are "   \
				"not read yet (SO_RCVBUF), at most "           \
				"net.core.rmem_max."),                         \
		WEIR_BOOL("keepalive", S, socket.keepalive, .def = "false",    \
			.help = "Whether the kernel asks a silent peer from "  \
				"time to time whether it is still there "      \
				"(SO_KEEPALIVE); for connections that are "    \
				"silent for longer than firewalls remember "   \
				"them, or than dead peers are to be kept."),   \
		WEIR_TIME("keepalive_idle", S, socket.keepalive_idle_ms,       \
			.flags = WEIR_OPTIONAL, .min = 1000, .max = 32767000,  \
			.help = "How long a peer is silent until it is asked " \
				"(TCP_KEEPIDLE, whole seconds); else "         \
				"net.ipv4.tcp_keepalive_time, which is two "   \
				"hours."),                                     \
		WEIR_TIME("keepalive_interval", S,                             \
			socket.keepalive_interval_ms, .flags = WEIR_OPTIONAL,  \
			.min = 1000, .max = 32767000,                          \
			.help = "How long it has for each answer "             \
				"(TCP_KEEPINTVL, whole seconds); else "        \
				"net.ipv4.tcp_keepalive_intvl, 75 s."),        \
		WEIR_INT("keepalive_count", S, socket.keepalive_count,         \
			.flags = WEIR_OPTIONAL, .min = 1, .max = 127,          \
			.help = "How many questions without an answer end "    \
				"the connection (TCP_KEEPCNT); else "          \
				"net.ipv4.tcp_keepalive_probes, 9."),          \
		WEIR_TIME("user_timeout", S, socket.user_timeout_ms,           \
			.def = "off", .flags = WEIR_OFF, .min = 1,             \
			.max = INT32_MAX,                                      \
			.help = "How long what was sent may remain "           \
				"unacknowledged until the connection ends "    \
				"(TCP_USER_TIMEOUT, tcp(7)); off leaves it "   \
				"to the retransmissions of the kernel, some "  \
				"15 minutes.")

static const struct weir_opt listen_opts[] = {
	WEIR_ADDRESS("address", struct conf_listen, address,
		.help = "Where connections are accepted: an IP address and "
			"port, or a unix socket; port 0 takes a free one."),
	WEIR_INT("backlog", struct conf_listen, backlog, .def = "4096",
		.min = 1, .max = 65535,
		.help = "Connections that the kernel holds until they are "
			"accepted."),
	WEIR_BOOL("reuseport", struct conf_listen, reuseport, .def = "false",
		.help = "Whether every worker has a socket of its own, among "
			"which the kernel spreads connections."),
	WEIR_TIME("defer_accept", struct conf_listen, defer_accept_ms,
		.def = "off", .flags = WEIR_OFF, .min = 1000, .max = 3600000,
		.help = "A connection is accepted when its first bytes are "
			"there, or after about that time, in whole seconds, "
			"without (TCP_DEFER_ACCEPT, tcp(7)): no work for "
			"those who connect and say nothing. Only for servers "
			"with a middleware that wants client bytes before a "
			"backend is chosen, and none that races for backends "
			"that speak first: where the server speaks first "
			"both sides would wait."),
	WEIR_INT("fastopen", struct conf_listen, fastopen, .def = "0",
		.max = 65535,
		.help = "How many connections that bring data in their first "
			"packet may wait for the end of their handshake "
			"(TCP_FASTOPEN, tcp(7)); 0 takes no such data. It "
			"saves clients who come again a round trip; works "
			"where net.ipv4.tcp_fastopen has bit 2. Such data may "
			"come twice, so the protocol has to bear that."),
	WEIR_BOOL("transparent", struct conf_listen, transparent,
		.def = "false",
		.help = "Whether the address may be one that this machine "
			"does not have, and connections to other addresses, "
			"led here by a TPROXY rule, are accepted "
			"(IP_TRANSPARENT, ip(7)). Needs CAP_NET_RAW or "
			"CAP_NET_ADMIN when weir starts."),
	SOCKET_ROWS(struct conf_listen), WEIR_OPT_END
};

const struct weir_rows socket_listen_rows = { .opts = listen_opts,
	.size = sizeof(struct conf_listen),
	.shorthand = "address" };

static const char *const transparents[] = {
	[CONF_TRANSPARENT_OFF] = "off",
	[CONF_TRANSPARENT_SOURCE] = "source",
	[CONF_TRANSPARENT_CLIENT] = "client",
	NULL,
};

static const struct weir_opt backend_opts[] = {
	WEIR_ADDRESSES("source", struct conf_backend, source,
		.flags = WEIR_OPTIONAL, .max = 256,
		.help = "Local addresses to connect from, each with port 0 "
			"for any, taken in turn; when one has no port left "
			"the next one is tried, so two have room for twice as "
			"many connections to one backend. Those of the "
			"backend's family count, and none for unix sockets. A "
			"middleware's own source goes before."),
	WEIR_CHOICE("transparent", struct conf_backend, transparent,
		.def = "off", .choices = transparents,
		.help = "With source, the source addresses may be such as "
			"this machine does not have; with client, it is the "
			"client's own, with another port (IP_TRANSPARENT, "
			"ip(7)), but not where a middleware has a source of "
			"its own, which goes before. What is sent there has to "
			"be led back here, "
			"by routes and rules of the system. Workers get "
			"CAP_NET_RAW for it."),
	WEIR_BOOL("fastopen", struct conf_backend, fastopen, .def = "false",
		.help = "Whether bytes of the client that are there already "
			"go with the first packet to a backend that has taken "
			"such before (TCP_FASTOPEN_CONNECT, tcp(7)): a round "
			"trip less. Then a backend that refuses or does not "
			"answer is noticed too late for connect_timeout and "
			"for another address, and the bytes may come twice. "
			"Where no byte is there, as without a "
			"middleware that wants to see them first, connecting "
			"is as ever."),
	WEIR_INT("mark", struct conf_backend, mark, .def = "0",
		.max = UINT32_MAX,
		.help = "Mark of its packets, by which routes and filters of "
			"the system can know them (SO_MARK, socket(7)); 0 for "
			"none. Workers get CAP_NET_ADMIN for it."),
	SOCKET_ROWS(struct conf_backend), WEIR_OPT_END
};

const struct weir_rows socket_backend_rows = { .opts = backend_opts,
	.size = sizeof(struct conf_backend) };

/* What is being checked: one group of options, and its name in messages. */
struct group {
	struct option_loader *l;
	const struct node *node; /* NULL: none was written */
	const struct node *server;
	const char *path;
};

static void listen_check(const struct group *g,
	const struct conf_server *server, struct conf_listen *listen);
static void
defer_check(const struct group *g, const struct conf_server *server);
static void backend_check(const struct group *g, struct conf_backend *backend);
static void unix_check(const struct group *g, const struct conf_listen *listen);
static void
shared_check(const struct group *g, const struct conf_socket *socket);
static void seconds_check(const struct group *g, const char *key, uint32_t ms);
static void shared_list(
	struct sockopts *o, const struct conf_socket *socket, bool transparent);
static const struct place *place_of(const struct group *g, const char *key);

void
socket_check(struct option_loader *l, const struct node *node,
	struct conf_server *server)
{
	struct conf_listen *listen = server->listen.v;
	const struct node *entry = node_member(node, "listen");
	struct arena *a = l->diag->arena;
	char text[WEIR_ADDR_TEXT];
	struct group g = { .l = l, .server = node };
	size_t i;

	entry = entry != NULL && entry->kind == NODE_LIST ? entry->first : NULL;
	for (i = 0; i < server->listen.n; i++) {
		listen[i].text = arena_strdup(
			l->arena, weir_addr_text(&listen[i].address, text));
		g.node = entry;
		g.path = arena_printf(
			a, "servers.%s.listen[%zu]", server->name, i);
		listen_check(&g, server, &listen[i]);
		entry = entry != NULL ? entry->next : NULL;
	}
	g.node = node_member(node, "backend");
	g.path = arena_printf(a, "servers.%s.backend", server->name);
	backend_check(&g, &server->backend);
}

static void
listen_check(const struct group *g, const struct conf_server *server,
	struct conf_listen *listen)
{
	struct sockopts *o = &listen->options;

	if (listen->address.sa.sa_family == AF_UNIX)
		unix_check(g, listen);
	if (listen->address.sa.sa_family == AF_UNIX &&
		server->backend.transparent == CONF_TRANSPARENT_CLIENT)
		diag_error(g->l->diag, place_of(g, "address"), g->path,
			"clients of %s have no IP address, which transparent = "
			"\"client\" of this server's backend wants",
			listen->text);
	shared_check(g, &listen->socket);
	seconds_check(g, "defer_accept", listen->defer_accept_ms);
	/* Who has errors may have lost the middleware that is looked for. */
	if (listen->defer_accept_ms != 0 && g->l->diag->errors == 0)
		defer_check(g, server);
	shared_list(o, &listen->socket, listen->transparent);
	sockopts_add(
		o, SOCKOPT_DEFER_ACCEPT, (int)(listen->defer_accept_ms / 1000));
	sockopts_add(o, SOCKOPT_FASTOPEN, (int)listen->fastopen);
}

/* Who waits for the server to speak first would wait for ever. */
static void
defer_check(const struct group *g, const struct conf_server *server)
{
	const struct conf_stage *stage;
	bool preread = false;
	size_t i;

	for (i = 0; i < server->stages.n; i++) {
		stage = conf_stage_at(server, i);
		preread = preread || (stage->mw->flags & WEIR_PREREAD) != 0;
		if (stage->mw->races == NULL || !stage->mw->races(stage->conf))
			continue;
		diag_error(g->l->diag, place_of(g, "defer_accept"), g->path,
			"option \"defer_accept\": middleware \"%s\" lets the "
			"backend speak first when a client is silent, but such "
			"a client would not be accepted: leave it out, or the "
			"race",
			stage->name);
		return;
	}
	if (!preread)
		diag_error(g->l->diag, place_of(g, "defer_accept"), g->path,
			"option \"defer_accept\": no middleware of this server "
			"wants client bytes before a backend is chosen, so a "
			"client that waits for the server to speak first would "
			"wait for ever: leave it out, or let one choose by "
			"those bytes");
}

static void
backend_check(const struct group *g, struct conf_backend *backend)
{
	struct sockopts *o = &backend->options;
	const struct weir_addr *source = backend->source.v;
	size_t i;

	shared_check(g, &backend->socket);
	for (i = 0; i < backend->source.n; i++)
		if (source[i].sa.sa_family == AF_UNIX)
			diag_error(g->l->diag, place_of(g, "source"), g->path,
				"option \"source\" wants IP addresses, not a "
				"unix socket");
	if (backend->transparent == CONF_TRANSPARENT_CLIENT &&
		backend->source.n > 0)
		diag_error(g->l->diag, place_of(g, "source"), g->path,
			"option \"source\" and transparent = \"client\" "
			"exclude each other: write transparent = \"source\", "
			"or leave \"source\" out");
	shared_list(o, &backend->socket,
		backend->transparent != CONF_TRANSPARENT_OFF);
	sockopts_add(o, SOCKOPT_MARK, (int)(uint32_t)backend->mark);
}

/* Only backlog is more than TCP's. */
static void
unix_check(const struct group *g, const struct conf_listen *listen)
{
	const struct weir_opt *row;
	const struct node *n;

	for (n = g->node != NULL ? g->node->first : NULL; n != NULL;
		n = n->next) {
		row = option_find(listen_opts, n->name, strlen(n->name));
		if (row == NULL || strcmp(row->key, "address") == 0 ||
			strcmp(row->key, "backlog") == 0)
			continue;
		diag_error(g->l->diag, &n->place, g->path,
			"option \"%s\" is for IP addresses, not for %s",
			row->key, listen->text);
	}
}

static void
shared_check(const struct group *g, const struct conf_socket *socket)
{
	static const char *const keys[] = { "keepalive_idle",
		"keepalive_interval", "keepalive_count" };
	size_t i;

	seconds_check(g, "keepalive_idle", socket->keepalive_idle_ms);
	seconds_check(g, "keepalive_interval", socket->keepalive_interval_ms);
	for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (!socket->keepalive && g->node != NULL &&
			node_member(g->node, keys[i]) != NULL)
			diag_error(g->l->diag, place_of(g, keys[i]), g->path,
				"option \"%s\" does nothing without keepalive "
				"= true",
				keys[i]);
}

static void
seconds_check(const struct group *g, const char *key, uint32_t ms)
{
	if (ms % 1000 != 0)
		diag_error(g->l->diag, place_of(g, key), g->path,
			"option \"%s\" is a number of whole seconds", key);
}

static void
shared_list(
	struct sockopts *o, const struct conf_socket *socket, bool transparent)
{
	sockopts_add(o, SOCKOPT_NODELAY, socket->nodelay);
	sockopts_add(o, SOCKOPT_SNDBUF, (int)socket->sndbuf);
	sockopts_add(o, SOCKOPT_RCVBUF, (int)socket->rcvbuf);
	sockopts_add(o, SOCKOPT_KEEPALIVE, socket->keepalive);
	sockopts_add(
		o, SOCKOPT_KEEPIDLE, (int)(socket->keepalive_idle_ms / 1000));
	sockopts_add(o, SOCKOPT_KEEPINTVL,
		(int)(socket->keepalive_interval_ms / 1000));
	sockopts_add(o, SOCKOPT_KEEPCNT, (int)socket->keepalive_count);
	sockopts_add(o, SOCKOPT_USER_TIMEOUT, (int)socket->user_timeout_ms);
	sockopts_add(o, SOCKOPT_TRANSPARENT, transparent);
	sockopts_add(o, SOCKOPT_TRANSPARENT6, transparent);
}

/* Where that option was written, or else its group, or the server. */
static const struct place *
place_of(const struct group *g, const char *key)
{
	const struct node *node = g->node != NULL ? g->node : g->server;
	const struct node *member =
		g->node != NULL ? node_member(g->node, key) : NULL;

	return member != NULL ? &member->place : &node->place;
}
