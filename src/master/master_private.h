/* master_private.h - what the parts of the master share. */
#ifndef MASTER_MASTER_PRIVATE_H
#define MASTER_MASTER_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "master/callers.h"
#include "master/drop.h"
#include "master/generation.h"
#include "master/home.h"
#include "master/notify.h"
#include "master/reload.h"
#include "shm/shm.h"

struct activation;
struct conf;
struct pidfh;
struct pollfd;

#define MASTER_BIND_MS	500  /* for those who leave to let go of a port */
#define MASTER_RETRY_MS 20   /* between two tries */
#define MASTER_STOP_MS	2000 /* from MSG_STOP to SIGKILL */
#define MASTER_KEEPER_MS                                                       \
	5000		       /* that a keeper has when the workers are gone  \
				*/
#define MASTER_GONE_MS	 1000  /* in which who has no channels should be gone */
#define MASTER_MARGIN_MS 1000  /* from the end of close_wait to SIGKILL */
#define MASTER_PULSE_MS	 60000 /* between two looks at the figures */
/* Descriptors besides one a worker, a listener and a log file: stdio, pidfile,
 * who waits for the start, a socket pair in the making; in a worker epoll
 * sets; and the control socket with its callers. */
#define MASTER_FDS (15 + CALLERS_FDS)

/* id, word, what is true in it. */
#define MASTER_STATES(X)                                                       \
	/* No child yet; pidfile, log or an address is missing. */             \
	X(BIND, "waiting for its addresses")                                   \
	/* All bound, workers forked, not all have said READY. */              \
	X(START, "starting")                                                   \
	/* The start was announced; dead workers are replaced. */              \
	X(RUN, "serving")                                                      \
	/* All workers were told to drain, sockets stay: until a reload. */    \
	X(DRAIN, "draining")                                                   \
	/* Listeners closed, workers let their channels finish. */             \
	X(QUIT, "finishing")                                                   \
	/* Listeners closed, workers were told to leave now. */                \
	X(STOP, "stopping")                                                    \
	/* No child left. */                                                   \
	X(DONE, "done")

enum master_state {
#define X(id, word) MASTER_##id,
	MASTER_STATES(X)
#undef X
};

struct master {
	const struct conf *conf; /* of the first generation */
	enum master_state state;
	int status;	 /* exit status */
	uint64_t now_ms; /* real time: tests move the workers' clock only */
	uint64_t deadline_ms; /* of the state; UINT64_MAX: none */
	uint64_t retry_ms;
	struct pidfh *pidfile;
	bool prepared; /* the logs are open, the user known */
	int ready_fd;
	int status_fd; /* to whoever started a daemon */
	struct drop drop;
	struct shm shm; /* made when a generation wants it first */
	struct home home;
	struct generations all; /* the present one first, then older ones */
	struct generation *present;
	unsigned last_number; /* of a generation, prepared or not */
	unsigned gone;	      /* how many generations are */
	unsigned swept;	      /* of both, when tables were given back last */
	struct reload reload;
	bool last_told; /* keepers may leave */
	bool reload_wanted;
	bool drain_wanted;
	uint64_t pulse_ms; /* when figures are logged next */
	struct callers callers;
	struct notify notify;
	struct activation *activation;
	struct pollfd *pfds;
	size_t npfds;	  /* room for so many */
	bool poll_failed; /* and it was said */
};

/* The only place where the state changes. */
void master_enter(struct master *m, enum master_state state);
/* Milliseconds of CLOCK_MONOTONIC. */
uint64_t master_now(void);

/* Sleeps until a signal, a message or the next deadline, and hears it
 * (watch.c). */
void master_wait(struct master *m);

/* Begins the reload that is wanted, goes on with the one that is begun
 * (succession.c). */
void master_reload(struct master *m);
/* Frees generations of which nothing runs any more, ends those that take too
 * long, and the oldest when there are too many. */
void master_retire(struct master *m);
/* Does anybody serve, or is to? */
bool master_may_drain(const struct master *m);
/* Begins to drain what serves now, unless a reload is under way; those who have
 * called for it are told. */
void master_drain(struct master *m);
/* Links the present keeper to every worker that it has no link to, then lets it
 * accept. */
void master_link(struct master *m);
/* When that is to be tried again; UINT64_MAX: not at all. */
uint64_t master_link_next(const struct master *m);
/* A worker, or the keeper, says that the worker of that pid has no link. */
void master_unlinked(void *arg, const struct worker *w, pid_t pid);
/* How many children there are: workers of all generations, and what a reload
 * that failed has not reaped yet. */
unsigned master_alive(const struct master *m);
/* Says what is listened on and that weir is ready, and lets the caller go. */
void master_announce(struct master *m);

/* Once a minute: the title, and while weir serves or drains a line for what is
 * not as it should be or will not stay: generations that drain, channels that
 * are spread unevenly (pulse.c). */
void master_pulse(struct master *m);
/* Puts the generations and their channels into the process title. */
void master_title(const struct master *m);

/* The keeper wants to call: it gets a socket for it (asked.c). */
void master_called(void *arg, struct worker *w);
/* Told of a word over the control socket (asked.c). */
void master_told(void *arg, struct caller *c, enum caller_word word);
/* Lines of the log while a reload runs: its callers hear them, too. */
void master_told_more(void *arg, const char *text);
/* The outcome of the reload, to those who wait for it. */
void master_outcome(struct master *m, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif
