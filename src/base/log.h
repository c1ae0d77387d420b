/* log.h - one line a message, to stderr, syslog or a file. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdarg.h>
#include <stdbool.h>

#define LOG_LINE_MAX 4096 /* no more than PIPE_BUF, so lines never mix */

/* Levels: id, word, syslog priority.  [alert] is what must never happen. */
#define LOG_LEVELS(X)                                                          \
	X(DEBUG, "debug", 7)                                                   \
	X(INFO, "info", 6)                                                     \
	X(NOTICE, "notice", 5)                                                 \
	X(WARN, "warn", 4)                                                     \
	X(ERROR, "error", 3)                                                   \
	X(ALERT, "alert", 1)

enum log_level {
#define X(id, word, priority) LOG_LEVEL_##id,
	LOG_LEVELS(X)
#undef X
		LOG_LEVEL_COUNT
};

/* Log words in order of level; ends with NULL. */
extern const char *const log_level_words[];

/* Opens target ("stderr", "syslog" or a path, appended to); keeps the old one
 * and returns -1 with errno when it cannot be opened. */
int log_open(const char *target, enum log_level least);
/* Writes to a duplicate of fd, which is that target, opened by somebody else;
 * -1 with errno, then to the old one still. */
int log_switch(int fd, const char *target, enum log_level least);
/* While on, lines from warn up also go to stderr as "weir: text" when the
 * target is another one: whoever starts weir must see why it does not. */
void log_starting(bool on);
/* Lets heard have the text of each line from warn up as well, whatever level is
 * written; NULL: nobody.  It must not log. */
void log_tap(void (*heard)(void *arg, const char *text), void *arg);
/* The descriptor that lines go to. */
int log_file(void);
/* Is stderr the target? */
bool log_is_stderr(void);
/* Is a line of this level written at all? */
bool log_enabled(enum log_level level);
/* Writes one line with one write(2), at most LOG_LINE_MAX bytes: what is not
 * printable ASCII is escaped as \xNN, long lines are cut.  Never blocks: a line
 * that cannot be written at once is counted, and the count is logged later. */
void log_line(enum log_level level, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void log_vline(enum log_level level, const char *fmt, va_list ap)
	__attribute__((format(printf, 2, 0)));
/* Name of this process in front of every line ("master", "worker 0"). */
void log_process(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#define log_debug(...)                                                         \
	(log_enabled(LOG_LEVEL_DEBUG) ? log_line(LOG_LEVEL_DEBUG, __VA_ARGS__) \
				      : (void)0)
#define log_info(...)	log_line(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_notice(...) log_line(LOG_LEVEL_NOTICE, __VA_ARGS__)
#define log_warn(...)	log_line(LOG_LEVEL_WARN, __VA_ARGS__)
#define log_error(...)	log_line(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_alert(...)	log_line(LOG_LEVEL_ALERT, __VA_ARGS__)

#endif
