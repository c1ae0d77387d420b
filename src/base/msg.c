/* msg.c - fixed messages on the control pair of master and worker. */
#include <sys/socket.h>

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "base/fd.h"
#include "base/msg.h"

/* Room for the header of one descriptor, and no more: the kernel closes what
 * does not fit. */
union room {
	struct cmsghdr align;
	char bytes[CMSG_LEN(sizeof(int))];
};

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
	return msg_send_fd(fd, type, arg, -1);
}

int
msg_send_fd(int fd, enum msg_type type, uint32_t arg, int attached)
{
	struct msg m = { .type = type, .arg = arg };
	struct iovec iov = { .iov_base = &m, .iov_len = sizeof(m) };
	struct msghdr hdr = { .msg_iov = &iov, .msg_iovlen = 1 };
	union room room = { .bytes = { 0 } };
	struct cmsghdr *c;
	ssize_t n;

	if (attached != -1) {
		hdr.msg_control = room.bytes;
		hdr.msg_controllen = sizeof(room.bytes);
		c = CMSG_FIRSTHDR(&hdr);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &attached, sizeof(int));
	}
	do
		n = sendmsg(fd, &hdr, MSG_NOSIGNAL);
	while (n == -1 && errno == EINTR);
	return n == -1 ? -1 : 0;
}

int
msg_recv(int fd, struct msg *m)
{
	int attached, rc = msg_recv_fd(fd, m, &attached);

	fd_close(&attached);
	return rc;
}

int
msg_recv_fd(int fd, struct msg *m, int *attached)
{
	struct msg got;
	struct iovec iov = { .iov_base = &got, .iov_len = sizeof(got) };
	union room room;
	struct msghdr hdr = { .msg_iov = &iov, .msg_iovlen = 1 };
	const struct cmsghdr *c;
	ssize_t n;

	*attached = -1;
	/* ECONNRESET says once that the other side left without reading all;
	 * what it had sent before still waits behind it. */
	do {
		hdr.msg_control = room.bytes;
		hdr.msg_controllen = sizeof(room.bytes);
		n = recvmsg(fd, &hdr, MSG_TRUNC | MSG_CMSG_CLOEXEC);
	} while (n == -1 && (errno == EINTR || errno == ECONNRESET));
	if (n <= 0)
		return (int)n;
	c = CMSG_FIRSTHDR(&hdr);
	if (c != NULL && c->cmsg_level == SOL_SOCKET &&
		c->cmsg_type == SCM_RIGHTS &&
		c->cmsg_len == CMSG_LEN(sizeof(int)))
		memcpy(attached, CMSG_DATA(c), sizeof(int));
	if (n != sizeof(got) || got.type >= MSG_COUNT) {
		fd_close(attached);
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
