/* sink.c - whole lines on their way to one log file; nothing here waits. */
#include <sys/stat.h>

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/sink.h"
#include "base/syslog.h"
#include "base/target.h"

#define SINK_PRIORITY 6 /* informational */

struct sink {
	const char *target;
	enum target_kind kind;
	int fd;
	size_t most; /* bytes of one write: more might be mixed with others' */
	char *buf;   /* of SINK_BUFFER bytes, from the first line on */
	size_t len;  /* whole lines with their ends, but for torn */
	bool torn;   /* the first one was written in part */
	uint64_t due_ms; /* when the first to be impatient has waited enough */
	uint64_t retry_ms; /* no write before that; 0: none has failed */
	int err;	   /* of the last failure */
	uint64_t lost;	   /* lines, in this trouble */
	uint64_t unsaid;   /* of them */
	uint64_t word_ms;  /* when may be spoken of them again */
	bool trouble;	   /* it was said that lines are lost, not its end */
};

static void sink_look(struct sink *s);
static size_t line_size(const struct sink *s, const char *line, size_t len);
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
	size_t size = line_size(s, line, len);
	uint64_t due_ms = clock_ms() + wait_ms;

	if (size > s->most) {
		sink_lose(s, 1, EMSGSIZE);
		return;
	}
	if (s->buf == NULL && (s->buf = malloc(SINK_BUFFER)) == NULL) {
		sink_lose(s, 1, ENOMEM);
		return;
	}
	if (size > SINK_BUFFER - s->len)
		sink_write(s);
	if (size > SINK_BUFFER - s->len) {
		sink_lose(s, 1, s->err);
		return;
	}
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
	/* Its beginning is in the old file. */
	if (s->torn)
		sink_drop_first(s, s->err);
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

/* Bytes that the line takes in the buffer; more than most: too many. */
static size_t
line_size(const struct sink *s, const char *line, size_t len)
{
	char head[SYSLOG_HEAD];
	size_t size = 1, i;

	if (s->kind == TARGET_SYSLOG)
		size += syslog_head(head, SINK_PRIORITY);
	for (i = 0; i < len && size <= s->most; i++)
		size += is_control(line[i]) ? 4 : 1;
	return size;
}

static void
line_put(struct sink *s, const char *line, size_t len)
{
	static const char hex[] = "0123456789abcdef";
	char head[SYSLOG_HEAD];
	size_t i, n;

	if (s->kind == TARGET_SYSLOG) {
		n = syslog_head(head, SINK_PRIORITY);
		memcpy(s->buf + s->len, head, n);
		s->len += n;
	}
	for (i = 0; i < len; i++) {
		unsigned char c = (unsigned char)line[i];

		if (!is_control(line[i])) {
			s->buf[s->len++] = line[i];
			continue;
		}
		s->buf[s->len++] = '\\';
		s->buf[s->len++] = 'x';
		s->buf[s->len++] = hex[c >> 4];
		s->buf[s->len++] = hex[c & 15];
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
			s->retry_ms = s->due_ms + SINK_RETRY_MS;
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
	ssize_t done;

	/* A message has no end of line. */
	if (s->kind == TARGET_SYSLOG) {
		done = target_write(s->fd, s->kind, s->buf, n - 1);
		if (done == -1 && errno == EMSGSIZE) {
			sink_drop_first(s, EMSGSIZE);
			return true;
		}
		done += done != -1;
	} else {
		done = target_write(s->fd, s->kind, s->buf, n);
	}
	if (done == -1) {
		s->err = errno;
		return false;
	}
	if (done > 0)
		sink_consume(s, (size_t)done);
	return done > 0;
}

/* Bytes of the next write: whole lines, or the first one if it is too long. */
static size_t
sink_chunk(const struct sink *s)
{
	const char *end = NULL;

	if (s->kind != TARGET_SYSLOG) {
		if (s->len <= s->most)
			return s->len;
		end = memrchr(s->buf, '\n', s->most);
	}
	if (end == NULL)
		end = memchr(s->buf, '\n', s->len);
	return (size_t)(end - s->buf) + 1;
}

static void
sink_consume(struct sink *s, size_t n)
{
	s->torn = s->buf[n - 1] != '\n';
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
