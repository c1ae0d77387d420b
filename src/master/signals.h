/* signals.h - the signals of the master: one table for sigaction and -s. */
#ifndef MASTER_SIGNALS_H
#define MASTER_SIGNALS_H

#include <signal.h>
#include <stdbool.h>

/* number, "weir -s" word or NULL, is it built, what it does */
#define SIGNALS(X)                                                             \
	X(TERM, "stop", true, "resets every channel and stops")                \
	X(INT, NULL, true, "as TERM")                                          \
	X(QUIT, "quit", true,                                                  \
		"stops accepting, gives channels close_wait to finish, stops") \
	X(HUP, "reload", true, "reads the configuration again")                \
	X(USR1, "reopen", true, "opens the log files again")                   \
	X(USR2, "upgrade", false, "hands over to a new binary")                \
	X(WINCH, "drain", true,                                                \
		"lets the workers finish and stays, until a reload")           \
	X(CHLD, NULL, true, "a worker died")

struct signal_row {
	int signo;
	const char *name; /* "TERM" */
	const char *word; /* "stop" */
	bool built;
	const char *help;
};

/* Ends with a row whose name is NULL. */
extern const struct signal_row signals_rows[];

/* Before all that takes time: what can wait until signals_open(), and would be
 * deadly before it, is blocked (HUP, USR1, USR2). */
void signals_hold(void);
/* Blocks the signals of the table and catches them; ignores what a write that
 * fails may send (SIGPIPE, SIGXFSZ). */
void signals_open(void);
/* In a child: nothing caught.  What a whole process group or a careless pkill
 * gets (INT, HUP, USR1, USR2) is ignored.  TERM and QUIT stay blocked: the
 * child lets them through once it can do what they ask for. */
void signals_child(void);
/* In a child that has nothing to do before it ends: lets TERM and QUIT end
 * it. */
void signals_through(void);
/* In a process that goes on without a loop: all as it was before. */
void signals_close(void);
/* The mask to wait with in ppoll(2): all of the table let through. */
const sigset_t *signals_mask(void);
/* Has this signal come since it was last asked for?  A WINCH that is of the
 * kernel does not count (si_code of sigaction(2)): a terminal was resized. */
bool signals_take(int signo);
/* The row of that word, or NULL. */
const struct signal_row *signals_find(const char *word);

#endif
