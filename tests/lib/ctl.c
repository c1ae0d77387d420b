/* ctl.c - weirctl before an API that answers as the test wants. */
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/ctl.h"
#include "lib/peer.h"
#include "lib/procs.h"
#include "lib/tempdir.h"

#define CONNS  16
#define ARGS   64
#define RUN_MS 20000
#define FAILED 126

/* Bytes that came, and a NUL. */
struct heap {
	char *p;
	size_t n;
};

struct conn {
	int fd;
	struct heap in;
	char *out;
	size_t n, sent;
	bool answered, stays;
};

struct rig {
	struct ctl_run *run;
	struct conn conns[CONNS];
	struct heap said[2], asked;
	int fds[2]; /* of what it says; both are of the terminal then */
	pid_t pid;
	size_t seen;	     /* of the screen, before the last key */
	unsigned used[ARGS]; /* how often each reply was given */
};

static int listeners[2] = { -1, -1 };
static char path[64], file[64];
static uint16_t port;

static void rig_spawn(struct rig *rig, const char *const *args);
static void rig_exec(const struct rig *rig, const char *const *args);
static void rig_serve(struct rig *rig);
static void rig_say(struct rig *rig, size_t i);
static void rig_keys(struct rig *rig);
static void rig_accept(struct rig *rig, int listener);
static void conn_turn(struct rig *rig, struct conn *c, short events);
static bool conn_asked(const struct conn *c);
static void conn_answer(struct rig *rig, struct conn *c);
static void conn_close(struct conn *c);
static void heap_add(struct heap *h, const void *p, size_t n);

int
ctl_setup(void **state)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };

	if (tempdir_make(state) == -1)
		return -1;
	snprintf(path, sizeof(path), "%s/api", tempdir);
	snprintf(file, sizeof(file), "%s/file", tempdir);
	snprintf(un.sun_path, sizeof(un.sun_path), "%s", path);
	listeners[0] =
		socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	listeners[1] = peer_listen(&port);
	if (bind(listeners[0], (struct sockaddr *)&un, sizeof(un)) == -1)
		return -1;
	return listen(listeners[0], CONNS);
}

int
ctl_teardown(void **state)
{
	close(listeners[0]);
	close(listeners[1]);
	unlink(path);
	unlink(file);
	return tempdir_remove(state);
}

const char *
ctl_path(void)
{
	return path;
}

unsigned
ctl_port(void)
{
	return port;
}

const char *
ctl_file(const char *text)
{
	FILE *f = fopen(file, "we");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	return file;
}

void
ctl_run(struct ctl_run *r, const char *arg, ...)
{
	const char *args[ARGS] = { arg };
	size_t n = arg != NULL;
	va_list ap;

	va_start(ap, arg);
	while (n > 0 && n < ARGS - 1 &&
		(args[n] = va_arg(ap, const char *)) != NULL)
		n++;
	va_end(ap);
	ctl_run_list(r, args);
}

void
ctl_run_list(struct ctl_run *r, const char *const *args)
{
	struct rig rig = { .run = r };
	int status;
	size_t i;

	for (i = 0; i < CONNS; i++)
		rig.conns[i].fd = -1;
	rig_spawn(&rig, args);
	rig_serve(&rig);
	if (!procs_reap(rig.pid, &status, RUN_MS))
		fail_msg("weirctl does not end");
	for (i = 0; i < CONNS; i++)
		conn_close(&rig.conns[i]);
	heap_add(&rig.said[0], "", 0);
	heap_add(&rig.said[1], "", 0);
	heap_add(&rig.asked, "", 0);
	r->status = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
	r->out = rig.said[0].p;
	r->err = rig.said[1].p;
	r->requests = rig.asked.p;
}

void
ctl_done(struct ctl_run *r)
{
	free(r->out);
	free(r->err);
	free(r->requests);
	r->out = r->err = r->requests = NULL;
}

void
ctl_expect(struct ctl_run *r, int status, const char *out, const char *err)
{
	if (r->status != status || (err != NULL && strcmp(r->err, err) != 0))
		print_error("status %d\nstdout: %s\nstderr: %s\n", r->status,
			r->out, r->err);
	assert_int_equal(r->status, status);
	if (out != NULL)
		assert_string_equal(r->out, out);
	if (err != NULL)
		assert_string_equal(r->err, err);
	ctl_done(r);
}

