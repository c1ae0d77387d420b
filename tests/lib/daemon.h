/* daemon.h - a real weir in a temporary directory, for process tests. */
#ifndef LIB_DAEMON_H
#define LIB_DAEMON_H

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/mode.h"

#define DAEMON_MS      10000 /* the longest that anything may take */
#define DAEMON_WORKERS 64

struct daemon;

/* A test that starts daemons: what a failed one leaves is killed. */
#define daemon_test(f) cmocka_unit_test_setup_teardown(f, NULL, daemon_teardown)
int daemon_teardown(void **state);
/* The same in one mode (lib/mode.h), or in each. */
#define relay_mode_test(f, word) mode_test(f, word, mode_start, daemon_teardown)
#define relay_tests(f)		 mode_tests(f, mode_start, daemon_teardown)

/* Starts the binary that the environment calls WEIR (else ./weir) with this
 * configuration, and waits until it is ready.  Its working directory is a new
 * one, so files and unix sockets may have relative names; the environment has
 * no WEIR_... of ours.  Any failure fails the test and shows the log. */
struct daemon *
daemon_start(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* The parts of it: a directory without a weir; its configuration (weir.conf);
 * one more argument or "NAME=VALUE" for it (borrowed); the start. */
struct daemon *daemon_new(void);
void daemon_write(struct daemon *d, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void daemon_arg(struct daemon *d, const char *arg);
void daemon_env(struct daemon *d, const char *setting);
void daemon_launch(struct daemon *d);
/* Its workers need not look whether somebody has moved their clock, which costs
 * CPU time; nobody can, then.  Before the start. */
void daemon_keep_clock(struct daemon *d);
/* As daemon_launch(), for a weir that goes to the background: its caller must
 * exit with 0; its pid is read from the file pidfile. */
void daemon_launch_background(struct daemon *d, const char *pidfile);
/* The same without waiting for anything, and without a ready descriptor. */
void daemon_begin(struct daemon *d);
/* Runs run(ready_fd, arg) in a child in place of the binary. */
void
daemon_launch_function(struct daemon *d, int (*run)(int, void *), void *arg);
/* The same without waiting for anything, and without a ready descriptor. */
void daemon_fork_function(struct daemon *d, int (*run)(int, void *), void *arg);

/* Stops it with TERM and checks what every test must keep true: the workers'
 * descriptors are as many as after the start, exit status 0, no process left,
 * no file left that weir made, no [alert] but expected ones, nothing from a
 * sanitizer.  Removes the directory. */
void daemon_stop(struct daemon *d);
/* The same for one that was told to leave, or leaves by itself, with status. */
void daemon_finish(struct daemon *d, int status);
/* Kills the master alone (SIGKILL), waits for its workers to leave, each with
 * status 0; may be launched again after that. */
void daemon_kill_master(struct daemon *d);
/* Runs weir to its end with these arguments (ended by NULL) in the directory of
 * d; its exit status, and all that it said in *output (caller frees). */
int daemon_run(struct daemon *d, char **output, ...) __attribute__((sentinel));
/* Runs weir -s WORD; its exit status; what it says must have part. */
int daemon_say(struct daemon *d, const char *word, const char *part);
/* Starts a weir that must refuse with exit status 1 and leave nothing; what it
 * said, caller frees. */
char *
daemon_start_fails(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

pid_t daemon_pid(const struct daemon *d);
/* Directory of d. */
const char *daemon_dir(const struct daemon *d);
/* Path of a file in the directory of d; valid until the next call. */
const char *daemon_path(const struct daemon *d, const char *file);
/* Makes a file of the directory, or replaces what is in it. */
void daemon_put(struct daemon *d, const char *file, const char *text);
/* Port of the index-th address of that server. */
uint16_t daemon_port(struct daemon *d, const char *server, unsigned index);
/* The same address as text: "127.0.0.1:43121", "unix:pg.sock". */
const char *
daemon_address(struct daemon *d, const char *server, unsigned index);
/* Pids of the workers that live, without the keeper, oldest first; pids has
 * room for DAEMON_WORKERS; how many. */
size_t daemon_workers(struct daemon *d, pid_t *pids);
/* Pid of the worker that last became ready in that slot. */
pid_t daemon_worker(struct daemon *d, unsigned slot);
/* A channel of that server, which echoes, and has done so; caller closes. */
int daemon_join(struct daemon *d, const char *server);
void daemon_signal(struct daemon *d, int signo);
/* Waits until the log, behind what was waited for before, has text. */
void daemon_wait_log(struct daemon *d, const char *text, int ms);
/* Does the log have text anywhere? */
bool daemon_logged(struct daemon *d, const char *text);
/* How often the log has text. */
unsigned daemon_log_count(struct daemon *d, const char *text);
/* The log is this file of the directory, not stderr. */
void daemon_log_file(struct daemon *d, const char *file);
/* Lines with [alert] that have text are expected, and one must come. */
void daemon_expect_alert(struct daemon *d, const char *text);
/* Waits until each worker has as many descriptors as after the start. */
void daemon_fds_settle(struct daemon *d);
/* Lets workers have that many descriptors more at the end (pools). */
void daemon_fds_allow(struct daemon *d, int more);
/* Moves the clock of the workers ahead. */
void daemon_clock_advance(struct daemon *d, int64_t ms);
/* Kills the test program and its daemons when it lasts longer than that;
 * without a call: 120 s after the last daemon_new(). */
void daemon_watchdog(unsigned seconds);

#endif
