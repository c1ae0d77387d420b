/* sink.h - whole lines on their way to one log file; nothing here ever waits.
 *
 * Lines are kept in a buffer and written together, whole ones in one write(2);
 * what the file does not take stays there and is tried again.  When it is full
 * new lines are dropped and counted, and the process log says so, at most once
 * a minute, and when lines can be written again.  Of a line that was written in
 * part, as a disk filled up, a reader finds the part on a line of its own, and
 * the whole line later. */
#ifndef BASE_SINK_H
#define BASE_SINK_H

#include <stddef.h>
#include <stdint.h>

#include "api/variable.h"

#define SINK_BUFFER   65536	    /* bytes of lines; written when half full */
#define SINK_LINE_MAX WEIR_LINE_MAX /* as it is written, without its end */
#define SINK_RETRY_MS 100 /* from a write that failed to the next one */
/* The same for syslog: a daemon's queue has room for a few lines only. */
#define SINK_SYSLOG_MS 10
#define SINK_WORD_MS   60000 /* how often lost lines are spoken of */

struct sink;

/* For what target_open() made of that target; both are borrowed.  NULL: no
 * memory. */
struct sink *sink_new(const char *target, int fd);
/* Writes what it can, says what is lost, frees. */
void sink_free(struct sink *s);
/* Adds a line of len bytes (without its end), which may wait so long, but not
 * for syslog; control characters are written as \xNN.  One longer than
 * SINK_LINE_MAX is cut and ends in "...", whatever the target is. */
void sink_line(struct sink *s, const char *line, size_t len, uint32_t wait_ms);
/* When sink_run() has something to do (clock_ms()); UINT64_MAX: nothing. */
uint64_t sink_due(const struct sink *s);
/* Does what is due by now. */
void sink_run(struct sink *s);
/* Writes what it can to the old file, then lets its descriptor be what fd is,
 * which is taken; 0, or -1 with errno: the old one stays. */
int sink_reopen(struct sink *s, int fd);

#endif
