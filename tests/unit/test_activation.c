/* test_activation.c - sockets that somebody else opened. */
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/addr.h"
#include "base/fd.h"
#include "base/log.h"
#include "lib/tempdir.h"
#include "master/activation.h"

/* Descriptors from 3 on are given away here, so each case is a child, which
 * tells by its status which line was not as expected. */
#define WANT(x)                                                                \
	do {                                                                   \
		if (!(x))                                                      \
			_exit(wrong_at(__LINE__, #x));                         \
	} while (0)

#define FIRST 3 /* the log has taken it */

static struct activation a;
static char path[64], log_path[64];

static int
group_setup(void **state)
{
	if (tempdir_make(state) == -1)
		return -1;
	snprintf(path, sizeof(path), "%s/sock", tempdir);
	snprintf(log_path, sizeof(log_path), "%s/log", tempdir);
	return 0;
}

static int
wrong_at(int line, const char *text)
{
	fprintf(stderr, "line %d: not %s\n", line, text);
	return 1;
}

static void
in_child(void (*f)(void))
{
	int status;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		alarm(30);
		fd_close_from(FIRST, -1);
		if (log_open(log_path, LOG_LEVEL_INFO) == -1)
			_exit(2);
		f();
		activation_close(&a);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	unlink(path);
	unlink(log_path);
	assert_int_equal(status, 0);
}

/* A socket as descriptor fd: 127.0.0.1 or, where file is set, a unix one. */
static uint16_t
open_at(int fd, int type, bool listens, const char *file)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	struct sockaddr_in in = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(in);
	int s = socket(file != NULL ? AF_UNIX : AF_INET, type, 0);

	if (file != NULL) {
		memcpy(un.sun_path, file, strlen(file));
		WANT(bind(s, (struct sockaddr *)&un, sizeof(un)) == 0);
	} else {
		WANT(bind(s, (struct sockaddr *)&in, sizeof(in)) == 0);
		WANT(getsockname(s, (struct sockaddr *)&in, &len) == 0);
	}
	WANT(!listens || listen(s, 8) == 0);
	if (s != fd) {
		WANT(dup2(s, fd) == fd);
		close(s);
	}
	return ntohs(in.sin_port);
}

static void
set_environment(const char *fds, const char *names)
{
	char pid[16];

	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	setenv("LISTEN_PID", pid, 1);
	setenv("LISTEN_FDS", fds, 1);
	if (names != NULL)
		setenv("LISTEN_FDNAMES", names, 1);
}

static bool
environment_is_clean(void)
{
	return getenv("LISTEN_PID") == NULL && getenv("LISTEN_FDS") == NULL &&
	       getenv("LISTEN_FDNAMES") == NULL;
}

static struct weir_addr
address_of(uint16_t port)
{
	struct weir_addr address;
	const char *why;
	char text[32];

	snprintf(text, sizeof(text), "127.0.0.1:%u", port);
	WANT(addr_parse(&address, text, &why) == 0);
	return address;
}

/* Does fd accept who connects to that address? */
static bool
accepts(int fd, const struct weir_addr *address)
{
	int client = socket(address->sa.sa_family, SOCK_STREAM, 0), accepted;

	WANT(connect(client, &address->sa, address->len) == 0);
	accepted = accept(fd, NULL, NULL);
	close(client);
	close(accepted);
	return accepted != -1;
}

static bool
logged(const char *part)
{
	static char text[4096];
	int fd = open(log_path, O_RDONLY | O_CLOEXEC);
	ssize_t n = read(fd, text, sizeof(text) - 1);

	close(fd);
	text[n > 0 ? n : 0] = '\0';
	if (strstr(text, part) == NULL)
		fprintf(stderr, "no \"%s\" in: %s\n", part, text);
	return strstr(text, part) != NULL;
}

static void
by_address(void)
{
	struct weir_addr one, two, file;
	char text[80];
	const char *why;
	int fd, copy;

	one = address_of(open_at(4, SOCK_STREAM, true, NULL));
	two = address_of(open_at(5, SOCK_STREAM, true, NULL));
	open_at(6, SOCK_STREAM, true, path);
	snprintf(text, sizeof(text), "unix:%s", path);
	WANT(addr_parse(&file, text, &why) == 0);
	set_environment("4", NULL);
	/* The log is no socket, and nobody else's to close. */
	WANT(fcntl(FIRST, F_GETFD) != -1);
	WANT(activation_open(&a, FIRST) == 0);
	WANT(a.n == 4 && activation_end(&a) == 7);
	WANT(environment_is_clean());
	fd = activation_take(&a, &two, NULL);
	WANT(fd > 6);
	WANT(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	WANT(fcntl(fd, F_GETFL) & O_NONBLOCK);
	WANT(fcntl(5, F_GETFD) & FD_CLOEXEC);
	/* It is the one, and each is taken once. */
	WANT(accepts(fd, &two));
	WANT(activation_take(&a, &two, NULL) == -1);
	WANT(activation_take(&a, &file, NULL) != -1);
	WANT(logged(path));
	activation_report(&a);
	snprintf(text, sizeof(text), "inherited socket 127.0.0.1:%u (",
		ntohs(one.in.sin_port));
	WANT(logged(text));
	WANT(logged("is used by no server"));
	/* A later configuration keeps it by a copy of its own, or wants it
	 * again. */
	copy = dup(fd);
	close(fd);
	activation_plan(&a);
	activation_had(&a, -1);
	activation_had(&a, STDERR_FILENO);
	activation_had(&a, copy);
	WANT(activation_take(&a, &two, NULL) == -1);
	WANT(activation_take(&a, &one, NULL) != -1);
	close(copy);
	activation_plan(&a);
	fd = activation_take(&a, &two, NULL);
	WANT(fd != -1);
	WANT(accepts(fd, &two));
}

static void
by_name(void)
{
	struct weir_addr one, none = address_of(1);
	int fds[2];

	one = address_of(open_at(4, SOCK_STREAM, true, NULL));
	open_at(5, SOCK_STREAM, true, NULL);
	open_at(6, SOCK_STREAM, true, NULL);
	open_at(7, SOCK_STREAM, true, NULL);
	set_environment("5", "x:pg:web:pg:");
	WANT(activation_open(&a, FIRST) == 0);
	WANT(activation_take(&a, &none, "pg") == -1);
	WANT(activation_take(&a, NULL, "") == -1);
	WANT(activation_take(&a, NULL, "we") == -1);
	WANT(activation_take(&a, NULL, "webs") == -1);
	WANT(activation_take(&a, &one, "pg") != -1);
	fds[0] = activation_take(&a, NULL, "pg");
	fds[1] = activation_take(&a, NULL, "pg");
	WANT(fds[0] != -1 && fds[1] == -1);
	WANT(a.v[3].taken);
	WANT(activation_take(&a, NULL, "web") != -1);
	WANT(logged("name \"web\") is used"));
}

static void
for_another_process(void)
{
	open_at(4, SOCK_STREAM, true, NULL);
	set_environment("2", NULL);
	setenv("LISTEN_PID", "1", 1);
	WANT(activation_open(&a, -1) == 0);
	WANT(a.n == 0 && activation_end(&a) == FIRST);
	WANT(environment_is_clean());
	WANT(fcntl(4, F_GETFD) == 0);
	activation_close(&a);
	WANT(activation_open(&a, -1) == 0);
	WANT(a.n == 0);
}

static void
of_no_use(void)
{
	open_at(4, SOCK_DGRAM, false, NULL);
	open_at(5, SOCK_STREAM, false, NULL);
	open_at(6, SOCK_SEQPACKET, true, path);
	WANT(dup2(STDERR_FILENO, 7) == 7);
	WANT(open_at(9, SOCK_STREAM, true, NULL) != 0);
	set_environment("7", "log:udp:mute:seq:text:shut:good");
	WANT(activation_open(&a, FIRST) == 0);
	WANT(logged("descriptor 3 (name \"log\") is not used: it is not a "
		    "socket"));
	WANT(logged("4 (name \"udp\") is not used: it is not a stream socket"));
	WANT(logged("5 (name \"mute\") is not used: it does not listen"));
	WANT(logged("6 (name \"seq\") is not used: it is not a stream socket"));
	WANT(logged("7 (name \"text\") is not used: it is not a socket"));
	WANT(logged("8 (name \"shut\") is not used: it is not open"));
	/* What is of no use is closed, but what the caller keeps. */
	WANT(fcntl(FIRST, F_GETFD) != -1);
	WANT(fcntl(4, F_GETFD) == -1 && fcntl(7, F_GETFD) == -1);
	WANT(activation_take(&a, NULL, "mute") == -1);
	WANT(activation_take(&a, NULL, "shut") == -1);
	WANT(activation_take(&a, NULL, "good") != -1);
	activation_report(&a);
	activation_close(&a);
	WANT(fcntl(9, F_GETFD) == -1);
	WANT(fcntl(FIRST, F_GETFD) != -1);
}

static void
with_wrong_names(void)
{
	struct weir_addr one;

	one = address_of(open_at(4, SOCK_STREAM, true, NULL));
	set_environment("2", "pg");
	WANT(activation_open(&a, FIRST) == 0);
	WANT(logged("LISTEN_FDNAMES has 1 names for 2 sockets"));
	WANT(activation_take(&a, NULL, "pg") == -1);
	WANT(activation_take(&a, &one, NULL) != -1);
}

static void
with_long_names(void)
{
	char names[700];

	memset(names, 'n', sizeof(names));
	names[600] = ':';
	memcpy(names + 601, "pg", 3);
	open_at(4, SOCK_STREAM, true, NULL);
	set_environment("2", names);
	WANT(activation_open(&a, FIRST) == 0);
	WANT(activation_take(&a, NULL, "pg") != -1);
}

static void
from_a_broken_manager(void)
{
	static const char *const fds[] = { "", "-1", "1025", "two", "2x",
		"99999999999999999999" };
	static const char *const pids[] = { "", "0", "-5", "me", "1x" };
	size_t i;

	for (i = 0; i < sizeof(fds) / sizeof(fds[0]); i++) {
		set_environment(fds[i], NULL);
		WANT(activation_open(&a, -1) == -1);
		WANT(a.n == 0 && environment_is_clean());
	}
	WANT(logged("LISTEN_FDS \"two\" is not a number of descriptors up to "
		    "1024: invalid"));
	for (i = 0; i < sizeof(pids) / sizeof(pids[0]); i++) {
		set_environment("1", NULL);
		setenv("LISTEN_PID", pids[i], 1);
		WANT(activation_open(&a, -1) == -1);
		WANT(a.n == 0 && environment_is_clean());
	}
	WANT(logged("LISTEN_PID \"me\" is no process id"));
	/* None of the many that it promises: no more than a message each. */
	set_environment("1024", NULL);
	WANT(activation_open(&a, FIRST) == 0);
	WANT(activation_take(&a, NULL, "") == -1);
}

#define CHILD_TEST(f)                                                          \
	static void test_##f(void **state)                                     \
	{                                                                      \
		(void)state;                                                   \
		in_child(f);                                                   \
	}

CHILD_TEST(by_address)
CHILD_TEST(by_name)
CHILD_TEST(for_another_process)
CHILD_TEST(of_no_use)
CHILD_TEST(with_wrong_names)
CHILD_TEST(with_long_names)
CHILD_TEST(from_a_broken_manager)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_by_address),
		cmocka_unit_test(test_by_name),
		cmocka_unit_test(test_for_another_process),
		cmocka_unit_test(test_of_no_use),
		cmocka_unit_test(test_with_wrong_names),
		cmocka_unit_test(test_with_long_names),
		cmocka_unit_test(test_from_a_broken_manager),
	};

	return cmocka_run_group_tests(tests, group_setup, tempdir_remove);
}
