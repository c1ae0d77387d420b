/* listeners.c - every address that a configuration listens on. */
#include <sys/socket.h>

#include <bsd/string.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "conf/conf.h"
#include "master/activation.h"
#include "master/equip.h"
#include "master/listeners.h"
#include "master/probe.h"
#include "master/share.h"

static void listeners_inherit(struct listeners *ls);
static int listener_bind(struct listeners *ls, size_t i);
static void listener_unlink(struct listeners *ls, size_t i);
static const char *listener_path(const struct weir_addr *a);
static const char *
listener_why(const struct weir_addr *a, int err, bool inherited);
static int socket_on(int fd, int level, int option);

/* Lists n more sockets of that listen entry, behind the n that it has. */
static int
listeners_add(struct listeners *ls, unsigned server, unsigned listen, size_t n,
	size_t has, size_t head)
{
	struct heritage_listener *v =
		reallocarray(ls->v, ls->n + n + 1, sizeof(*v));
	struct listener *info;
	size_t i;

	if (v == NULL)
		return -1;
	ls->v = v;
	info = reallocarray(ls->info, ls->n + n + 1, sizeof(*info));
	if (info == NULL)
		return -1;
	ls->info = info;
	for (i = 0; i < n; i++, ls->n++) {
		v[ls->n] = (struct heritage_listener){
			.fd = -1, .server = server, .listen = listen
		};
		info[ls->n] = (struct listener){ .head = head };
		if (!listener_conf(ls, ls->n)->reuseport)
			continue;
		v[ls->n].share = (unsigned)(has + i) + 1;
		ls->shares = true;
	}
	return 0;
}

int
listeners_init(struct listeners *ls, const struct conf *conf, unsigned workers)
{
	const struct conf_server *server;
	unsigned i, j;

	*ls = (struct listeners){ .conf = conf };
	for (i = 0; i < conf->servers.n; i++) {
		server = conf_server_at(conf, i);
		for (j = 0; j < server->listen.n; j++)
			if (listeners_add(ls, i, j,
				    conf_listen_at(server, j)->reuseport
					    ? workers
					    : 1,
				    0, ls->n) == -1) {
				listeners_done(ls);
				return -1;
			}
	}
	for (j = 0; j < conf->api.listen.n; j++)
		if (listeners_add(ls, CONF_API, j, 1, 0, ls->n) == -1) {
			listeners_done(ls);
			return -1;
		}
	return 0;
}

/* Number of the first of the older one's sockets for the address of listener i
 * of ls that nobody has taken yet, or older->n. */
static size_t
listener_find(const struct listeners *ls, size_t i,
	const struct listeners *older, const bool *taken)
{
	size_t j;

	for (j = 0; j < older->n; j++)
		if (!taken[j] && older->info[j].head == j &&
			older->v[j].fd != -1 &&
			strcmp(listener_conf(older, j)->text,
				listener_conf(ls, i)->text) == 0)
			break;
	return j;
}

/* Takes over the older one's socket j for listener i. */
static int
listener_keep(
	struct listeners *ls, size_t i, const struct listeners *older, size_t j)
{
	const struct sockopts *were = &listener_conf(older, j)->options;

