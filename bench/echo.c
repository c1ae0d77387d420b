/* echo.c - the backend of ping-pong and of idle channels: answers with what it
 * gets.  Writes its port, and ends with its input. */
#include <sys/epoll.h>
#include <sys/socket.h>

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define EVENTS	256
#define BACKLOG 4096

static void die(const char *what) __attribute__((noreturn));
static int listener_open(void);
static void epoll_add(int epoll, int fd);
static void clients_accept(int epoll, int listener);
static void client_answer(int fd);

int
main(void)
{
	struct epoll_event events[EVENTS];
	int listener = listener_open(), epoll = epoll_create1(EPOLL_CLOEXEC);
	int i, n;

	if (epoll < 0)
		die("epoll_create1");
	epoll_add(epoll, listener);
	epoll_add(epoll, STDIN_FILENO);
	for (;;) {
		n = epoll_wait(epoll, events, EVENTS, -1);
		if (n < 0 && errno != EINTR)
			die("epoll_wait");
		for (i = 0; i < n; i++) {
			if (events[i].data.fd == STDIN_FILENO)
				return 0;
			if (events[i].data.fd == listener)
				clients_accept(epoll, listener);
			else
				client_answer(events[i].data.fd);
		}
	}
}

static void
die(const char *what)
{
	fprintf(stderr, "echo: ");
	perror(what);
	exit(1);
}

static int
listener_open(void)
{
	struct sockaddr_in sin = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(sin);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&sin, sizeof(sin)) < 0 ||
		listen(fd, BACKLOG) < 0 ||
		getsockname(fd, (struct sockaddr *)&sin, &len) < 0)
		die("cannot listen");
	printf("%d\n", ntohs(sin.sin_port));
	fflush(stdout);
	return fd;
}

static void
epoll_add(int epoll, int fd)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.fd = fd };

	if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &ev) < 0)
		die("epoll_ctl");
}

static void
clients_accept(int epoll, int listener)
{
	int on = 1, fd;

	while ((fd = accept4(listener, NULL, NULL,
			SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		epoll_add(epoll, fd);
	}
	if (errno != EAGAIN && errno != ECONNABORTED)
		die("accept4");
}

/* Requests are so small that an answer always fits; who does not read loses
 * the connection. */
static void
client_answer(int fd)
{
	char buf[65536];
	ssize_t n = recv(fd, buf, sizeof(buf), 0);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0 || send(fd, buf, (size_t)n, MSG_NOSIGNAL) != n)
		close(fd);
}
