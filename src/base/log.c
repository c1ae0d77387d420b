/* log.c - one line a message, to stderr, syslog or a file. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/escape.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/syslog.h"
#include "base/target.h"

struct line {
	size_t len;
	char text[LOG_LINE_MAX];
};

const char *const log_level_words[] = {
#define X(id, word, priority) word,
	LOG_LEVELS(X)
#undef X
		NULL
};

static const int log_priorities[] = {
#define X(id, word, priority) priority,
	LOG_LEVELS(X)
#undef X
};

static enum target_kind log_kind = TARGET_STDERR;
static int log_fd = STDERR_FILENO;
static enum log_level log_least = LOG_LEVEL_INFO;
static char log_name[32] = "main";
static unsigned long log_lost;
static bool log_torn;
static bool log_is_starting;
static void (*log_heard)(void *, const char *);
static void *log_heard_arg;

static void log_take(int fd, const char *target, enum log_level least);
static void line_add(struct line *l, const char *text);
static void line_head(struct line *l, enum log_level level);
static bool line_write(int fd, enum target_kind kind, struct line *l);
static void log_text(enum log_level level, const char *text);

int
log_open(const char *target, enum log_level least)
{
	int fd = target_open(target);

	if (fd == -1)
		return -1;
	log_take(fd, target, least);
	return 0;
}

int
log_file(void)
{
	return log_fd;
}

int
log_switch(int fd, const char *target, enum log_level least)
{
	if (fd != STDERR_FILENO) {
		fd = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
		if (fd == -1)
			return -1;
	}
	log_take(fd, target, least);
	return 0;
}

void
log_starting(bool on)
{
	log_is_starting = on;
}

void
log_tap(void (*heard)(void *arg, const char *text), void *arg)
{
	log_heard = heard;
	log_heard_arg = arg;
}

bool
log_is_stderr(void)
{
	return log_kind == TARGET_STDERR;
}

bool
log_enabled(enum log_level level)
{
	return level >= log_least;
}

void
log_line(enum log_level level, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_vline(level, fmt, ap);
	va_end(ap);
}

void
log_vline(enum log_level level, const char *fmt, va_list ap)
{
	bool tapped = log_heard != NULL && level >= LOG_LEVEL_WARN;
	char text[LOG_LINE_MAX];
	int err = errno;

	if (tapped || log_enabled(level)) {
		if (vsnprintf(text, sizeof(text), fmt, ap) < 0)
			snprintf(text, sizeof(text), "cannot format \"%.99s\"",
				fmt);
		if (log_enabled(level))
			log_text(level, text);
		if (tapped)
			log_heard(log_heard_arg, text);
	}
	errno = err;
}

void
log_process(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(log_name, sizeof(log_name), fmt, ap);
	va_end(ap);
}

/* Takes fd. */
static void
log_take(int fd, const char *target, enum log_level least)
{
	if (log_kind != TARGET_STDERR)
		fd_close(&log_fd);
	log_fd = fd;
	log_kind = target_kind(target);
	log_least = least;
	log_torn = false;
}

static void
log_text(enum log_level level, const char *text)
{
	struct line l = { .len = 0 };

	if (log_lost > 0) {
		char lost[64];

		snprintf(lost, sizeof(lost), "%lu log lines were lost",
			log_lost);
		line_head(&l, LOG_LEVEL_WARN);
		line_add(&l, lost);
		if (line_write(log_fd, log_kind, &l))
			log_lost = 0;
		l.len = 0;
	}
	line_head(&l, level);
	line_add(&l, text);
	if (!line_write(log_fd, log_kind, &l))
		log_lost++;
	if (log_is_starting && !log_is_stderr() && level >= LOG_LEVEL_WARN) {
		l.len = 0;
		line_add(&l, "weir: ");
		line_add(&l, text);
		line_write(STDERR_FILENO, TARGET_STDERR, &l);
	}
}

/* Adds text, escaped; cuts it so that "...\n" always fits behind. */
static void
line_add(struct line *l, const char *text)
{
	const unsigned char *p = (const unsigned char *)text;
	/* And one byte goes ahead, after a line that was written in part. */
	const size_t most = sizeof(l->text) - sizeof("\n\\xNN...\n");

	for (; *p != '\0'; p++) {
		if (l->len >= most) {
			memcpy(l->text + l->len, "...", 3);
			l->len += 3;
			return;
		}
		if (*p >= 0x20 && *p < 0x7f)
			l->text[l->len++] = (char)*p;
		else
			l->len += escape_byte(l->text + l->len, *p);
	}
}

/* "2026-11-22T17:00:00.123Z weir[12] master [info] "; syslog wants its own
 * form and adds no time of ours. */
static void
line_head(struct line *l, enum log_level level)
{
	char head[128], stamp[32];
	struct timespec ts;
	struct tm tm;
	size_t n;

	if (log_kind == TARGET_SYSLOG) {
		n = syslog_head(head, log_priorities[level]);
		snprintf(head + n, sizeof(head) - n, "%s [%s] ", log_name,
			log_level_words[level]);
	} else {
		clock_gettime(CLOCK_REALTIME, &ts);
		gmtime_r(&ts.tv_sec, &tm);
		strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%S", &tm);
		snprintf(head, sizeof(head), "%s.%03ldZ weir[%d] %s [%s] ",
			stamp, ts.tv_nsec / 1000000, (int)getpid(), log_name,
			log_level_words[level]);
	}
	line_add(l, head);
}

static bool
line_write(int fd, enum target_kind kind, struct line *l)
{
	bool none = false;

	if (kind != TARGET_SYSLOG)
		l->text[l->len++] = '\n';
	return target_lines(fd, kind, fd == log_fd ? &log_torn : &none, l->text,
		       l->len) == (ssize_t)l->len;
}
