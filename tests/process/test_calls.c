/* test_calls.c - how many system calls one channel of a plain configuration
 * takes beside those that move its bytes. */
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/daemon.h"
#include "lib/peer.h"
#include "lib/procs.h"
#include "lib/ready.h"

#define READY_FD 5

#define CALLS(X)                                                               \
	X(accept4)                                                             \
	X(setsockopt)                                                          \
	X(getsockopt)                                                          \
	X(getpeername)                                                         \
	X(fcntl)                                                               \
	X(epoll_ctl)                                                           \
	X(close)

enum call {
#define X(name) CALL_##name,
	CALLS(X)
#undef X
		CALLS_N
};

static const char *const names[] = {
#define X(name) #name,
	CALLS(X)
#undef X
};

struct counts {
	int front; /* descriptor of the client's side, or -1 */
	unsigned of[CALLS_N];
	unsigned at_front[CALLS_N];
	unsigned deletions;
};

/* In a child: becomes a weir whose calls are written to trace.txt. */
static int
run_traced(int ready_fd, void *arg)
{
	char trace[256] = "trace=";
	size_t i;
	int fd = open("ready.txt", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	(void)ready_fd;
	(void)arg;
	for (i = 0; i < CALLS_N; i++) {
		strncat(trace, names[i], sizeof(trace) - strlen(trace) - 1);
		strncat(trace, ",", sizeof(trace) - strlen(trace) - 1);
	}
	trace[strlen(trace) - 1] = '\0';
	if (fd == -1 || (fd == READY_FD ? fcntl(fd, F_SETFD, 0)
					: dup2(fd, READY_FD)) == -1)
		return 127;
	/* Who is traced already cannot look for leaks. */
	setenv("ASAN_OPTIONS", "detect_leaks=0:abort_on_error=1", 1);
	execlp("strace", "strace", "-f", "-o", "trace.txt", "-e", trace,
		getenv("WEIR"), "-c", "weir.conf", "--ready-fd", "5", NULL);
	return 127;
}

/* One line of the trace: "PID call(FIRST, ...) = RESULT"; what took long is
 * two, the second one "PID <... call resumed>...) = RESULT". */
static void
count_line(struct counts *c, const char *line, pid_t worker)
{
	const char *result = strstr(line, ") = ");
	int pid, first = -1;
	char name[32];
	size_t i;

	if (sscanf(line, "%d", &pid) != 1 || pid != worker)
		return;
	/* What comes before the first connection is not of a channel. */
	if (c->front == -1) {
		if (strstr(line, "accept4") != NULL && result != NULL)
			c->front = (int)strtol(result + 4, NULL, 10);
		return;
	}
	if (sscanf(line, "%*d %31[a-z_0-9](%d", name, &first) < 1)
		return;
	for (i = 0; i < CALLS_N; i++) {
		if (strcmp(name, names[i]) != 0)
			continue;
		print_message("# %s", line);
		c->of[i]++;
		c->at_front[i] += first == c->front;
	}
	c->deletions += strstr(line, "EPOLL_CTL_DEL") != NULL;
}

static void
count_all(struct daemon *d, pid_t worker, struct counts *c)
{
	FILE *f = fopen(daemon_path(d, "trace.txt"), "re");
	char line[512];

	assert_non_null(f);
	*c = (struct counts){ .front = -1 };
	while (fgets(line, sizeof(line), f) != NULL)
		count_line(c, line, worker);
	fclose(f);
}

static uint16_t
port_ready(struct daemon *d)
{
	int fd = open(daemon_path(d, "ready.txt"), O_RDONLY | O_CLOEXEC);
	char address[READY_ADDRESS], *lines;
	const char *colon;
	uint16_t port;

	assert_int_not_equal(fd, -1);
	lines = ready_read(fd, DAEMON_MS);
	assert_non_null(lines);
	assert_non_null(ready_address(lines, "r", 0, address));
	colon = strrchr(address, ':');
	assert_non_null(colon);
	port = (uint16_t)strtol(colon + 1, NULL, 10);
	free(lines);
	return port;
}

/* A whole channel, until the worker has closed both of its sockets. */
static void
count_channel(struct daemon *d, int backend, struct counts *c)
{
	int client = peer_connect(port_ready(d)), server = peer_accept(backend);
	pid_t worker = daemon_worker(d, 0);
	int64_t end = procs_now() + DAEMON_MS;

	peer_send_text(client, "a");
	peer_expect_text(server, "a");
	peer_send_text(server, "b");
	peer_expect_text(client, "b");
	close(client);
	peer_read_eof(server);
	close(server);
	for (;;) {
		count_all(d, worker, c);
		if (c->of[CALL_close] >= 2)
			break;
		assert_true(procs_now() < end);
		poll(NULL, 0, 5);
	}
}

static void
test_calls_of_one_channel(void **state)
{
	uint16_t to;
	int backend = peer_listen(&to);
	struct daemon *d = daemon_new();
	struct counts c;
	pid_t master = 0;

	(void)state;
	daemon_keep_clock(d);
	daemon_write(d,
		"process = { workers = 1; };\n"
		"servers = ( { name = \"r\"; listen = \"127.0.0.1:0\";\n"
		" middlewares = ( { type = \"forward\";"
		"  to = \"127.0.0.1:%u\"; } ); } );\n",
		to);
	daemon_fork_function(d, run_traced, NULL);
	daemon_wait_log(d, "ready gen=1", DAEMON_MS);
	count_channel(d, backend, &c);
	/* What is accepted has its options from the listener. */
	assert_int_equal(c.at_front[CALL_setsockopt], 0);
	assert_int_equal(c.at_front[CALL_getsockopt], 0);
	assert_int_equal(c.at_front[CALL_getpeername], 0);
	assert_int_equal(c.at_front[CALL_fcntl], 0);
	assert_int_equal(c.of[CALL_setsockopt], 1);
	assert_int_equal(c.of[CALL_fcntl], 0);
	/* close(2) takes sockets from the epoll set. */
	assert_int_equal(c.deletions, 0);
	assert_in_range(c.of[CALL_epoll_ctl], 2, 3);
	assert_int_equal(c.of[CALL_close], 2);
	daemon_workers(d, &master);
	assert_int_not_equal(master, 0);
	kill(master, SIGTERM);
	daemon_wait_log(d, "stopped", DAEMON_MS);
	daemon_finish(d, 0);
	close(backend);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		daemon_test(test_calls_of_one_channel),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
