/* msg.c - fixed messages on the control pair of master and worker. */
#include <sys/socket.h>

#include <errno.h>
#include <stddef.h>

#include "base/msg.h"

static const char *const msg_words[] = {
#define X(id, word) word,
	MSG_TYPES(X)
#undef X
};

int
msg_pair(int fds[2])
{
	return socketpair(
		AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds);
}

int
msg_send(int fd, enum msg_type type, uint32_t arg)
{
	struct msg m = { .type = type, .arg = arg };
	ssize_t n;

	do
		n = send(fd, &m, sizeof(m), MSG_NOSIGNAL);
	while (n == -1 && errno == EINTR);
	return n == -1 ? -1 : 0;
}

int
msg_recv(int fd, struct msg *m)
{
	struct msg got;
	ssize_t n;

	/* ECONNRESET says once that the other side left without reading all;
	 * what it had sent before still waits behind it. */
	do
		n = recv(fd, &got, sizeof(got), MSG_TRUNC);
	while (n == -1 && (errno == EINTR || errno == ECONNRESET));
	if (n <= 0)
		return (int)n;
	if (n != sizeof(got) || got.type >= MSG_COUNT) {
		errno = EPROTO;
		return -1;
	}
	*m = got;
	return 1;
}

const char *
msg_word(uint32_t type)
{
	return type < MSG_COUNT ? msg_words[type] : "unknown";
}
