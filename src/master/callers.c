/* callers.c - those who call the master over its control socket. */
#include <sys/socket.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "master/callers.h"

#define CALLERS_MODE	 0600
#define CALLERS_PAUSE_MS 1000 /* when nobody can be accepted */

static void callers_accept(struct callers *cs);
static void callers_admit(struct callers *cs, int fd);
static void callers_take(struct callers *cs, int fd, bool keeper);
static void callers_hear(struct callers *cs, struct caller *c, int revents);
static struct caller *callers_find(struct callers *cs, int fd);
static struct caller *
callers_of_run(struct callers *cs, enum caller_word word, size_t *i);

void
callers_init(struct callers *cs,
	void (*told)(void *, struct caller *, enum caller_word), void *arg)
{
	size_t i;

	*cs = (struct callers){
		.told = told, .arg = arg, .uid = geteuid(), .fd = -1
	};
	for (i = 0; i < CALLERS_MAX; i++)
		cs->v[i].fd = -1;
}

int
callers_open(
	struct callers *cs, const char *pidfile, char why[static CALLERS_WHY])
{
	struct sockaddr_un *un = &cs->address.un;
	int n;

	cs->address = (struct weir_addr){ .un.sun_family = AF_UNIX };
	cs->address.len = sizeof(*un);
	n = snprintf(un->sun_path, sizeof(un->sun_path), "%s" CALLER_SUFFIX,
		pidfile);
	if (n < 0 || (size_t)n >= sizeof(un->sun_path)) {
		snprintf(why, CALLERS_WHY,
			"control socket %.80s...: its path has %d bytes, and "
			"%zu are the most; choose a shorter process.pidfile",
			pidfile, n, sizeof(un->sun_path) - 1);
		return -1;
	}
	cs->fd = socket(
		AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (cs->fd != -1 &&
		sockfile_bind(&cs->file, cs->fd, &cs->address, CALLERS_MODE) ==
			0 &&
		listen(cs->fd, CALLERS_MAX) == 0)
		return 0;
	snprintf(why, CALLERS_WHY, "control socket %s: %s", un->sun_path,
		errno == ENOTSOCK     ? "it exists and is not a socket"
		: errno == EADDRINUSE ? "another process listens on it"
				      : strerror(errno));
	callers_close(cs);
	return -1;
}

void
callers_close(struct callers *cs)
{
	size_t i;

	for (i = 0; i < CALLERS_MAX; i++)
		caller_end(&cs->v[i], 1, "weir ended before that was done");
	sockfile_unlink(&cs->file, &cs->address);
	callers_shed(cs);
}

void
callers_keep(struct callers *cs, int fd)
{
	callers_take(cs, fd, true);
}

void
callers_shed(struct callers *cs)
{
	size_t i;

	for (i = 0; i < CALLERS_MAX; i++)
		caller_drop(&cs->v[i]);
	fd_close(&cs->fd);
	cs->file.is_ours = false;
}

size_t
callers_fds(const struct callers *cs, struct pollfd *pfds)
{
	size_t i, n = 0;

	if (cs->fd != -1 && cs->pause_ms == 0)
		pfds[n++] = (struct pollfd){ .fd = cs->fd, .events = POLLIN };
	for (i = 0; i < CALLERS_MAX; i++) {
		const struct caller *c = &cs->v[i];

		/* poll(2) tells that it left in any case. */
		if (c->state != CALLER_FREE)
			pfds[n++] = (struct pollfd){ .fd = c->fd,
				.events = c->state == CALLER_NEW ? POLLIN
					  : c->len > 0		 ? POLLOUT
								 : 0 };
	}
	return n;
}

void
callers_read(struct callers *cs, const struct pollfd *pfds, size_t n,
	uint64_t now_ms)
{
	bool knocked = false;
	struct caller *c;
	size_t i;

	cs->now_ms = now_ms;
	for (i = 0; i < n; i++) {
		if (pfds[i].revents == 0)
			continue;
		if (pfds[i].fd == cs->fd) {
			knocked = true;
			continue;
		}
		c = callers_find(cs, pfds[i].fd);
		if (c != NULL)
			callers_hear(cs, c, pfds[i].revents);
	}
	/* After the others: some have left, and no descriptor of before is
	 * taken for a new one. */
	if (knocked && cs->fd != -1)
		callers_accept(cs);
}

uint64_t
callers_next(const struct callers *cs)
{
	uint64_t next = cs->pause_ms != 0 ? cs->pause_ms : UINT64_MAX;
	size_t i;

	for (i = 0; i < CALLERS_MAX; i++)
		if (cs->v[i].state != CALLER_FREE && cs->v[i].due_ms < next)
			next = cs->v[i].due_ms;
	return next;
}

void
callers_turn(struct callers *cs, uint64_t now_ms)
{
	size_t i;

	cs->now_ms = now_ms;
	if (now_ms >= cs->pause_ms)
		cs->pause_ms = 0;
	for (i = 0; i < CALLERS_MAX; i++)
		if (cs->v[i].state != CALLER_FREE && now_ms >= cs->v[i].due_ms)
			caller_drop(&cs->v[i]);
}

bool
callers_waiting(const struct callers *cs, enum caller_word word)
{
	size_t i;

	for (i = 0; i < CALLERS_MAX; i++)
		if (cs->v[i].state == CALLER_WAITS && cs->v[i].word == word &&
			!cs->v[i].begun)
			return true;
	return false;
}

void
callers_begin(struct callers *cs, enum caller_word word)
{
	size_t i;

	for (i = 0; i < CALLERS_MAX; i++)
		if (cs->v[i].state == CALLER_WAITS && cs->v[i].word == word)
			cs->v[i].begun = true;
}

void
callers_text(struct callers *cs, enum caller_word word, enum caller_kind kind,
	const char *text)
{
	struct caller *c;
	size_t i = 0;

	while ((c = callers_of_run(cs, word, &i)) != NULL)
		caller_text(c, kind, text);
}

void
callers_say(struct callers *cs, enum caller_word word, enum caller_kind kind,
	const char *fmt, ...)
{
	char text[CALLER_LINE];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	callers_text(cs, word, kind, text);
}

void
callers_end(struct callers *cs, enum caller_word word, int code,
	const char *fmt, ...)
{
	struct caller *c;
	size_t i = 0;
	va_list ap;

	while ((c = callers_of_run(cs, word, &i)) != NULL) {
		va_start(ap, fmt);
		caller_vend(c, code, fmt, ap);
		va_end(ap);
	}
}

/* The next of that run, from *i on, or NULL. */
static struct caller *
callers_of_run(struct callers *cs, enum caller_word word, size_t *i)
{
	for (; *i < CALLERS_MAX; ++*i) {
		struct caller *c = &cs->v[*i];

		if (c->state == CALLER_WAITS && c->word == word && c->begun) {
			++*i;
			return c;
		}
	}
	return NULL;
}

static struct caller *
callers_find(struct callers *cs, int fd)
{
	size_t i;

	for (i = 0; i < CALLERS_MAX; i++)
		if (cs->v[i].state != CALLER_FREE && cs->v[i].fd == fd)
			return &cs->v[i];
	return NULL;
}

static void
callers_hear(struct callers *cs, struct caller *c, int revents)
{
	if (c->state == CALLER_NEW && (revents & POLLIN) != 0) {
		/* Also of one who left at once. */
		if (caller_hear(c))
			cs->told(cs->arg, c, c->word);
	} else if ((revents & (POLLHUP | POLLERR | POLLNVAL)) != 0) {
		caller_drop(c);
	} else {
		caller_flush(c);
	}
}

/* No more in a turn than may be there at once. */
static void
callers_accept(struct callers *cs)
{
	unsigned i;
	int fd;

	for (i = 0; i < CALLERS_FDS; i++) {
		fd = accept4(cs->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd != -1) {
			callers_admit(cs, fd);
		} else if (errno != EINTR && errno != ECONNABORTED) {
			if (errno == EAGAIN)
				return;
			log_warn("control socket: cannot accept: %s",
				strerror(errno));
			cs->pause_ms = cs->now_ms + CALLERS_PAUSE_MS;
			return;
		}
	}
}

static void
callers_admit(struct callers *cs, int fd)
{
	struct ucred peer = { .uid = (uid_t)-1 };
	socklen_t len = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == -1 ||
		(peer.uid != 0 && peer.uid != cs->uid)) {
		log_warn("control socket: refused process %d of user %lld",
			(int)peer.pid, (long long)peer.uid);
		caller_refuse(fd, "only root and user %lld may do that",
			(long long)cs->uid);
		return;
	}
	callers_take(cs, fd, false);
}

static void
callers_take(struct callers *cs, int fd, bool keeper)
{
	size_t i = 0;

	while (i < CALLERS_MAX && cs->v[i].state != CALLER_FREE)
		i++;
	if (i == CALLERS_MAX)
		caller_refuse(fd, "busy: %d callers are waiting; try again",
			CALLERS_MAX);
	else if (caller_open(&cs->v[i], fd, &cs->now_ms) == -1)
		log_warn("control socket: %s", strerror(errno));
	else
		cs->v[i].keeper = keeper;
}
