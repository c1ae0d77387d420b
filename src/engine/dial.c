/* dial.c - a socket that connects, with options and a source address. */
#include <sys/socket.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "engine/channel.h"
#include "engine/connect.h"
#include "engine/dial.h"
#include "engine/engine.h"

/* May bytes go with the first packet?  Without any nothing would be sent, and
 * a backend that speaks first would wait for ever. */
bool
dial_is_fast(const struct weir_channel *ch)
{
	return ch->engine->server->backend.fastopen &&
	       !endpoint_is_unix(&ch->ends[WEIR_BACKEND]) &&
	       ch->flows[WEIR_UP].out.len > 0;
}

/* Options, source and connect(2); what has its default costs no call. */
static int
dial_socket(const struct weir_channel *ch, int fd, const struct dial *dial,
	struct fault *fault)
{
	const struct conf_backend *backend = &ch->engine->server->backend;
	const struct weir_addr *source = &fault->source;
	sa_family_t family = dial->to.sa.sa_family;

	if (sockopts_set(fd, family, &backend->options, &fault->option) == -1)
		return -1;
	/* Ports are chosen at connect(2), when the whole tuple is known. */
	if (source->len != 0 && weir_addr_lacks_port(source) &&
		sockopt_set(fd, family, SOCKOPT_NO_PORT, 1) == -1) {
		fault->option = SOCKOPT_NO_PORT;
		return -1;
	}
	if (source->len != 0 && bind(fd, &source->sa, source->len) == -1) {
		fault->binding = true;
		return -1;
	}
	if (dial_is_fast(ch) &&
		sockopt_set(fd, family, SOCKOPT_FASTOPEN_CONNECT, 1) == -1) {
		fault->option = SOCKOPT_FASTOPEN_CONNECT;
		return -1;
	}
	if (connect(fd, &dial->to.sa, dial->to.len) == -1 &&
		errno != EINPROGRESS && errno != EINTR)
		return -1;
	return 0;
}

/* A socket that connects, from that source or NULL; -1 with errno. */
static int
dial_from(const struct weir_channel *ch, const struct dial *dial,
	const struct weir_addr *source, struct fault *fault)
{
	int fd = socket(dial->to.sa.sa_family,
		SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int err;

	*fault = (struct fault){ .option = SOCKOPT_NONE };
	if (source != NULL)
		fault->source = *source;
	if (fd == -1 || dial_socket(ch, fd, dial, fault) == 0)
		return fd;
	err = errno;
	close(fd);
	errno = err;
	return -1;
}

/* From the client's address, which needs another port there. */
static int
dial_as_client(const struct weir_channel *ch, const struct dial *dial,
	struct fault *fault)
{
	struct weir_addr source;

	endpoint_peer(&ch->ends[WEIR_FRONTEND], &source);
	if (source.sa.sa_family != dial->to.sa.sa_family) {
		*fault = (struct fault){ .source = source, .mismatch = true };
		errno = EAFNOSUPPORT;
		return -1;
	}
	if (source.sa.sa_family == AF_INET6)
		source.in6.sin6_port = 0;
	else
		source.in.sin_port = 0;
	return dial_from(ch, dial, &source, fault);
}

/* How many of these are of that family. */
static size_t
sources_of(const struct weir_list *list, sa_family_t family)
{
	const struct weir_addr *source = list->v;
	size_t i, n = 0;

	for (i = 0; i < list->n; i++)
		n += source[i].sa.sa_family == family;
	return n;
}

/* Number nth among those. */
static const struct weir_addr *
source_nth(const struct weir_list *list, sa_family_t family, size_t nth)
{
	const struct weir_addr *source = list->v;

	while (source->sa.sa_family != family || nth-- > 0)
		source++;
	return source;
}

/* Each channel begins with another one of the server's source addresses that
 * are of the backend's family, and goes on to the next when that has no port
 * left. */
static int
dial_in_turn(const struct weir_channel *ch, const struct dial *dial,
	struct fault *fault)
{
	const struct weir_list *list = &ch->engine->server->backend.source;
	sa_family_t family = dial->to.sa.sa_family;
	size_t i, n = sources_of(list, family);
	int fd = -1;

	if (n == 0)
		return dial_from(ch, dial, NULL, fault);
	for (i = 0; i < n; i++) {
		fd = dial_from(ch, dial,
			source_nth(list, family, (ch->id + i) % n), fault);
		if (fd != -1 || (errno != EADDRNOTAVAIL && errno != EADDRINUSE))
			break;
	}
	return fd;
}

int
dial_open(const struct weir_channel *ch, const struct dial *dial,
	struct fault *fault)
{
	const struct conf_backend *backend = &ch->engine->server->backend;

	if (dial->source.len != 0)
		return dial_from(ch, dial, &dial->source, fault);
	if (backend->transparent == CONF_TRANSPARENT_CLIENT &&
		dial->to.sa.sa_family != AF_UNIX)
		return dial_as_client(ch, dial, fault);
	return dial_in_turn(ch, dial, fault);
}

/* Lack of descriptors, ports, memory or rights is. */
bool
fault_is_ours(const struct fault *fault, int err)
{
	return err == EMFILE || err == ENFILE || err == ENOBUFS ||
	       err == ENOMEM || err == EADDRNOTAVAIL || err == EACCES ||
	       err == EPERM || fault->option != SOCKOPT_NONE ||
	       fault->binding || fault->mismatch;
}

const char *
fault_why(const struct fault *fault, int err, char text[static SOCKOPT_WHY])
{
	if (fault->option != SOCKOPT_NONE)
		return sockopt_why(fault->option, err, text);
	if (fault->mismatch)
		return "transparent = \"client\": the client's address is of "
		       "another family";
	if (err == EADDRNOTAVAIL && fault->binding)
		return "this machine does not have the source address";
	if (err == EADDRNOTAVAIL)
		return "no local port is left (net.ipv4.ip_local_port_range, "
		       "source addresses)";
	return strerror(err);
}