static void
rig_spawn(struct rig *rig, const char *const *args)
{
	struct winsize size = { .ws_row = CTL_SCREEN_HEIGHT,
		.ws_col = CTL_SCREEN_WIDTH };
	int out[2], err[2], slave = -1;

	if (rig->run->keys != NULL) {
		assert_int_equal(
			openpty(&out[0], &slave, NULL, NULL, &size), 0);
		out[1] = slave;
		err[0] = -1;
		err[1] = slave;
	} else {
		assert_int_equal(pipe2(out, O_CLOEXEC), 0);
		assert_int_equal(pipe2(err, O_CLOEXEC), 0);
	}
	fflush(NULL);
	rig->pid = fork();
	assert_int_not_equal(rig->pid, -1);
	if (rig->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
		setsid();
		if (slave == -1)
			slave = open("/dev/null", O_RDONLY | O_CLOEXEC);
		if (dup2(slave, STDIN_FILENO) != -1 &&
			dup2(out[1], STDOUT_FILENO) != -1 &&
			dup2(err[1], STDERR_FILENO) != -1)
			rig_exec(rig, args);
		_exit(FAILED);
	}
	close(out[1]);
	if (err[1] != out[1])
		close(err[1]);
	rig->fds[0] = out[0];
	rig->fds[1] = err[0];
}

static void
rig_exec(const struct rig *rig, const char *const *args)
{
	const char *binary = getenv("WEIRCTL"), *argv[ARGS + 1] = { "weirctl" };
	const char *const *env = rig->run->env;
	size_t i;

	if (binary == NULL)
		binary = "./weirctl";
	for (i = 0; args[i] != NULL; i++)
		argv[i + 1] = args[i];
	unsetenv("NO_COLOR");
	unsetenv("WEIR_TOKEN");
	setenv("TERM", "vt100", 1);
	setenv("WEIR_API", path, 1);
	for (; env != NULL && *env != NULL; env++)
		putenv((char *)(uintptr_t)*env);
	close_range(STDERR_FILENO + 1, ~0U, 0);
	execv(binary, (char **)(uintptr_t)argv);
	perror(binary);
}

static void
rig_serve(struct rig *rig)
{
	struct pollfd p[CONNS + 4];
	int64_t due = procs_now() + RUN_MS;
	size_t i;

	while (rig->fds[0] != -1 || rig->fds[1] != -1) {
		for (i = 0; i < CONNS; i++)
			p[i] = (struct pollfd){ .fd = rig->conns[i].fd,
				.events = rig->conns[i].sent < rig->conns[i].n
						  ? POLLIN | POLLOUT
						  : POLLIN };
		for (i = 0; i < 2; i++) {
			p[CONNS + i] = (struct pollfd){ .fd = listeners[i],
				.events = POLLIN };
			p[CONNS + 2 + i] = (struct pollfd){ .fd = rig->fds[i],
				.events = POLLIN };
		}
		if (poll(p, CONNS + 4, (int)(due - procs_now())) <= 0) {
			kill(rig->pid, SIGKILL);
			fail_msg("weirctl does not end: %s%s",
				rig->said[0].n > 0 ? rig->said[0].p : "",
				rig->said[1].n > 0 ? rig->said[1].p : "");
		}
		for (i = 0; i < CONNS; i++)
			if (p[i].revents != 0)
				conn_turn(rig, &rig->conns[i], p[i].revents);
		for (i = 0; i < 2; i++) {
			if (p[CONNS + i].revents != 0)
				rig_accept(rig, listeners[i]);
			if (p[CONNS + 2 + i].revents != 0)
				rig_say(rig, i);
		}
	}
}

/* The end of a terminal is an error (EIO, pty(7)). */
static void
rig_say(struct rig *rig, size_t i)
{
	char buf[65536];
	ssize_t n = read(rig->fds[i], buf, sizeof(buf));

	if (n > 0) {
		heap_add(&rig->said[i], buf, (size_t)n);
		rig_keys(rig);
		return;
	}
	close(rig->fds[i]);
	rig->fds[i] = -1;
}

