/* drive.c - the clients: requests on many connections at once, the next one of
 * each when its answer is there; counts them and measures how long each took.
 *
 * Writes "ready" when all connections stand and have been answered once, begins
 * with a line of its input, writes its figures as JSON when the last answer is
 * there, and ends, with all its connections, with its input. */
#include <sys/epoll.h>
#include <sys/socket.h>

#include <bsd/stdlib.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define EVENTS	  512
#define SOURCES	  8  /* addresses that clients come from, for enough ports */
#define SETUP	  64 /* connections that are set up at once */
#define SILENT_MS 20000
#define ECHO_LEN  64
#define HTTP	  "GET / HTTP/1.1\r\nHost: bench\r\n"

/* What the options say. */
struct plan {
	unsigned connections;
	unsigned ms;
	uint16_t port;
	bool http; /* else what is sent comes back */
	bool once; /* one request a connection, up to the server's end */
};

struct conn {
	int fd;
	size_t got;	  /* bytes of the answer */
	int64_t since_ns; /* of the request, or of the connect */
};

struct run {
	char request[128];
	size_t request_len, answer_len;
	struct conn *conns;
	int epoll;
	unsigned begun, waiting; /* connections; requests without an answer */
	bool measuring;
	int64_t end_ns;
	uint32_t *times_ns; /* 4 s at most */
	size_t ntimes, room;
};

static struct plan plan;
static struct run run;

static void
die(const char *fmt, ...) __attribute__((noreturn, format(printf, 1, 2)));
static void options_read(int argc, char **argv);
static int64_t now_ns(void);
static void request_make(void);
static void answer_learn(void);
static int socket_connect(unsigned id);
static void conn_begin(struct conn *c);
static void conn_ask(struct conn *c);
static void conn_read(struct conn *c);
static void conn_next(struct conn *c);
static void answers_await(void);
static void connections_setup(void);
static void figures_write(int64_t took_ns);

int
main(int argc, char **argv)
{
	char line[16];
	int64_t start;
	unsigned i;

	options_read(argc, argv);
	request_make();
	run.conns = calloc(plan.connections, sizeof(*run.conns));
	run.epoll = epoll_create1(EPOLL_CLOEXEC);
	if (run.conns == NULL || run.epoll < 0)
		die("cannot begin: %s", strerror(errno));
	answer_learn();
	if (!plan.once)
		connections_setup();
	puts("ready");
	fflush(stdout);
	if (fgets(line, sizeof(line), stdin) == NULL)
		return 1;
	start = now_ns();
	run.measuring = true;
	run.end_ns = start + (int64_t)plan.ms * 1000000;
	for (i = 0; i < plan.connections && plan.ms > 0; i++) {
		run.waiting++;
		if (plan.once)
			conn_begin(&run.conns[i]);
		conn_ask(&run.conns[i]);
	}
	answers_await();
	figures_write(now_ns() - start);
	while (fgets(line, sizeof(line), stdin) != NULL)
		continue;
	return 0;
}

static void
die(const char *fmt, ...)
{
	va_list ap;

	fputs("drive: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(1);
}

static unsigned
number(const char *text, unsigned least, unsigned most)
{
	const char *why;
	long long n = strtonum(text, least, most, &why);

	if (why != NULL)
		die("%s is %s: %u to %u", text, why, least, most);
	return (unsigned)n;
}

static void
options_read(int argc, char **argv)
{
	int letter;

	plan.connections = 1;
	while ((letter = getopt(argc, argv, "1c:ht:")) != -1) {
		switch (letter) {
		case '1':
			plan.once = true;
			break;
		case 'c':
			plan.connections = number(optarg, 1, 100000);
			break;
		case 'h':
			plan.http = true;
			break;
		case 't':
			plan.ms = number(optarg, 0, 3600000);
			break;
		default:
			optind = argc;
		}
	}
	if (optind != argc - 1)
		die("usage: drive [-1] [-h] [-c CONNECTIONS] [-t MS] PORT");
	if (plan.once && !plan.http)
		die("-1 wants -h: an echo ends no connection");
	plan.port = (uint16_t)number(argv[optind], 1, UINT16_MAX);
}

static int64_t
now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

/* All requests begin alike, so that a middleware can look for it. */
static void
request_make(void)
{
	size_t n;

	if (plan.http) {
		n = (size_t)snprintf(run.request, sizeof(run.request),
			HTTP "%s\r\n",
			plan.once ? "Connection: close\r\n" : "");
	} else {
		n = ECHO_LEN;
		memset(run.request, 'x', n);
		memcpy(run.request, HTTP, strlen(HTTP));
		run.answer_len = n;
	}
	run.request_len = n;
}

/* Length of the answer that begins in text, 0 while that cannot be known. */
static size_t
answer_length(const char *text)
{
	const char *body = strstr(text, "\r\n\r\n");
	const char *length = strstr(text, "Content-Length: ");

	if (body == NULL || length == NULL || length > body)
		return 0;
	return (size_t)(body + 4 - text) +
	       (size_t)strtoul(length + strlen("Content-Length: "), NULL, 10);
}

/* The first request: all other answers have to be as long as its own. */
static void
answer_learn(void)
{
	char text[4096] = "";
	size_t got = 0, want = run.answer_len;
	int fd = socket_connect(0);
	ssize_t n = 1;

	if (send(fd, run.request, run.request_len, MSG_NOSIGNAL) !=
		(ssize_t)run.request_len)
		die("cannot send the first request: %s", strerror(errno));
	while (n > 0 && got < sizeof(text) - 1 && (want == 0 || got < want)) {
		n = recv(fd, text + got, sizeof(text) - 1 - got, 0);
		got += n > 0 ? (size_t)n : 0;
		text[got] = '\0';
		if (plan.http && !plan.once)
			want = answer_length(text);
	}
	if (n < 0)
		die("no answer to the first request: %s", strerror(errno));
	if (n == 0 && (!plan.once || got == 0))
		die("the first connection ended too early");
	if (plan.http && strncmp(text, "HTTP/1.1 200 ", 13) != 0)
		die("the first answer is not what it should be: %.40s", text);
	run.answer_len = got;
	close(fd);
}

/* A connect on the loopback does not wait, as long as the backlog has room. */
static int
socket_connect(unsigned id)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

	if (fd < 0)
		die("socket: %s", strerror(errno));
	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1 + id % SOURCES);
	setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&sin, sizeof(sin)) < 0)
		die("bind: %s", strerror(errno));
	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	sin.sin_port = htons(plan.port);
	if (connect(fd, (struct sockaddr *)&sin, sizeof(sin)) < 0)
		die("connect to port %u: %s", plan.port, strerror(errno));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	return fd;
}

