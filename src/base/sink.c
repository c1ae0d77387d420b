/* sink.c - whole lines on their way to one log file; nothing here waits. */
#include <sys/stat.h>

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/escape.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/sink.h"
#include "base/syslog.h"
#include "base/target.h"

#define SINK_PRIORITY 6					/* informational */
#define LINE_ROOM     (SYSLOG_HEAD + SINK_LINE_MAX + 1) /* most that one takes */

struct sink {
	const char *target;
	enum target_kind kind;
	int fd;
	size_t most; /* bytes of one write: more might be mixed with others' */
	char *buf;   /* of SINK_BUFFER bytes, from the first line on */
	size_t len;  /* whole lines with their ends */
	bool torn;   /* a part of the first one was written */
	uint64_t due_ms; /* when the first to be impatient has waited enough */
	uint64_t retry_ms; /* no write before that; 0: none has failed */
	int err;	   /* of the last failure */
	uint64_t lost;	   /* lines, in this trouble */
	uint64_t unsaid;   /* of them */
	uint64_t word_ms;  /* when may be spoken of them again */
	bool trouble;	   /* it was said that lines are lost, not its end */
};

static void sink_look(struct sink *s);
static void line_put(struct sink *s, const char *line, size_t len);
static void sink_write(struct sink *s);
static bool sink_put(struct sink *s);
static size_t sink_chunk(const struct sink *s);
static void sink_consume(struct sink *s, size_t n);
static void sink_drop_first(struct sink *s, int err);
static void sink_lose(struct sink *s, uint64_t lines, int err);
static void sink_say(struct sink *s);
static void sink_recover(struct sink *s);

struct sink *
sink_new(const char *target, int fd)
{
	struct sink *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	s->target = target;
	s->kind = target_kind(target);
	s->fd = fd;
	s->due_ms = UINT64_MAX;
	sink_look(s);
	return s;
}

void
sink_free(struct sink *s)
{
	size_t i;

	if (s == NULL)
		return;
	s->retry_ms = 0;
	sink_write(s);
	for (i = 0; i < s->len; i++)
		s->unsaid += s->buf[i] == '\n';
	if (s->unsaid > 0)
		sink_say(s);
	free(s->buf);
	free(s);
}

void
sink_line(struct sink *s, const char *line, size_t len, uint32_t wait_ms)
{
	uint64_t due_ms = clock_ms() + wait_ms;

	if (s->buf == NULL && (s->buf = malloc(SINK_BUFFER)) == NULL) {
		sink_lose(s, 1, ENOMEM);
		return;
	}
	if (LINE_ROOM > SINK_BUFFER - s->len)
		sink_write(s);
	if (LINE_ROOM > SINK_BUFFER - s->len) {
		sink_lose(s, 1, s->err);
		return;
	}
	/* What goes together would overrun the daemon's queue. */
	if (s->kind == TARGET_SYSLOG)
		due_ms = clock_ms();
	line_put(s, line, len);
	if (due_ms < s->due_ms)
		s->due_ms = due_ms;
	if (s->len >= SINK_BUFFER / 2 || s->due_ms <= clock_ms())
		sink_write(s);
}

uint64_t
sink_due(const struct sink *s)
{
	uint64_t due_ms = s->due_ms;

	if (s->len > 0 && s->retry_ms > due_ms)
		due_ms = s->retry_ms;
	if (s->unsaid > 0 && s->word_ms < due_ms)
		due_ms = s->word_ms;
	return due_ms;
}

void
sink_run(struct sink *s)
{
	if (s->due_ms <= clock_ms())
		sink_write(s);
	if (s->unsaid > 0 && s->word_ms <= clock_ms())
		sink_say(s);
}

int
sink_reopen(struct sink *s, int fd)
{
	s->retry_ms = 0;
	sink_write(s);
	if (fd_replace(s->fd, fd) == -1)
		return -1;
	/* Its part is in the old file. */
	s->torn = false;
	s->retry_ms = 0;
	sink_look(s);
	sink_write(s);
	return 0;
}

/* Others write to the same file: only there and so much goes as one. */
static void
sink_look(struct sink *s)
{
	struct stat st;

	s->most = PIPE_BUF;
	if (s->kind == TARGET_FILE && fstat(s->fd, &st) == 0 &&
		S_ISREG(st.st_mode))
		s->most = SINK_BUFFER;
}

