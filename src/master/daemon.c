/* daemon.c - going to the background, and telling the caller how it went. */
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "master/daemon.h"
#include "master/signals.h"

static int daemon_wait(pid_t pid, int status_fd, int text_fd);
static void daemon_show(int text_fd);

bool
daemon_fork(int *status_fd, int *status)
{
	int ready[2] = { -1, -1 }, text[2] = { -1, -1 }, null;
	pid_t pid = -1;

	*status = 1;
	if (pipe2(ready, O_CLOEXEC) == 0 && pipe2(text, O_CLOEXEC) == 0)
		pid = fork();
	if (pid == 0) {
		fd_close(&ready[0]);
		fd_close(&text[0]);
		setsid();
		null = open("/dev/null", O_RDWR | O_CLOEXEC | O_NOCTTY);
		if (null != -1) {
			dup2(null, STDIN_FILENO);
			dup2(null, STDOUT_FILENO);
		}
		fd_close(&null);
		dup2(text[1], STDERR_FILENO);
		fd_close(&text[1]);
		*status_fd = ready[1];
		return true;
	}
	if (pid == -1)
		log_error("cannot go to the background: %s", strerror(errno));
	fd_close(&ready[1]);
	fd_close(&text[1]);
	if (pid != -1) {
		signals_close();
		*status = daemon_wait(pid, ready[0], text[0]);
	}
	fd_close(&ready[0]);
	fd_close(&text[0]);
	return false;
}

void
daemon_ready(int *status_fd)
{
	ssize_t n;

	if (*status_fd == -1)
		return;
	fd_stdio_null();
	do
		n = write(*status_fd, "", 1);
	while (n == -1 && errno == EINTR);
	fd_close(status_fd);
}

/* Shows what the background process says until it is ready or dead. */
static int
daemon_wait(pid_t pid, int status_fd, int text_fd)
{
	struct pollfd pfds[2] = { { .fd = status_fd, .events = POLLIN },
		{ .fd = text_fd, .events = POLLIN } };
	char ready;
	int status;

	fd_nonblock(text_fd);
	while (pfds[0].revents == 0) {
		if (poll(pfds, 2, -1) == -1 && errno != EINTR)
			return 1;
		daemon_show(text_fd);
		if (pfds[1].revents & (POLLHUP | POLLERR))
			pfds[1].fd = -1;
	}
	daemon_show(text_fd);
	if (read(status_fd, &ready, 1) == 1)
		return 0;
	while (waitpid(pid, &status, 0) == -1 && errno == EINTR)
		continue;
	if (WIFSIGNALED(status))
		fprintf(stderr, "weir: killed by signal %d while starting\n",
			WTERMSIG(status));
	return 1;
}

static void
daemon_show(int text_fd)
{
	char text[4096];
	ssize_t n;

	while ((n = read(text_fd, text, sizeof(text))) > 0)
		if (write(STDERR_FILENO, text, (size_t)n) == -1)
			return;
}
