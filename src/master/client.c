/* client.c - weir -s: says a word to the master that runs. */
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include <bsd/string.h>
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "conf/conf.h"
#include "master/caller.h"
#include "master/client.h"
#include "master/pidfile.h"
#include "master/signals.h"

struct client {
	int fd;
	const char *path, *word;
	uint32_t limit_ms;
	uint64_t due_ms;
	FILE *out, *err;
	bool ended; /* the last line of the answer came: */
	int status;
};

static const struct caller_row *client_row(const char *word);
static int client_unknown(const char *word, bool is_known);
static int client_signal(const struct signal_row *row, pid_t pid);
static int client_connect(struct client *c);
static int client_send(struct client *c);
static int client_hear(struct client *c);
static int client_read(struct client *c);
static int client_line(struct client *c, const char *line);
static const char *client_kind(const char *line, enum caller_kind kind);
static int client_late(const struct client *c);
static uint64_t client_now(void);

int
client_run(const struct conf *conf, const char *word)
{
	const struct signal_row *row = signals_find(word);
	const struct caller_row *asked = client_row(word);
	const char *pidfile = conf->process.pidfile;
	char why[PIDFILE_WHY], path[PATH_MAX];
	pid_t pid;

	if (row == NULL ? asked == NULL : !row->built)
		return client_unknown(word, row != NULL);
	if (pidfile == NULL) {
		fprintf(stderr,
			"weir: -s %s: %s names no process.pidfile to find weir "
			"by; add -d if it was started with -d\n",
			word, conf->file);
		return 1;
	}
	pid = pidfile_holder(pidfile, why);
	if (pid == -1) {
		fprintf(stderr, "weir: %s\n", why);
		return 1;
	}
	if (asked == NULL)
		return client_signal(row, pid);
	snprintf(path, sizeof(path), "%s" CALLER_SUFFIX, pidfile);
	return client_ask(path, word, asked->limit_ms, stdout, stderr);
}

int
client_ask(const char *path, const char *word, uint32_t limit_ms, FILE *out,
	FILE *err)
{
	struct client c = { .fd = -1,
		.path = path,
		.word = word,
		.limit_ms = limit_ms,
		.due_ms = client_now() + limit_ms,
		.out = out,
		.err = err };

	if (client_connect(&c) == -1 || client_send(&c) == -1 ||
		client_hear(&c) == -1)
		c.status = 1;
	fd_close(&c.fd);
	return c.status;
}

void
client_words(FILE *out, bool is_help)
{
	const struct signal_row *row;
	const struct caller_row *asked;
	const char *comma = "";

	for (row = signals_rows; row->name != NULL; row++) {
		if (row->word == NULL)
			continue;
		if (is_help)
			fprintf(out, "  %-16s %s%s\n", row->word, row->help,
				row->built ? "" : " (not built in yet)");
		else if (row->built)
			fprintf(out, "%s%s", comma, row->word);
		comma = row->built ? ", " : comma;
	}
	for (asked = caller_rows; asked->word != NULL; asked++) {
		if (asked->limit_ms == 0 || signals_find(asked->word) != NULL)
			continue;
		if (is_help)
			fprintf(out, "  %-16s %s\n", asked->word, asked->help);
		else
			fprintf(out, "%s%s", comma, asked->word);
	}
}

/* The row of a word whose answer is waited for, or NULL. */
static const struct caller_row *
client_row(const char *word)
{
	const struct caller_row *row = caller_find(word, strlen(word));

	return row != NULL && row->limit_ms > 0 ? row : NULL;
}

static int
client_unknown(const char *word, bool is_known)
{
	fprintf(stderr, "weir: -s %s: %s; known: ", word,
		is_known ? "not built in yet" : "no such signal");
	client_words(stderr, false);
	fputc('\n', stderr);
	return 1;
}

static int
client_signal(const struct signal_row *row, pid_t pid)
{
	if (kill(pid, row->signo) == 0)
		return 0;
	fprintf(stderr, "weir: cannot signal weir, pid %d: %s\n", (int)pid,
		strerror(errno));
	return 1;
}