/* What would end a line, or move a terminal. */
static bool
is_control(char c)
{
	return (unsigned char)c < 0x20 || c == 0x7f;
}

static void
line_put(struct sink *s, const char *line, size_t len)
{
	size_t i, start, cut;

	if (s->kind == TARGET_SYSLOG)
		s->len += syslog_head(s->buf + s->len, SINK_PRIORITY);
	start = cut = s->len;
	for (i = 0; i < len; i++) {
		char c = line[i];

		/* Before an escape or a character of UTF-8, not inside. */
		if (s->len - start <= SINK_LINE_MAX - 3 && (c & 0xc0) != 0x80)
			cut = s->len;
		if (s->len - start + (is_control(c) ? ESCAPE_SIZE : 1) >
			SINK_LINE_MAX)
			break;
		if (is_control(c))
			s->len +=
				escape_byte(s->buf + s->len, (unsigned char)c);
		else
			s->buf[s->len++] = c;
	}
	if (i < len) {
		memcpy(s->buf + cut, "...", 3);
		s->len = cut + 3;
	}
	s->buf[s->len++] = '\n';
}

/* As much as the file takes. */
static void
sink_write(struct sink *s)
{
	if (clock_ms() < s->retry_ms)
		return;
	while (s->len > 0)
		if (!sink_put(s)) {
			/* What is left has waited enough. */
			s->due_ms = clock_ms();
			s->retry_ms =
				s->due_ms + (s->kind == TARGET_SYSLOG
							    ? SINK_SYSLOG_MS
							    : SINK_RETRY_MS);
			return;
		}
	s->due_ms = UINT64_MAX;
	s->retry_ms = 0;
	if (s->trouble)
		sink_recover(s);
}

/* One write; false: no more can be written now. */
static bool
sink_put(struct sink *s)
{
	size_t n = sink_chunk(s);
	bool is_syslog = s->kind == TARGET_SYSLOG;
	ssize_t done;

	/* A message has no end of line. */
	done = target_lines(s->fd, s->kind, &s->torn, s->buf, n - is_syslog);
	if (done == -1 && is_syslog && errno == EMSGSIZE) {
		sink_drop_first(s, EMSGSIZE);
		return true;
	}
	if (done == -1) {
		s->err = errno;
		return false;
	}
	sink_consume(s, (size_t)done + is_syslog);
	/* Only a file that is full takes a part of what it is given. */
	if (s->torn)
		s->err = s->kind == TARGET_FILE ? ENOSPC : EAGAIN;
	return !s->torn;
}

/* Bytes of the next write: whole lines. */
static size_t
sink_chunk(const struct sink *s)
{
	const char *end = NULL;

	if (s->kind != TARGET_SYSLOG) {
		/* An end of line may go ahead. */
		if (s->len < s->most)
			return s->len;
		end = memrchr(s->buf, '\n', s->most - 1);
	}
	if (end == NULL)
		end = memchr(s->buf, '\n', s->len);
	return (size_t)(end - s->buf) + 1;
}

static void
sink_consume(struct sink *s, size_t n)
{
	s->len -= n;
	memmove(s->buf, s->buf + n, s->len);
}

static void
sink_drop_first(struct sink *s, int err)
{
	const char *end = memchr(s->buf, '\n', s->len);

	sink_consume(s, (size_t)(end - s->buf) + 1);
	sink_lose(s, 1, err);
}

static void
sink_lose(struct sink *s, uint64_t lines, int err)
{
	s->err = err;
	s->unsaid += lines;
	if (s->word_ms <= clock_ms())
		sink_say(s);
}

static void
sink_say(struct sink *s)
{
	log_error("log file %s: %llu line%s lost: %s", s->target,
		(unsigned long long)s->unsaid,
		s->unsaid == 1 ? " was" : "s were",
		s->err == EMSGSIZE ? "too long for it" : strerror(s->err));
	s->lost += s->unsaid;
	s->unsaid = 0;
	s->word_ms = clock_ms() + SINK_WORD_MS;
	/* A line that is too long is no trouble that ends. */
	s->trouble = s->retry_ms != 0;
}

static void
sink_recover(struct sink *s)
{
	s->lost += s->unsaid;
	log_notice("log file %s: lines are written again; %llu %s lost",
		s->target, (unsigned long long)s->lost,
		s->lost == 1 ? "was" : "were");
	s->lost = s->unsaid = 0;
	s->trouble = false;
}
