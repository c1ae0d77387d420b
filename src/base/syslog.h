/* syslog.h - the syslog daemon of this machine: datagrams that never block. */
#ifndef BASE_SYSLOG_H
#define BASE_SYSLOG_H

#include <sys/types.h>

#include <stddef.h>

#define SYSLOG_HEAD 64 /* bytes that a head takes at most */

/* A socket connected to the daemon (syslog(3) may block for ever); -1 with
 * errno.  The caller closes it. */
int syslog_open(void);
/* Writes what a message begins with (RFC 3164, 4.1): "<30>Nov 22 17:00:00
 * weir[12]: "; its length.  priority: 0 emergency to 7 debug. */
size_t syslog_head(char head[static SYSLOG_HEAD], int priority);
/* Sends one message of n bytes; when the daemon was restarted, to the new one,
 * by the same descriptor.  n, or -1 with errno (EAGAIN: it does not read). */
ssize_t syslog_send(int fd, const void *p, size_t n);
/* Where the daemon listens. */
const char *syslog_path(void);
/* Takes another path than /dev/log (borrowed): tests set WEIR_TEST_SYSLOG. */
void syslog_attach(const char *path);

#endif
