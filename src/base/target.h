/* target.h - where log lines go: stderr, the syslog daemon or a file. */
#ifndef BASE_TARGET_H
#define BASE_TARGET_H

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>

enum target_kind { TARGET_STDERR, TARGET_SYSLOG, TARGET_FILE };

/* What "stderr", "syslog" or a path means. */
enum target_kind target_kind(const char *text);
/* Opens it to be appended to (open(2): O_APPEND, O_NOFOLLOW, O_NONBLOCK, mode
 * 0640), and a plain file to be read too, where that is allowed; stderr is
 * STDERR_FILENO itself, all else is the caller's to close.  -1 with errno. */
int target_open(const char *text);
/* Would target_open() do?  Nothing is made or changed; 0, or -1 with its errno.
 */
int target_check(const char *text);
/* What that errno of target_open() or target_check(), for that target, means
 * and asks for. */
const char *target_why(const char *text, int err);
/* Writes n bytes of whole lines (to syslog: one message, which has no end)
 * without waiting.  How many bytes of lines that are whole there now: less than
 * n, also 0, when a line went only in part, which sets *torn; or -1 with errno
 * (EAGAIN: nothing can be written now).  After a part of a line one byte goes
 * ahead, an end of line, so that the part stands on a line of its own: after
 * *torn, or in a file that can be read after what anybody left there.  With
 * that byte at most PIPE_BUF to stderr. */
ssize_t target_lines(
	int fd, enum target_kind kind, bool *torn, const char *p, size_t n);

#endif
