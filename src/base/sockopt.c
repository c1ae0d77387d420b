/* sockopt.c - options of a socket, as a list that is set in its order. */
#include <errno.h>
#include <limits.h>
#include <linux/socket.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/sockopt.h"

/* Sockets that have an option. */
enum sockets { SOCKETS_ALL, SOCKETS_TCP, SOCKETS_IPV4, SOCKETS_IPV6 };

static const struct row {
	const char *key;
	const char *word;
	enum sockets sockets;
	int level, option;
} rows[] = {
#define X(id, key, sockets, level, option)                                     \
	[SOCKOPT_##id] = { key, #option, SOCKETS_##sockets, level, option },
	SOCKOPTS(X)
#undef X
};

static const struct sockopt *
sockopts_find(const struct sockopts *o, enum sockopt_id id);
static bool option_is_for(enum sockopt_id id, sa_family_t family);
static int option_reset(int fd, int fresh, enum sockopt_id id);
static int buffer_reset(int fd, enum sockopt_id id, int value);

void
sockopts_add(struct sockopts *o, enum sockopt_id id, int value)
{
	if (value != 0)
		o->v[o->n++] = (struct sockopt){ id, value };
}

bool
sockopts_equal(const struct sockopts *a, const struct sockopts *b)
{
	const struct sockopt *one;
	size_t i;

	if (a->n != b->n)
		return false;
	for (i = 0; i < a->n; i++) {
		one = sockopts_find(b, a->v[i].id);
		if (one == NULL || one->value != a->v[i].value)
			return false;
	}
	return true;
}

int
sockopt_set(int fd, sa_family_t family, enum sockopt_id id, int value)
{
	if (!option_is_for(id, family))
		return 0;
	return setsockopt(
		fd, rows[id].level, rows[id].option, &value, sizeof(value));
}

int
sockopts_set(int fd, sa_family_t family, const struct sockopts *o,
	enum sockopt_id *failed)
{
	size_t i;

	for (i = 0; i < o->n; i++) {
		/* Without that one bytes only come later. */
		if (sockopt_set(fd, family, o->v[i].id, o->v[i].value) == 0 ||
			o->v[i].id == SOCKOPT_NODELAY)
			continue;
		*failed = o->v[i].id;
		return -1;
	}
	return 0;
}

/* A new socket tells what the system's values are. */
int
sockopts_change(int fd, sa_family_t family, const struct sockopts *were,
	const struct sockopts *o, struct sockopts *failed)
{
	int fresh = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int err = errno;
	const struct sockopt *one;

	failed->n = 0;
	for (one = were->v; one < were->v + were->n; one++) {
		if (sockopts_find(o, one->id) != NULL ||
			!option_is_for(one->id, family))
			continue;
		if (fresh == -1)
			sockopts_add(failed, one->id, err);
		else if (option_reset(fd, fresh, one->id) == -1)
			sockopts_add(failed, one->id, errno);
	}
	if (fresh != -1)
		close(fresh);
	for (one = o->v; one < o->v + o->n; one++)
		if (sockopt_set(fd, family, one->id, one->value) == -1 &&
			one->id != SOCKOPT_NODELAY)
			sockopts_add(failed, one->id, errno);
	if (failed->n == 0)
		return 0;
	errno = failed->v[0].value;
	return -1;
}

const char *
sockopts_capped(int fd, const struct sockopts *o)
{
	const struct sockopt *one;
	socklen_t len = sizeof(int);
	int has;

	for (one = o->v; one < o->v + o->n; one++) {
		if (one->id != SOCKOPT_SNDBUF && one->id != SOCKOPT_RCVBUF)
			continue;
		/* The kernel says twice of what counts for data. */
		if (getsockopt(fd, SOL_SOCKET, rows[one->id].option, &has,
			    &len) == 0 &&
			has / 2 < one->value)
			return one->id == SOCKOPT_SNDBUF ? "net.core.wmem_max"
							 : "net.core.rmem_max";
	}
	return NULL;
}

const char *
sockopt_why(enum sockopt_id id, int err, char text[static SOCKOPT_WHY])
{
	const char *help = "";

	if (err == EPERM && id == SOCKOPT_MARK)
		help = ": it needs the capability CAP_NET_ADMIN";
	else if (err == EPERM)
		help = ": it needs the capability CAP_NET_RAW or "
		       "CAP_NET_ADMIN";
	else if (err == ENOPROTOOPT)
		help = ": this kernel does not have it";
	snprintf(text, SOCKOPT_WHY, "option \"%s\" (%s) cannot be set: %s%s",
		rows[id].key, rows[id].word, strerror(err), help);
	return text;
}

static const struct sockopt *
sockopts_find(const struct sockopts *o, enum sockopt_id id)
{
	size_t i;

	for (i = 0; i < o->n; i++)
		if (o->v[i].id == id)
			return &o->v[i];
	return NULL;
}

static bool
option_is_for(enum sockopt_id id, sa_family_t family)
{
	enum sockets sockets = rows[id].sockets;

	return !((sockets == SOCKETS_TCP && family == AF_UNIX) ||
		 (sockets == SOCKETS_IPV4 && family != AF_INET) ||
		 (sockets == SOCKETS_IPV6 && family != AF_INET6));
}

/* The system's own values may be more than one socket takes (tcp(7)). */
static int
option_most(enum sockopt_id id)
{
	if (id == SOCKOPT_KEEPIDLE || id == SOCKOPT_KEEPINTVL)
		return 32767;
	return id == SOCKOPT_KEEPCNT ? 127 : INT_MAX;
}

static int
option_reset(int fd, int fresh, enum sockopt_id id)
{
	const struct row *row = &rows[id];
	socklen_t len = sizeof(int);
	int value, has;

	/* What the kernel does not know, the socket does not have. */
	if (getsockopt(fresh, row->level, row->option, &value, &len) == -1)
		return errno == ENOPROTOOPT ? 0 : -1;
	if (id == SOCKOPT_SNDBUF || id == SOCKOPT_RCVBUF)
		return buffer_reset(fd, id, value);
	/* Some cannot be set any more once a socket listens. */
	if (getsockopt(fd, row->level, row->option, &has, &len) == 0 &&
		has == value)
		return 0;
	if (value > option_most(id))
		value = option_most(id);
	return setsockopt(fd, row->level, row->option, &value, sizeof(value));
}

/* What the kernel said is twice of what it is told, and what it was told keeps
 * it from adapting the size. */
static int
buffer_reset(int fd, enum sockopt_id id, int value)
{
	int has = 0, locks,
	    bit = id == SOCKOPT_SNDBUF ? SOCK_SNDBUF_LOCK : SOCK_RCVBUF_LOCK;
	socklen_t len = sizeof(int);
	bool knows; /* Linux 5.14 and later */

	(void)getsockopt(fd, SOL_SOCKET, rows[id].option, &has, &len);
	knows = getsockopt(fd, SOL_SOCKET, SO_BUF_LOCK, &locks, &len) == 0;
	if (has == value && (!knows || (locks & bit) == 0))
		return 0;
	if (sockopt_set(fd, AF_UNSPEC, id, value / 2) == -1)
		return -1;
	if (!knows)
		return 0;
	locks &= ~bit;
	return setsockopt(fd, SOL_SOCKET, SO_BUF_LOCK, &locks, sizeof(locks));
}