static void
conn_begin(struct conn *c)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = c };

	c->since_ns = now_ns();
	c->fd = socket_connect((unsigned)(c - run.conns));
	if (fcntl(c->fd, F_SETFL, O_NONBLOCK) < 0 ||
		epoll_ctl(run.epoll, EPOLL_CTL_ADD, c->fd, &ev) < 0)
		die("epoll_ctl: %s", strerror(errno));
}

static void
conn_ask(struct conn *c)
{
	c->got = 0;
	if (!plan.once)
		c->since_ns = now_ns();
	if (send(c->fd, run.request, run.request_len, MSG_NOSIGNAL) !=
		(ssize_t)run.request_len)
		die("cannot send: %s", strerror(errno));
}

static void
conn_read(struct conn *c)
{
	char buf[16384];
	ssize_t n = recv(c->fd, buf, sizeof(buf), 0);

	if (n < 0 && errno == EAGAIN)
		return;
	if (n < 0)
		die("recv: %s", strerror(errno));
	if (!plan.http && c->got == 0 && n == ECHO_LEN &&
		memcmp(buf, run.request, ECHO_LEN) != 0)
		die("other bytes came back than were sent");
	c->got += (size_t)n;
	if (c->got > run.answer_len)
		die("an answer is longer than the first one");
	if (n == 0 && (!plan.once || c->got < run.answer_len))
		die("a connection ended after %zu of %zu bytes", c->got,
			run.answer_len);
	if (n == 0 || (!plan.once && c->got == run.answer_len))
		conn_next(c);
}

static void
time_add(int64_t ns)
{
	if (run.ntimes == run.room) {
		run.room = run.room == 0 ? 65536 : run.room * 2;
		run.times_ns = reallocarray(
			run.times_ns, run.room, sizeof(*run.times_ns));
		if (run.times_ns == NULL)
			die("out of memory");
	}
	run.times_ns[run.ntimes++] =
		ns < UINT32_MAX ? (uint32_t)ns : UINT32_MAX;
}

/* An answer is complete. */
static void
conn_next(struct conn *c)
{
	int64_t now = now_ns();

	run.waiting--;
	if (plan.once)
		close(c->fd);
	if (!run.measuring)
		return;
	time_add(now - c->since_ns);
	if (now >= run.end_ns)
		return;
	run.waiting++;
	if (plan.once)
		conn_begin(c);
	conn_ask(c);
}

/* Runs until no request is without an answer; while there are connections to
 * be set up, until there may be one more. */
static void
answers_await(void)
{
	struct epoll_event events[EVENTS];
	int i, n;

	while (run.waiting > 0) {
		n = epoll_wait(run.epoll, events, EVENTS, SILENT_MS);
		if (n == 0)
			die("%u requests have no answer", run.waiting);
		if (n < 0 && errno != EINTR)
			die("epoll_wait: %s", strerror(errno));
		for (i = 0; i < n; i++)
			conn_read(events[i].data.ptr);
		if (!run.measuring && run.begun < plan.connections)
			return;
	}
}

static void
connections_setup(void)
{
	do {
		while (run.begun < plan.connections && run.waiting < SETUP) {
			struct conn *c = &run.conns[run.begun++];

			run.waiting++;
			conn_begin(c);
			conn_ask(c);
		}
		answers_await();
	} while (run.begun < plan.connections || run.waiting > 0);
}

static int
times_compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static void
figures_write(int64_t took_ns)
{
	size_t n = run.ntimes;

	if (n > 0)
		qsort(run.times_ns, n, sizeof(*run.times_ns), times_compare);
	printf("{\"connections\": %u, \"requests\": %zu, \"seconds\": %.6f, "
	       "\"p50_us\": %.3f, \"p99_us\": %.3f}\n",
		plan.connections, n, (double)took_ns / 1e9,
		n > 0 ? run.times_ns[n / 2] / 1e3 : 0,
		n > 0 ? run.times_ns[n * 99 / 100] / 1e3 : 0);
	fflush(stdout);
}
