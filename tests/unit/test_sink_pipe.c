/* test_sink_pipe.c - sinks on pipes, on stderr and to syslog, which stop being
 * read, are full, or go and come again. */
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <signal.h>

#include "base/syslog.h"
#include "sink_try.h"

/* Reads all that is there and lets the sink go on, until it has no more to do
 * soon; how many bytes, the first max of them in p. */
static size_t
drain(int in, char *p, size_t max)
{
	char more[65536];
	size_t len = 0;
	ssize_t n;

	for (;;) {
		while ((n = read(in, more, sizeof(more))) > 0) {
			if (len + (size_t)n <= max)
				memcpy(p + len, more, (size_t)n);
			len += (size_t)n;
		}
		if (sink_due(sink) > clock_ms() + SINK_RETRY_MS)
			return len;
		clock_advance(SINK_RETRY_MS);
		sink_run(sink);
	}
}

static void
test_pipe_without_reader(void **state)
{
	int in;

	(void)state;
	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(mkfifo(at("fifo"), 0600), 0);
	assert_int_equal(target_open(at("fifo")), -1);
	assert_int_equal(errno, ENXIO);
	in = open(at("fifo"), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	start(at("fifo"));
	say("heard", 0);
	close(in);
	say("kept", 0);
	assert_string_equal(logged(), "");
	say_many(700, 100);
	assert_non_null(strstr(logged(), "was lost: Broken pipe"));
	/* Another one comes. */
	in = open(at("fifo"), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	assert_true(drain(in, NULL, 0) > 60000);
	assert_int_equal(count(logged(), "lines are written again"), 1);
	close(in);
}

/* A reader that does not read: what it gets in the end is whole lines. */
static void
test_pipe_that_is_full(void **state)
{
	static char got[1 << 20];
	size_t len, i;
	int in;

	(void)state;
	assert_int_equal(mkfifo(at("fifo"), 0600), 0);
	in = open(at("fifo"), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	assert_int_not_equal(in, -1);
	start(at("fifo"));
	say_many(3000, 99);
	assert_int_equal(count(logged(), "Resource temporarily"), 1);
	len = drain(in, got, sizeof(got));
	close(in);
	assert_true(len > 2 * 60000);
	assert_int_equal(len % 99, 0);
	for (i = 0; i < len; i += 99)
		assert_int_equal(got[i + 98], '\n');
	snprintf(got, sizeof(got), "lines are written again; %zu were lost",
		3000 - len / 99);
	assert_non_null(strstr(logged(), got));
	assert_int_equal(count(logged(), "\n"), 2);
}

/* stderr may be a pipe that blocks, and that others fill as well. */
static void
test_stderr_never_blocks(void **state)
{
	int fds[2], saved = dup(STDERR_FILENO);
	unsigned lost;

	(void)state;
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	assert_int_not_equal(dup2(fds[1], STDERR_FILENO), -1);
	start("stderr");
	fd = -1;
	say_many(2000, 100);
	lost = count(logged(), "log file stderr: 1 line was lost");
	assert_int_equal(fd_nonblock(fds[0]), 0);
	drain(fds[0], NULL, 0);
	end();
	dup2(saved, STDERR_FILENO);
	close(saved);
	close(fds[0]);
	close(fds[1]);
	assert_int_equal(lost, 1);
	assert_non_null(strstr(logged(), "lines are written again"));
}

static int
daemon_listen(void)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int s = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	unlink(at("socket"));
	snprintf(un.sun_path, sizeof(un.sun_path), "%s", at("socket"));
	assert_int_equal(bind(s, (struct sockaddr *)&un, sizeof(un)), 0);
	return s;
}

static void
hear(int s, const char *text)
{
	char got[8192];
	ssize_t n = recv(s, got, sizeof(got) - 1, 0);

	assert_true(n > 0);
	got[n] = '\0';
	assert_memory_equal(got, "<30>", 4);
	assert_non_null(strstr(got, "]: "));
	assert_string_equal(strstr(got, "]: ") + 3, text);
}

static void
test_syslog(void **state)
{
	static char path[64];
	unsigned n = 0;
	char got[512];
	int s;

	(void)state;
	strlcpy(path, at("socket"), sizeof(path));
	syslog_attach(path);
	s = daemon_listen();
	start("syslog");
	say("one", 1000);
	say("two", 0);
	hear(s, "one");
	hear(s, "two");
	/* It is restarted: the socket is another one. */
	close(s);
	say("kept", 0);
	s = daemon_listen();
	say("after", 0);
	clock_advance(SINK_RETRY_MS);
	sink_run(sink);
	hear(s, "kept");
	hear(s, "after");
	/* It does not read: its queue and then the buffer are full. */
	say_many(2000, 100);
	assert_int_equal(count(logged(), "log file syslog: 1 line was"), 1);
	for (;;) {
		while (recv(s, got, sizeof(got), 0) > 0)
			n++;
		if (sink_due(sink) > clock_ms() + SINK_RETRY_MS)
			break;
		clock_advance(SINK_RETRY_MS);
		sink_run(sink);
	}
	close(s);
	snprintf(got, sizeof(got), "lines are written again; %u were lost",
		2000 - n);
	assert_non_null(strstr(logged(), got));
	syslog_attach("/dev/log");
}

/* The queue of a daemon has room for few lines: they do not come in bundles,
 * and not cut more than in a file. */
static void
test_syslog_is_written_at_once(void **state)
{
	static char path[64];
	char line[5000], want[SINK_LINE_MAX + 1];
	int s;

	(void)state;
	strlcpy(path, at("socket"), sizeof(path));
	syslog_attach(path);
	s = daemon_listen();
	start("syslog");
	say("one", 60000);
	hear(s, "one");
	assert_int_equal(sink_due(sink), UINT64_MAX);
	memset(line, 'y', sizeof(line));
	memset(want, 'y', sizeof(want));
	memcpy(want + SINK_LINE_MAX - 3, "...", 4);
	sink_line(sink, line, sizeof(line), 60000);
	hear(s, want);
	close(s);
	say("two", 0);
	assert_in_range(sink_due(sink), clock_ms() + 1, clock_ms() + 10);
	syslog_attach("/dev/log");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		SINK_TEST(test_pipe_without_reader),
		SINK_TEST(test_pipe_that_is_full),
		SINK_TEST(test_stderr_never_blocks),
		SINK_TEST(test_syslog),
		SINK_TEST(test_syslog_is_written_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
