/* faults.c - system calls of a weir under trial that go wrong on purpose.
 *
 * Linked with --wrap; TRIAL_FAULTS names what happens: eintr (every few calls
 * are interrupted), small (send buffers so small that most writes are short),
 * nobufs (a few writes and splices find no memory), options (no setsockopt of a
 * worker works), nopipe (there is no pipe for a worker), nosplice (no socket
 * knows splice).
 */
#include <sys/socket.h>

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int __real_accept4(int, struct sockaddr *, socklen_t *, int);
int __real_connect(int, const struct sockaddr *, socklen_t);
ssize_t __real_recv(int, void *, size_t, int);
ssize_t __real_send(int, const void *, size_t, int);
ssize_t __real_sendmsg(int, const struct msghdr *, int);
int __real_setsockopt(int, int, int, const void *, socklen_t);
int __real_pipe2(int *, int);
ssize_t __real_splice(int, off_t *, int, off_t *, size_t, unsigned);
int __wrap_accept4(int, struct sockaddr *, socklen_t *, int);
int __wrap_connect(int, const struct sockaddr *, socklen_t);
ssize_t __wrap_recv(int, void *, size_t, int);
ssize_t __wrap_send(int, const void *, size_t, int);
ssize_t __wrap_sendmsg(int, const struct msghdr *, int);
int __wrap_setsockopt(int, int, int, const void *, socklen_t);
int __wrap_pipe2(int *, int);
ssize_t __wrap_splice(int, off_t *, int, off_t *, size_t, unsigned);

static pid_t started_pid; /* of the master: workers are its children */

static void __attribute__((constructor)) fault_start(void)
{
	started_pid = getpid();
}

static bool
fault_on(const char *name)
{
	static const char *all;

	if (all == NULL)
		all = getenv("TRIAL_FAULTS");
	if (all == NULL)
		all = "";
	return strstr(all, name) != NULL;
}

/* One call in so many, in an order that does not repeat soon. */
static bool
fault_now(const char *name, unsigned one_in)
{
	static unsigned chance = 1;

	if (!fault_on(name))
		return false;
	chance = chance * 1103515245u + 12345u;
	return (chance >> 16) % one_in == 0;
}

static void
fault_shrink(int fd)
{
	static const int least = 1;

	if (fd != -1 && fault_on("small"))
		__real_setsockopt(
			fd, SOL_SOCKET, SO_SNDBUF, &least, sizeof(least));
}

/* errno of a call that is not made; 0: it is. */
static int
fault_errno(bool writes)
{
	if (fault_now("eintr", 5))
		return EINTR;
	return writes && fault_now("nobufs", 50) ? ENOBUFS : 0;
}

int
__wrap_accept4(int fd, struct sockaddr *sa, socklen_t *len, int flags)
{
	int got;

	errno = fault_errno(false);
	if (errno != 0)
		return -1;
	got = __real_accept4(fd, sa, len, flags);
	fault_shrink(got);
	return got;
}

int
__wrap_connect(int fd, const struct sockaddr *sa, socklen_t len)
{
	int rc;

	fault_shrink(fd);
	rc = __real_connect(fd, sa, len);
	/* An interrupted connect goes on all the same (connect(2)). */
	if (rc == -1 && errno == EINPROGRESS && fault_now("eintr", 2))
		errno = EINTR;
	return rc;
}

ssize_t
__wrap_recv(int fd, void *p, size_t n, int flags)
{
	errno = fault_errno(false);
	return errno != 0 ? -1 : __real_recv(fd, p, n, flags);
}

ssize_t
__wrap_send(int fd, const void *p, size_t n, int flags)
{
	errno = fault_errno(true);
	return errno != 0 ? -1 : __real_send(fd, p, n, flags);
}

ssize_t
__wrap_sendmsg(int fd, const struct msghdr *m, int flags)
{
	errno = fault_errno(true);
	return errno != 0 ? -1 : __real_sendmsg(fd, m, flags);
}

int
__wrap_setsockopt(int fd, int level, int name, const void *p, socklen_t len)
{
	if (getpid() != started_pid && fault_on("options")) {
		errno = ENOPROTOOPT;
		return -1;
	}
	return __real_setsockopt(fd, level, name, p, len);
}

int
__wrap_pipe2(int *fds, int flags)
{
	if (getpid() != started_pid && fault_on("nopipe")) {
		errno = EMFILE;
		return -1;
	}
	return __real_pipe2(fds, flags);
}

ssize_t
__wrap_splice(
	int from, off_t *at, int to, off_t *where, size_t n, unsigned flags)
{
	errno = fault_on("nosplice") ? EINVAL : fault_errno(true);
	return errno != 0 ? -1 : __real_splice(from, at, to, where, n, flags);
}
