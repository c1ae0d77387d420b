/* target.h - where log lines go: stderr, the syslog daemon or a file. */
#ifndef BASE_TARGET_H
#define BASE_TARGET_H

#include <sys/types.h>

#include <stddef.h>

enum target_kind { TARGET_STDERR, TARGET_SYSLOG, TARGET_FILE };

/* What "stderr", "syslog" or a path means. */
enum target_kind target_kind(const char *text);
/* Opens it to be appended to (open(2): O_APPEND, O_NOFOLLOW, O_NONBLOCK, mode
 * 0640); stderr is STDERR_FILENO itself, all else is the caller's to close.
 * -1 with errno. */
int target_open(const char *text);
/* What that errno of target_open(), for that target, means and asks for. */
const char *target_why(const char *text, int err);
/* Writes without waiting: how many bytes, or -1 with errno (EAGAIN: nothing can
 * be written now).  At most PIPE_BUF bytes to stderr; to syslog one message. */
ssize_t target_write(int fd, enum target_kind kind, const void *p, size_t n);

#endif
