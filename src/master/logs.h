/* logs.h - the log files, opened by the master for every process. */
#ifndef MASTER_LOGS_H
#define MASTER_LOGS_H

#include <stdbool.h>
#include <stddef.h>

struct conf;

struct logs {
	const struct conf *conf;
	int *fds;   /* in order of its logfiles; -1: not open */
	bool *made; /* the same: was there no such file before? */
	size_t n;
};

/* Opens every log file of conf; 0, or -1 with the reason logged.  End it with
 * logs_done(). */
int logs_open(struct logs *l, const struct conf *conf);
/* Lets this process write its own log to that of conf, at its level; 0, or -1
 * with the reason logged. */
int logs_use(const struct logs *l);
/* Would logs_open() open them all?  Nothing is made or changed; 0, or -1 with
 * every reason logged. */
int logs_check(const struct conf *conf);
/* Says which of them nobody will see in the background. */
void logs_warn(const struct logs *l);
/* Opens each anew, in the place of the old one; where that fails the old one
 * stays, and the reason is logged.  The log of this process is still the old
 * one: logs_use(). */
void logs_reopen(struct logs *l);
/* Closes, and removes the files that it made in vain: those that are empty. */
void logs_undo(struct logs *l);
/* The log of this process stays open. */
void logs_done(struct logs *l);

#endif