	ls->v[i].fd = fcntl(older->v[j].fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	if (ls->v[i].fd == -1)
		return -1;
	ls->info[i].kept = true;
	ls->info[i].from = j;
	ls->info[i].file = older->info[j].file;
	ls->info[i].inherited = older->info[j].inherited;
	ls->info[i].changes =
		older->info[j].amiss ||
		!sockopts_equal(were, &listener_conf(ls, i)->options);
	ls->info[i].were = older->info[j].amiss ? NULL : were;
	return 0;
}

/* The same for all at the address of head; those for which there is no room in
 * the list are added to it: a socket that is closed loses who waits there. */
static int
listeners_keep(struct listeners *ls, size_t head, const struct listeners *older,
	size_t from)
{
	struct heritage_listener at = ls->v[head];
	size_t i = head, j, has = 0;

	for (j = from; j < older->n; j++) {
		if (older->info[j].head != from || older->v[j].fd == -1)
			continue;
		while (i < ls->n && ls->info[i].head != head)
			i++;
		if (i == ls->n && listeners_add(ls, at.server, at.listen, 1,
					  has, head) == -1)
			return -1;
		if (listener_keep(ls, i++, older, j) == -1)
			return -1;
		has++;
	}
	return 0;
}

int
listeners_adopt(struct listeners *ls, const struct listeners *older)
{
	bool *taken = calloc(older->n + 1, sizeof(*taken));
	size_t n = ls->n, i, j;
	int rc = taken == NULL ? -1 : 0;

	ls->activation = older->activation;
	for (i = 0; rc == 0 && i < n; i++) {
		if (ls->info[i].head != i)
			continue;
		j = listener_find(ls, i, older, taken);
		if (j == older->n)
			continue;
		taken[j] = true;
		rc = listeners_keep(ls, i, older, j);
	}
	free(taken);
	return rc;
}

void
listeners_commit(struct listeners *ls, struct listeners *older)
{
	size_t i;

	for (i = 0; i < ls->n; i++) {
		equip_kept(ls, i);
		/* On a listener this only changes its backlog. */
		if (listen(ls->v[i].fd, (int)listener_conf(ls, i)->backlog) ==
			-1)
			log_alert("%s: a socket does not listen: %s",
				listener_conf(ls, i)->text, strerror(errno));
		ls->info[i].opened = false;
		if (!ls->info[i].kept)
			continue;
		older->info[ls->info[i].from].file.is_ours = false;
		ls->info[i].kept = false;
	}
	listeners_unlink(older);
	listeners_close(older);
}

void
listeners_undo(struct listeners *ls)
{
	size_t i;

	for (i = 0; i < ls->n; i++)
		if (ls->info[i].kept)
			ls->info[i].file.is_ours = false;
	listeners_unlink(ls);
	for (i = 0; i < ls->n; i++)
		share_shut(ls, i);
	listeners_done(ls);
}

/* Is it this address, and not that something lacks now? */
static bool
listener_is_forbidden(int err)
{
	return err != EMFILE && err != ENFILE && err != ENOBUFS &&
	       err != ENOMEM;
}

size_t
listeners_bind(struct listeners *ls)
{
	size_t i = 0, failed = 0, head;

	if (ls->activation != NULL)
		listeners_inherit(ls);
	while (i < ls->n) {
		head = ls->info[i].head;
		ls->info[i].option = SOCKOPT_NONE;
		if (ls->info[i].changes && head == i) {
			ls->info[i].err = equip_try(ls, i) == -1 ? errno : 0;
		} else if (ls->v[i].fd == -1) {
			ls->v[i].fd = listener_bind(ls, i);
			ls->info[i].err = ls->v[i].fd == -1 ? errno : 0;
		}
		if (ls->v[i].fd == -1 && head != i && ls->v[head].fd != -1 &&
			ls->info[head].inherited &&
			listener_is_forbidden(ls->info[i].err)) {
			share_end(ls, head,
				listener_why(&listener_conf(ls, i)->address,
					ls->info[i].err, true));
			continue;
		}
		failed += ls->v[i].fd == -1 || ls->info[i].err != 0;
		i++;
	}
	return failed;
}

/* Takes the sockets that are there already: by address, then by name. */
static void
listeners_inherit(struct listeners *ls)
{
	const char *name;
	size_t i;
	int pass;

	activation_plan(ls->activation);
	for (i = 0; i < ls->n; i++)
		if (ls->v[i].fd != -1)
			activation_had(ls->activation, ls->v[i].fd);
	for (pass = 0; pass < 2; pass++)
		for (i = 0; i < ls->n; i++) {
			name = conf_name_of(ls->conf, ls->v[i].server);
			if (ls->v[i].fd != -1 || ls->info[i].head != i)
				continue;
			ls->v[i].fd = activation_take(ls->activation,
				pass == 0 ? &listener_conf(ls, i)->address
					  : NULL,
				name);
			ls->info[i].inherited = ls->v[i].fd != -1;
			if (ls->info[i].inherited)
				equip_inherited(ls, i);
		}
}

bool
listeners_busy(const struct listeners *ls)
{
	size_t i;

	for (i = 0; i < ls->n; i++)
		if (ls->info[i].err != 0 && ls->info[i].err != EADDRINUSE)
			return false;
	return true;
}

void
listeners_report(const struct listeners *ls)
{
	const struct conf_listen *listen;
	char why[SOCKOPT_WHY];
	size_t i;

	for (i = 0; i < ls->n; i++) {
		if (ls->info[i].err == 0 ||
			(ls->info[i].head != i &&
				ls->info[ls->info[i].head].err != 0))
			continue;
		listen = listener_conf(ls, i);
		if (ls->info[i].option != SOCKOPT_NONE) {
			log_error("server \"%s\": cannot listen on %s: %s",
				conf_name_of(ls->conf, ls->v[i].server),
				listen->text,
				sockopt_why(ls->info[i].option, ls->info[i].err,
					why));
			continue;
		}
		log_error("server \"%s\": cannot listen on %s: %s",
			conf_name_of(ls->conf, ls->v[i].server), listen->text,
			listener_why(&listen->address, ls->info[i].err, false));
	}
}

const struct conf_listen *
listener_conf(const struct listeners *ls, size_t i)
{
	return conf_listen_of(ls->conf, ls->v[i].server, ls->v[i].listen);
}

int
listeners_address(const struct listeners *ls, size_t i, struct weir_addr *a)
{
	a->len = sizeof(*a) - offsetof(struct weir_addr, sa);
	return getsockname(ls->v[i].fd, &a->sa, &a->len);
}

void
listeners_divide(const struct listeners *ls, bool keeper)
{
	size_t i;

	for (i = 0; i < ls->n; i++)
		if ((ls->v[i].server == CONF_API) != keeper)
			fd_close(&ls->v[i].fd);
}

void
listeners_close(struct listeners *ls)
{
	size_t i;

	for (i = 0; i < ls->n; i++)
		fd_close(&ls->v[i].fd);
}

void
listeners_unlink(struct listeners *ls)
{
	size_t i;

	for (i = 0; i < ls->n; i++)
		listener_unlink(ls, i);
}

void
listeners_done(struct listeners *ls)
{
	listeners_close(ls);
	free(ls->v);
	free(ls->info);
	*ls = (struct listeners){ .conf = NULL };
}

/* A bound socket at that address, for listener i; several may be, with
 * reuseport.  Accepted sockets inherit its options: no system calls for each.
 */
static int
listener_socket(
	struct listeners *ls, size_t i, const struct weir_addr *a, bool again)
{
	struct listener *info = &ls->info[i];
	int fd = socket(
		a->sa.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int rc = 0;

	if (fd == -1)
		return -1;
	if (listener_path(a) != NULL) {
		/* Every local user may connect to a server, as to a port. */
		rc = sockfile_bind(&info->file, fd, a,
			listener_conf(ls, i)->mode != 0
				? listener_conf(ls, i)->mode
				: 0666);
	} else {
		if (a->sa.sa_family == AF_INET6)
			rc = socket_on(fd, IPPROTO_IPV6, IPV6_V6ONLY);
		if (rc == 0 && a->sa.sa_family != AF_UNIX)
			rc = socket_on(fd, SOL_SOCKET, SO_REUSEADDR);
		if (rc == 0)
			rc = sockopts_set(fd, a->sa.sa_family,
				&listener_conf(ls, i)->options, &info->option);
		if (rc == 0 && again)
			rc = socket_on(fd, SOL_SOCKET, SO_REUSEPORT);
		if (rc == 0)
			rc = bind(fd, &a->sa, a->len);
	}
	if (rc == -1)
		fd_close(&fd);
	return fd;
}

/* The listening descriptor, or -1 with errno and nothing left behind.  The
 * first one at an address is bound without SO_REUSEPORT, which would let two
 * weirs have the same address.  One more beside sockets that are in use gets
 * connections as soon as it listens, so it does so when it will be served. */
static int
listener_bind(struct listeners *ls, size_t i)
{
	const struct conf_listen *want = listener_conf(ls, i);
	size_t head = ls->info[i].head;
	bool first = head == i;
	struct weir_addr at = want->address;
	int fd, err;

	if (!first && ls->v[head].fd == -1) {
		errno = ls->info[head].err;
		return -1;
	}
	if (!first && (listeners_address(ls, head, &at) == -1 ||
			      share_open(ls, head) == -1))
		return -1;
	fd = listener_socket(ls, i, &at, !first);
	if (fd == -1)
		return -1;
	if ((!first || !want->reuseport ||
		    socket_on(fd, SOL_SOCKET, SO_REUSEPORT) == 0) &&
		(ls->info[head].kept || listen(fd, (int)want->backlog) == 0)) {
		if (first)
			probe_set(fd, &want->options, want->text);
		return fd;
	}
	err = errno;
	fd_close(&fd);
	listener_unlink(ls, i);
	errno = err;
	return -1;
}

static void
listener_unlink(struct listeners *ls, size_t i)
{
	sockfile_unlink(&ls->info[i].file, &listener_conf(ls, i)->address);
}

/* The path of a unix socket that has a file, or NULL. */
static const char *
listener_path(const struct weir_addr *a)
{
	return a->sa.sa_family == AF_UNIX && a->un.sun_path[0] != '\0'
		       ? a->un.sun_path
		       : NULL;
}

static const char *
listener_why(const struct weir_addr *a, int err, bool inherited)
{
	static char text[128];

	if (err == ENOTSOCK)
		return "the path exists and is not a socket";
	if (err == EADDRNOTAVAIL)
		return "no interface of this machine has that address";
	if (err == EADDRINUSE && inherited)
		return "the address is in use, so the socket is another user's";
	if (err == EACCES && listener_path(a) == NULL)
		return "permission denied: ports this low need root";
	if (err == ENOENT)
		return "its directory does not exist";
	/* strerror(3) begins a sentence, and this is the end of one. */
	strlcpy(text, strerror(err), sizeof(text));
	text[0] = (char)tolower((unsigned char)text[0]);
	return text;
}

static int
socket_on(int fd, int level, int option)
{
	const int on = 1;

	return setsockopt(fd, level, option, &on, sizeof(on));
}
