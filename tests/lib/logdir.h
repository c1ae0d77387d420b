/* logdir.h - a directory of log files, and a weir that writes to them. */
#ifndef LIB_LOGDIR_H
#define LIB_LOGDIR_H

struct daemon;

#define LOGDIR_AGAIN "log files were opened again"

/* A test with a directory that outlives its daemons. */
#define logdir_test(f)                                                         \
	cmocka_unit_test_setup_teardown(f, logdir_setup, logdir_teardown)
int logdir_setup(void **state);
int logdir_teardown(void **state);
extern char logdir[64];

/* A path in it; valid until the fourth next call. */
const char *
logdir_at(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* All of a file, "" when there is none; the caller frees. */
char *logdir_read(const char *path);
/* How often a file has text. */
unsigned logdir_count(const char *path, const char *text);
/* Waits until it has. */
void logdir_wait(const char *path, const char *text);

/* The configuration of an echo server "e" whose log entry has these options;
 * the test launches it. */
struct daemon *logdir_daemon(unsigned workers, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* One connection that carries bytes, and its end. */
void logdir_visit(struct daemon *d, const char *text);
/* USR1, and that it has been heard. */
void logdir_reopen(struct daemon *d);

#endif
