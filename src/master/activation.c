/* activation.c - listening sockets that a service manager opened for weir:
 * sd_listen_fds(3), without it. */
#include <sys/socket.h>
#include <sys/stat.h>

#include <bsd/stdlib.h>
#include <bsd/string.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/addr.h"
#include "base/fd.h"
#include "base/log.h"
#include "master/activation.h"

#define ACTIVATION_FIRST 3
#define ACTIVATION_MAX	 1024

static int activation_count(size_t *n);
static void activation_names(struct activation *a, const char *names);
static void activated_open(struct activated *s, int fd, int keep);
static const char *activated_wrong(struct activated *s);
static int activated_option(int fd, int option);
static bool activated_fits(const struct activated *s,
	const struct weir_addr *address, const char *name);

int
activation_open(struct activation *a, int keep)
{
	const char *names = getenv("LISTEN_FDNAMES");
	size_t n = 0, i;
	int rc = activation_count(&n);

	*a = (struct activation){ .n = 0 };
	if (rc == 0 && n > 0) {
		a->v = calloc(n, sizeof(*a->v));
		if (a->v == NULL) {
			log_error("cannot start: %s", strerror(errno));
			rc = -1;
		} else {
			a->n = n;
			activation_names(a, names);
			for (i = 0; i < n; i++)
				activated_open(&a->v[i],
					ACTIVATION_FIRST + (int)i, keep);
		}
	}
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_PIDFDID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
	return rc;
}

int
activation_end(const struct activation *a)
{
	return ACTIVATION_FIRST + (int)a->n;
}

void
activation_plan(struct activation *a)
{
	size_t i;

	for (i = 0; i < a->n; i++)
		a->v[i].taken = false;
}

void
activation_had(struct activation *a, int fd)
{
	struct stat st;
	size_t i;

	if (fstat(fd, &st) == -1)
		return;
	for (i = 0; i < a->n; i++)
		if (a->v[i].fd != -1 && a->v[i].dev == st.st_dev &&
			a->v[i].ino == st.st_ino)
			a->v[i].taken = true;
}

int
activation_take(
	struct activation *a, const struct weir_addr *address, const char *name)
{
	char text[WEIR_ADDR_TEXT];
	struct activated *s = a->v;
	size_t i = 0;
	int fd;

	while (i < a->n && !activated_fits(s, address, name)) {
		i++;
		s++;
	}
	if (i == a->n)
		return -1;
	fd = fcntl(s->fd, F_DUPFD_CLOEXEC, ACTIVATION_FIRST);
	s->taken = fd != -1;
	if (fd == -1)
		log_error("cannot use inherited socket %s: %s",
			weir_addr_text(&s->address, text), strerror(errno));
	else
		log_notice("inherited socket %s (descriptor %d, name \"%s\") "
			   "is used",
			weir_addr_text(&s->address, text), s->fd, s->name);
	return fd;
}

void
activation_report(const struct activation *a)
{
	char text[WEIR_ADDR_TEXT];
	size_t i;

	for (i = 0; i < a->n; i++) {
		const struct activated *s = &a->v[i];

		if (s->fd != -1 && !s->taken)
			log_warn("inherited socket %s (descriptor %d, name "
				 "\"%s\") is used by no server: listen on its "
				 "address, or let FileDescriptorName= be the "
				 "name of a server",
				weir_addr_text(&s->address, text), s->fd,
				s->name);
	}
}

void
activation_close(struct activation *a)
{
	size_t i;

	for (i = 0; i < a->n; i++)
		fd_close(&a->v[i].fd);
	free(a->v);
	*a = (struct activation){ .n = 0 };
}

/* How many are for this process; -1 with the reason logged. */
static int
activation_count(size_t *n)
{
	const char *pid = getenv("LISTEN_PID"), *fds = getenv("LISTEN_FDS");
	const char *why;

	if (pid == NULL || fds == NULL)
		return 0;
	if (strtonum(pid, 1, INT_MAX, &why) != getpid() && why == NULL)
		return 0;
	if (why != NULL) {
		log_error("LISTEN_PID \"%s\" is no process id: %s", pid, why);
		return -1;
	}
	*n = (size_t)strtonum(fds, 0, ACTIVATION_MAX, &why);
	if (why == NULL)
		return 0;
	log_error("LISTEN_FDS \"%s\" is not a number of descriptors up to "
		  "%d: %s",
		fds, ACTIVATION_MAX, why);
	return -1;
}

/* A list with colons.  One that does not fit the number names nothing. */
static void
activation_names(struct activation *a, const char *names)
{
	const char *p;
	size_t n = 1, i, len;

	if (names == NULL)
		return;
	for (p = names; *p != '\0'; p++)
		n += *p == ':';
	if (n != a->n) {
		log_warn("LISTEN_FDNAMES has %zu names for %zu sockets: none "
			 "is used",
			n, a->n);
		return;
	}
	for (i = 0, p = names; i < a->n; i++, p += len + 1) {
		len = strcspn(p, ":");
		strlcpy(a->v[i].name, p,
			len < ACTIVATION_NAME ? len + 1 : ACTIVATION_NAME);
	}
}

static void
activated_open(struct activated *s, int fd, int keep)
{
	const char *wrong;

	s->fd = fd;
	wrong = activated_wrong(s);
	if (wrong == NULL && fd_cloexec(fd) == 0 && fd_nonblock(fd) == 0)
		return;
	log_warn("inherited descriptor %d (name \"%s\") is not used: %s", fd,
		s->name, wrong != NULL ? wrong : strerror(errno));
	if (fd != keep)
		fd_close(&s->fd);
	s->fd = -1;
}

/* What is wrong with it, or NULL; fills its address. */
static const char *
activated_wrong(struct activated *s)
{
	struct weir_addr *a = &s->address;
	struct stat st;

	if (fcntl(s->fd, F_GETFD) == -1)
		return "it is not open";
	if (activated_option(s->fd, SO_TYPE) == -1)
		return "it is not a socket";
	if (activated_option(s->fd, SO_TYPE) != SOCK_STREAM)
		return "it is not a stream socket (ListenStream=)";
	if (activated_option(s->fd, SO_ACCEPTCONN) != 1)
		return "it does not listen (Accept=no is needed)";
	a->len = sizeof(*a) - offsetof(struct weir_addr, sa);
	if (getsockname(s->fd, &a->sa, &a->len) == -1 ||
		(a->sa.sa_family != AF_INET && a->sa.sa_family != AF_INET6 &&
			a->sa.sa_family != AF_UNIX))
		return "it is neither a TCP nor a unix socket";
	if (fstat(s->fd, &st) == -1)
		return strerror(errno);
	s->dev = st.st_dev;
	s->ino = st.st_ino;
	return NULL;
}

static int
activated_option(int fd, int option)
{
	socklen_t len = sizeof(int);
	int value = -1;

	return getsockopt(fd, SOL_SOCKET, option, &value, &len) == -1 ? -1
								      : value;
}

static bool
activated_fits(const struct activated *s, const struct weir_addr *address,
	const char *name)
{
	if (s->fd == -1 || s->taken)
		return false;
	if (address != NULL)
		return addr_equal(&s->address, address);
	return name != NULL && *name != '\0' && strcmp(s->name, name) == 0;
}
