/* aid.c - what test scripts need and a shell cannot do without guessing:
 *   aid port            writes a port of 127.0.0.1 that a server may bind
 *   aid open PID ADDR MS   waits until ADDR accepts connections
 *   aid end PID MS         waits until PID has ended
 * Exit status 1: it did not happen, and stderr has why. */
#include <sys/socket.h>
#include <sys/syscall.h>

#include <netinet/in.h>
#include <err.h>
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/addr.h"

#define AID_PAUSE_MS 10 /* between two looks at something that is to come */

static int aid_port(void);
static int aid_open(pid_t pid, const char *text, int64_t ms);
static int aid_end(pid_t pid, int64_t ms);
static int aid_pidfd(pid_t pid);
static bool aid_ended(int pidfd, int64_t ms);
static int64_t aid_number(const char *text);
static int64_t aid_now(void);

int
main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "port") == 0)
		return aid_port();
	if (argc == 5 && strcmp(argv[1], "open") == 0)
		return aid_open((pid_t)aid_number(argv[2]), argv[3],
			aid_number(argv[4]));
	if (argc == 4 && strcmp(argv[1], "end") == 0)
		return aid_end((pid_t)aid_number(argv[2]), aid_number(argv[3]));
	errx(2, "usage: aid port | open PID ADDRESS MS | end PID MS");
}

/* A connection of its own, closed from the listener's side, leaves the port in
 * TIME_WAIT: for a minute the kernel gives it to nobody who asks for any port,
 * and a server that asks for this one (SO_REUSEADDR) gets it. */
static int
aid_port(void)
{
	struct sockaddr_in at = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	socklen_t size = sizeof(at);
	int one = 1, accepted;
	char byte;

	if (setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) ||
		bind(listener, (struct sockaddr *)&at, size) ||
		listen(listener, 1) ||
		getsockname(listener, (struct sockaddr *)&at, &size) ||
		connect(client, (struct sockaddr *)&at, size))
		err(1, "a port of 127.0.0.1");
	accepted = accept(listener, NULL, NULL);
	if (accepted == -1 || close(accepted) || recv(client, &byte, 1, 0) ||
		close(client) || close(listener))
		err(1, "a port of 127.0.0.1");
	printf("%d\n", ntohs(at.sin_port));
	return 0;
}

static int
aid_open(pid_t pid, const char *text, int64_t ms)
{
	int64_t end = aid_now() + ms;
	int pidfd = aid_pidfd(pid);
	struct weir_addr a;
	const char *why;

	if (addr_parse(&a, text, &why))
		errx(2, "%s: %s", text, why);
	for (;;) {
		int fd = socket(a.sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

		if (aid_ended(pidfd, AID_PAUSE_MS))
			errx(1, "%s: its server (%d) has ended", text, pid);
		if (connect(fd, &a.sa, a.len) == 0)
			return 0;
		close(fd);
		if (aid_now() >= end)
			err(1, "%s: nobody listens", text);
	}
}

static int
aid_end(pid_t pid, int64_t ms)
{
	if (!aid_ended(aid_pidfd(pid), ms))
		errx(1, "process %d still runs", pid);
	return 0;
}

/* Readable when pid has ended, also before its parent waits for it
 * (pidfd_open(2)); -1 when it is long gone. */
static int
aid_pidfd(pid_t pid)
{
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);

	if (fd == -1 && errno != ESRCH)
		err(1, "process %d", pid);
	return fd;
}

static bool
aid_ended(int pidfd, int64_t ms)
{
	struct pollfd p = { .fd = pidfd, .events = POLLIN };

	return pidfd == -1 || poll(&p, 1, (int)ms) == 1;
}

static int64_t
aid_number(const char *text)
{
	char *end;
	long n = strtol(text, &end, 10);

	if (end == text || *end != '\0' || n <= 0 || n > INT32_MAX)
		errx(2, "%s is no pid, and no milliseconds", text);
	return n;
}

static int64_t
aid_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}