static void
rig_keys(struct rig *rig)
{
	const struct ctl_key *key = rig->run->keys;

	while (key != NULL && key->text != NULL && rig->said[0].n > 0 &&
		strstr(rig->said[0].p + rig->seen, key->text) != NULL) {
		rig->seen = rig->said[0].n;
		assert_int_equal(
			write(rig->fds[0], key->keys, strlen(key->keys)),
			strlen(key->keys));
		key = ++rig->run->keys;
	}
}

static void
rig_accept(struct rig *rig, int listener)
{
	int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	size_t i;

	for (i = 0; i < CONNS && rig->conns[i].fd != -1; i++)
		;
	assert_true(i < CONNS && fd != -1);
	rig->conns[i] = (struct conn){ .fd = fd };
}

static void
conn_turn(struct rig *rig, struct conn *c, short events)
{
	char buf[4096];
	ssize_t n = 1;

	if ((events & (POLLIN | POLLHUP | POLLERR)) != 0) {
		n = recv(c->fd, buf, sizeof(buf), 0);
		if (n > 0)
			heap_add(&c->in, buf, (size_t)n);
	}
	if (!c->answered && conn_asked(c))
		conn_answer(rig, c);
	if (n > 0 && c->sent < c->n) {
		n = send(c->fd, c->out + c->sent, c->n - c->sent, MSG_NOSIGNAL);
		if (n > 0)
			c->sent += (size_t)n;
	}
	if (n == 0 || (n == -1 && errno != EAGAIN) ||
		(c->answered && !c->stays && c->sent == c->n))
		conn_close(c);
}

/* Is the head there, and as much body as it says? */
static bool
conn_asked(const struct conn *c)
{
	const char *end, *length;

	if (c->in.n == 0)
		return false;
	end = strstr(c->in.p, "\r\n\r\n");
	length = strstr(c->in.p, "Content-Length: ");
	if (end == NULL)
		return false;
	return length == NULL ||
	       strlen(end + 4) >= strtoul(length + 16, NULL, 10);
}

static void
conn_answer(struct rig *rig, struct conn *c)
{
	const struct ctl_reply *r = rig->run->replies;
	const char *body = "{\"error\":\"nothing of that kind\"}";
	enum ctl_manner manner = CTL_WHOLE;
	int status = 404;
	size_t i;

	heap_add(&rig->asked, c->in.p, c->in.n);
	heap_add(&rig->asked, "\n", 1);
	for (i = 0; r != NULL && r[i].request != NULL; i++)
		if (strncmp(c->in.p, r[i].request, strlen(r[i].request)) == 0 &&
			(r[i].times == 0 || rig->used[i] < r[i].times))
			break;
	if (r != NULL && r[i].request != NULL) {
		rig->used[i]++;
		status = r[i].status != 0 ? r[i].status : 200;
		body = r[i].body != NULL ? r[i].body : "";
		manner = r[i].manner;
	}
	c->answered = true;
	c->stays = manner == CTL_SILENT || manner == CTL_OPEN;
	if (manner == CTL_SILENT)
		return;
	c->n = strlen(body) + 256;
	c->out = malloc(c->n);
	assert_non_null(c->out);
	if (manner == CTL_RAW)
		c->n = (size_t)snprintf(c->out, c->n, "%s", body);
	else if (manner == CTL_OPEN)
		c->n = (size_t)snprintf(c->out, c->n,
			"HTTP/1.1 %d x\r\nContent-Type: application/x-ndjson"
			"\r\n\r\n%s",
			status, body);
	else
		c->n = (size_t)snprintf(c->out, c->n,
			"HTTP/1.1 %d x\r\nContent-Type: application/json\r\n"
			"Content-Length: %zu\r\nConnection: close\r\n\r\n%s",
			status, strlen(body), body);
	if (manner == CTL_PART)
		c->n -= strlen(body) / 2;
}

static void
conn_close(struct conn *c)
{
	if (c->fd != -1)
		close(c->fd);
	free(c->in.p);
	free(c->out);
	*c = (struct conn){ .fd = -1 };
}

static void
heap_add(struct heap *h, const void *p, size_t n)
{
	h->p = realloc(h->p, h->n + n + 1);
	assert_non_null(h->p);
	memcpy(h->p + h->n, p, n);
	h->n += n;
	h->p[h->n] = '\0';
}
