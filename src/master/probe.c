/* probe.c - options of sockets, tried before connections need them. */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "conf/conf.h"
#include "master/probe.h"

#define WHERE 96

/* Bits of net.ipv4.tcp_fastopen (tcp(7)). */
#define FASTOPEN_CLIENT 1
#define FASTOPEN_SERVER 2

/* A socket of either family: what this machine has; -1 with errno. */
static int
probe_socket(sa_family_t *family)
{
	int fd;

	*family = AF_INET;
	fd = socket(*family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd != -1 || errno != EAFNOSUPPORT)
		return fd;
	*family = AF_INET6;
	return socket(*family, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

/* Warns of a fast open that the system does not do for that side. */
static void
probe_fastopen(const char *where, int bit)
{
	FILE *f = fopen("/proc/sys/net/ipv4/tcp_fastopen", "re");
	int bits = bit;

	if (f != NULL && fscanf(f, "%d", &bits) == 1 && (bits & bit) == 0)
		log_warn("%s: \"fastopen\" does nothing: "
			 "net.ipv4.tcp_fastopen is %d and would have to be %d",
			where, bits, bits | bit);
	if (f != NULL)
		fclose(f);
}

/* Warns of source addresses that no interface has now. */
static void
probe_sources(const struct conf_server *server, const char *where)
{
	const struct weir_list *list = &server->backend.source;
	const struct weir_addr *source = list->v;
	char text[WEIR_ADDR_TEXT];
	struct weir_addr a;
	size_t i;
	int fd;

	for (i = 0; i < list->n; i++) {
		a = source[i];
		fd = socket(a.sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (fd == -1)
			continue;
		/* With a port of its own it might be in use, by rights. */
		if (a.sa.sa_family == AF_INET6)
			a.in6.sin6_port = 0;
		else
			a.in.sin_port = 0;
		(void)sockopt_set(fd, a.sa.sa_family, SOCKOPT_NO_PORT, 1);
		if (bind(fd, &a.sa, a.len) == -1 && errno == EADDRNOTAVAIL)
			log_warn("%s: this machine does not have the source "
				 "address %s",
				where, weir_addr_text(&source[i], text));
		fd_close(&fd);
	}
}

/* Can its sockets have all?  strict: what this process may not do counts. */
static bool
probe_server(const struct conf_server *server, bool strict)
{
	const struct sockopts *o = &server->backend.options;
	char where[WHERE], why[SOCKOPT_WHY];
	enum sockopt_id failed = SOCKOPT_NONE;
	sa_family_t family;
	bool good = true;
	int fd = probe_socket(&family);

	/* Whether there are sockets at all will show elsewhere. */
	if (fd == -1)
		return true;
	snprintf(where, sizeof(where), "servers.%s.backend", server->name);
	if (sockopts_set(fd, family, o, &failed) == -1) {
		good = errno == EPERM && !strict;
		if (!good)
			log_error("%s: %s", where,
				sockopt_why(failed, errno, why));
	} else {
		probe_set(fd, o, where);
	}
	if (server->backend.fastopen)
		probe_fastopen(where, FASTOPEN_CLIENT);
	if (server->backend.transparent == CONF_TRANSPARENT_OFF)
		probe_sources(server, where);
	fd_close(&fd);
	return good;
}

/* Could a socket listen with these?  A start would say the same. */
static bool
probe_listen(const struct conf_listen *listen, bool strict)
{
	sa_family_t family = listen->address.sa.sa_family;
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	enum sockopt_id failed = SOCKOPT_NONE;
	char why[SOCKOPT_WHY];
	bool good = true;

	if (fd == -1)
		return true;
	if (sockopts_set(fd, family, &listen->options, &failed) == 0)
		probe_set(fd, &listen->options, listen->text);
	else if (errno != EPERM || strict) {
		good = false;
		log_error("%s: %s", listen->text,
			sockopt_why(failed, errno, why));
	}
	fd_close(&fd);
	return good;
}

static int
probe_listens(const struct conf *conf, bool strict)
{
	const struct conf_server *server;
	int rc = 0;
	size_t i, j;

	for (i = 0; i < conf->servers.n; i++) {
		server = conf_server_at(conf, i);
		for (j = 0; j < server->listen.n; j++)
			if (!probe_listen(conf_listen_at(server, j), strict))
				rc = -1;
	}
	for (j = 0; j < conf->api.listen.n; j++)
		if (!probe_listen(conf_listen_of(conf, CONF_API, (uint32_t)j),
			    strict))
			rc = -1;
	return rc;
}

static int
probe_all(const struct conf *conf, bool strict)
{
	int rc = 0;
	size_t i;

	for (i = 0; i < conf->servers.n; i++)
		if (!probe_server(conf_server_at(conf, i), strict))
			rc = -1;
	return rc;
}

int
probe_backends(const struct conf *conf)
{
	return probe_all(conf, true);
}

int
probe_check(const struct conf *conf)
{
	bool strict = geteuid() == 0;
	int rc = probe_listens(conf, strict);

	return probe_all(conf, strict) == -1 ? -1 : rc;
}

void
probe_set(int fd, const struct sockopts *o, const char *where)
{
	const char *limit = sockopts_capped(fd, o);
	const struct sockopt *one;

	if (limit != NULL)
		log_warn("%s: a buffer is smaller than was asked for: %s does "
			 "not allow more",
			where, limit);
	for (one = o->v; one < o->v + o->n; one++)
		if (one->id == SOCKOPT_FASTOPEN)
			probe_fastopen(where, FASTOPEN_SERVER);
}