/* -1 with the reason on err. */
static int
client_connect(struct client *c)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	/* connect(2) waits where a backlog is full, and send(2) too. */
	struct timeval limit = { .tv_sec = c->limit_ms / 1000,
		.tv_usec = c->limit_ms % 1000 * 1000 };
	int err;

	if (strlcpy(un.sun_path, c->path, sizeof(un.sun_path)) >=
		sizeof(un.sun_path)) {
		fprintf(c->err,
			"weir: control socket %s: no weir listens on a path of "
			"more than %zu bytes\n",
			c->path, sizeof(un.sun_path) - 1);
		return -1;
	}
	c->fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (c->fd != -1 &&
		setsockopt(c->fd, SOL_SOCKET, SO_SNDTIMEO, &limit,
			sizeof(limit)) == 0 &&
		connect(c->fd, (struct sockaddr *)&un, sizeof(un)) == 0)
		return 0;
	err = errno;
	if (err == EAGAIN)
		return client_late(c);
	fprintf(c->err, "weir: control socket %s: %s%s\n", c->path,
		strerror(err),
		err == ENOENT || err == ECONNREFUSED
			? "; weir is only just starting or stopping, or it is "
			  "one that does not listen there"
		: err == EACCES
			? "; only root and the user that started weir may do "
			  "that"
			: "");
	return -1;
}

static int
client_send(struct client *c)
{
	if (send(c->fd, c->word, strlen(c->word), MSG_NOSIGNAL) != -1)
		return 0;
	/* It was refused before it was heard: the answer says why. */
	if (errno == EPIPE)
		return 0;
	if (errno == EAGAIN)
		return client_late(c);
	fprintf(c->err, "weir: control socket %s: cannot send: %s\n", c->path,
		strerror(errno));
	return -1;
}

/* Shows the answer; -1 when there is no end of it. */
static int
client_hear(struct client *c)
{
	struct pollfd pfd = { .fd = c->fd, .events = POLLIN };
	uint64_t now_ms;

	while (!c->ended) {
		now_ms = client_now();
		if (now_ms >= c->due_ms)
			return client_late(c);
		if (poll(&pfd, 1, (int)(c->due_ms - now_ms)) == 1 &&
			client_read(c) == -1)
			return -1;
	}
	return 0;
}

/* One packet; -1 when the answer is broken. */
static int
client_read(struct client *c)
{
	char text[CALLER_PACKET + 1], *line, *end;
	ssize_t n = recv(c->fd, text, sizeof(text) - 1, MSG_TRUNC);

	if (n == -1 && (errno == EINTR || errno == ECONNRESET))
		return 0; /* an end, if it is one, is read after that */
	if (n == -1 || n == 0) {
		fprintf(c->err,
			"weir: the weir that runs has closed the control "
			"socket before it said how \"%s\" went\n",
			c->word);
		return -1;
	}
	if (n > CALLER_PACKET || text[n - 1] != '\n')
		n = 0;
	text[n] = '\0';
	for (line = text; !c->ended && (end = strchr(line, '\n')) != NULL;
		line = end + 1) {
		*end = '\0';
		if (client_line(c, line) == -1)
			break;
	}
	fflush(c->out);
	if (n > 0 && (c->ended || line == text + n))
		return 0;
	fprintf(c->err,
		"weir: control socket %s: that is not how a weir answers; is "
		"the one that runs of another version?\n",
		c->path);
	return -1;
}

/* -1 when it is not a line of an answer. */
static int
client_line(struct client *c, const char *line)
{
	const char *text;
	char *end;
	long code;

	if ((text = client_kind(line, CALLER_SAYS_INFO)) != NULL) {
		fprintf(c->out, "%s\n", text);
		return 0;
	}
	if ((text = client_kind(line, CALLER_SAYS_ERROR)) != NULL) {
		fprintf(c->err, "%s\n", text);
		return 0;
	}
	text = client_kind(line, CALLER_SAYS_END);
	if (text == NULL)
		return -1;
	code = strtol(text, &end, 10);
	if (end == text || *end != ' ')
		return -1;
	c->ended = true;
	c->status = code != 0;
	if (end[1] != '\0')
		fprintf(code == 0 ? c->out : c->err, "weir: %s\n", end + 1);
	return 0;
}

/* The text of a line of that kind, or NULL. */
static const char *
client_kind(const char *line, enum caller_kind kind)
{
	const char *word = caller_kind_words[kind];
	size_t n = strlen(word);

	return strncmp(line, word, n) == 0 && line[n] == ' ' ? line + n + 1
							     : NULL;
}

static int
client_late(const struct client *c)
{
	fprintf(c->err,
		"weir: the weir that runs has not said within %u.%03u s how "
		"\"%s\" went; its log will\n",
		c->limit_ms / 1000, c->limit_ms % 1000, c->word);
	return -1;
}

static uint64_t
client_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}
