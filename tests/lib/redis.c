/* redis.c - a real redis-server for tests. */
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/daemon.h"
#include "lib/peer.h"
#include "lib/procs.h"
#include "lib/redis.h"

static char dir[] = "/tmp/weir-redis-XXXXXX";
static char path[sizeof(dir) + 8];
static pid_t pid; /* 0: none */

bool
redis_is(pid_t other)
{
	return other == pid;
}

const char *
redis_path(void)
{
	return path;
}

static void
redis_exec(void)
{
	int out = open("/dev/null", O_RDWR | O_CLOEXEC);

	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (out == -1 || dup2(out, 0) == -1 || dup2(out, 1) == -1)
		_exit(126);
	execlp("redis-server", "redis-server", "--port", "0", "--unixsocket",
		path, "--unixsocketperm", "777", "--save", "", "--dir", dir,
		"--databases", "4", (char *)NULL);
	perror("cannot run redis-server (package redis-server)");
	_exit(126);
}

/* A connection; -1: nobody listens. */
static int
redis_connect(void)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_not_equal(fd, -1);
	memcpy(sun.sun_path, path, sizeof(path));
	if (connect(fd, (struct sockaddr *)&sun, sizeof(sun)) == 0)
		return fd;
	close(fd);
	return -1;
}

void
redis_start(void)
{
	int64_t end = procs_now() + DAEMON_MS;
	int fd, status;

	pid = fork();
	assert_int_not_equal(pid, -1);
	if (pid == 0)
		redis_exec();
	/* Nothing tells when it listens, but that one can connect. */
	while ((fd = redis_connect()) == -1) {
		if (procs_now() >= end || procs_reap(pid, &status, 10))
			fail_msg("redis-server does not start");
	}
	close(fd);
	redis_ask("PING", "+PONG");
}

void
redis_signal(int signo)
{
	assert_int_equal(kill(pid, signo), 0);
}

void
redis_kill(void)
{
	int status;

	redis_signal(SIGKILL);
	assert_true(procs_reap(pid, &status, DAEMON_MS));
	pid = 0;
	(void)unlink(path);
}

void
redis_ask(const char *command, const char *want)
{
	char answer[64] = "";
	int fd = redis_connect();
	struct pollfd p = { .fd = fd, .events = POLLIN };

	assert_int_not_equal(fd, -1);
	dprintf(fd, "%s\r\n", command);
	if (poll(&p, 1, DAEMON_MS) != 1 ||
		recv(fd, answer, sizeof(answer) - 1, 0) <= 0 ||
		strncmp(answer, want, strlen(want)) != 0)
		fail_msg("%s: %s", command, answer);
	close(fd);
}

int
redis_setup(void **state)
{
	(void)state;
	memset(dir + sizeof(dir) - 7, 'X', 6);
	if (mkdtemp(dir) == NULL || chmod(dir, 0755) == -1)
		return -1;
	snprintf(path, sizeof(path), "%s/sock", dir);
	redis_start();
	return 0;
}

int
redis_teardown(void **state)
{
	int status;

	if (pid > 0 && kill(pid, SIGKILL) == 0)
		(void)procs_reap(pid, &status, DAEMON_MS);
	pid = 0;
	(void)unlink(path);
	(void)daemon_teardown(state);
	return rmdir(dir);
}
