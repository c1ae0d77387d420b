/* callers.h - those who call the master over its control socket. */
#ifndef MASTER_CALLERS_H
#define MASTER_CALLERS_H

#include <sys/types.h>

#include <poll.h>

#include "api/channel.h"
#include "master/caller.h"
#include "master/sockfile.h"

#define CALLERS_MAX 16		      /* at once; one more is told "busy" */
#define CALLERS_FDS (CALLERS_MAX + 1) /* descriptors, at most */
#define CALLERS_WHY 256		      /* bytes that any reason takes */

struct callers {
	/* Somebody has said that word.  Answer with caller_say() and
	 * caller_end(), now or when callers_end() ends all who wait. */
	void (*told)(void *arg, struct caller *c, enum caller_word word);
	void *arg;
	uid_t uid; /* who may call, beside root */
	int fd;	   /* listening; -1: not open */
	struct weir_addr address;
	struct sockfile file;
	uint64_t now_ms;
	uint64_t pause_ms; /* accepts nobody before that */
	struct caller v[CALLERS_MAX];
};

/* Makes it an empty one, which all others may be called with; cs must not move
 * from here on. */
void callers_init(struct callers *cs,
	void (*told)(void *, struct caller *, enum caller_word), void *arg);
/* Listens on PIDFILE.ctl, for this user and root alone (mode 0600, SO_PEERCRED
 * of unix(7)); what a dead master left there is replaced.  0, or -1 with the
 * reason in why.  Hold the lock on the pidfile. */
int callers_open(
	struct callers *cs, const char *pidfile, char why[static CALLERS_WHY]);
/* Tells those who wait that weir ends, unlinks its own file, closes. */
void callers_close(struct callers *cs);
/* One more, which is the keeper; fd is its end's other one and is taken.  Only
 * what harms no traffic is done for it. */
void callers_keep(struct callers *cs, int fd);
/* In a child: closes all, unlinks nothing. */
void callers_shed(struct callers *cs);

/* What to wait for, at most CALLERS_FDS; how many. */
size_t callers_fds(const struct callers *cs, struct pollfd *pfds);
/* Hears and sends, after poll(2) filled revents; accepts; calls told. */
void callers_read(struct callers *cs, const struct pollfd *pfds, size_t n,
	uint64_t now_ms);
/* When callers_turn() has something to do; UINT64_MAX: never. */
uint64_t callers_next(const struct callers *cs);
/* Drops whoever neither said its word nor read for CALLER_MS. */
void callers_turn(struct callers *cs, uint64_t now_ms);

/* Does anybody wait for a run of word that has not begun? */
bool callers_waiting(const struct callers *cs, enum caller_word word);
/* A run begins: its outcome is for all who wait for word now. */
void callers_begin(struct callers *cs, enum caller_word word);
/* caller_text(), caller_say() and caller_end() for all of that run. */
void callers_text(struct callers *cs, enum caller_word word,
	enum caller_kind kind, const char *text);
void
callers_say(struct callers *cs, enum caller_word word, enum caller_kind kind,
	const char *fmt, ...) __attribute__((format(printf, 4, 5)));
void callers_end(struct callers *cs, enum caller_word word, int code,
	const char *fmt, ...) __attribute__((format(printf, 4, 5)));

#endif
