/* workers.h - the worker processes: one slot each, kept filled. */
#ifndef MASTER_WORKERS_H
#define MASTER_WORKERS_H

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/msg.h"
#include "heritage.h"

struct board;
struct conf;
struct drop;
struct listeners;
struct logs;
struct tables;

#define WORKERS_BURST 5 /* starts of one slot in a second, at most */

enum worker_state {
	WORKER_NONE,	 /* no process; one is due at due_ms */
	WORKER_STARTING, /* forked, has not said READY; killed at due_ms */
	WORKER_READY,	 /* said READY */
	WORKER_GONE	 /* no process, and none will come */
};

struct worker {
	enum worker_state state;
	pid_t pid;	/* 0: no process */
	int control_fd; /* the master's end; -1: closed */
	uint64_t due_ms;
	unsigned failures; /* deaths before READY since the last READY */
	uint64_t starts[WORKERS_BURST]; /* ms, a ring */
	unsigned nstarts;
	const char *killed; /* why the master killed it, or NULL */
	size_t nreopened;   /* log files that it has again; of all: idle */
	bool reopen_again;  /* from the first on, when that is through */
	bool leaves;	    /* was told to drain by somebody else */
	uint64_t owner;	    /* of what it holds in shared memory; 0: none */
	pid_t linked;	    /* keeper that it was linked to; 0: none */
	uint64_t link_ms;   /* no link is made before that */
	bool admitted;	    /* a keeper: it was told to accept */
	unsigned adopter;   /* slot + 1 of who serves its sockets; 0: nobody */
	pid_t adopter_pid;
};

/* What a death means. */
enum workers_mode {
	WORKERS_FIRST,	/* that the start failed */
	WORKERS_KEPT,	/* that another is forked */
	WORKERS_LEAVING /* what was asked for */
};

struct workers {
	/* Set by the owner, who outlives this. */
	const struct conf *conf;
	const struct drop *drop;
	const struct listeners *listeners;
	const struct logs *logs;
	struct board *board;
	struct tables *tables;
	bool keeper; /* it is the keeper, the only one here */
	/* The keeper wants a socket to call the master by. */
	void (*called)(void *arg, struct worker *w);
	/* The link of the worker of that pid is lost: w, it or the keeper, says
	 * so. */
	void (*unlinked)(void *arg, const struct worker *w, pid_t pid);
	void (*run)(const struct heritage *);
	/* In the child: lets go of what is the master's, or of others. */
	void (*shed)(void *arg, const struct workers *own);
	void *shed_arg;

	unsigned generation;
	uint32_t needs; /* capabilities, bits of enum weir_needs */
	enum workers_mode mode;
	bool going;  /* who is ready may accept */
	bool failed; /* a worker died or hung in WORKERS_FIRST */
	bool once_ready;
	pid_t master_pid;
	unsigned n;
	struct worker *v;
};

/* Makes n empty slots, all due now; n = 0: one per CPU that this process may
 * use (sched_getaffinity(2)).  0, or -1 with errno.  End it with
 * workers_done(). */
int workers_init(struct workers *ws, int64_t n);
void workers_done(struct workers *ws);
/* Forks what is due and kills what took too long to start.  In a child it does
 * not return. */
void workers_turn(struct workers *ws, uint64_t now_ms);
/* When workers_turn() has something to do next; UINT64_MAX: nothing. */
uint64_t workers_next(const struct workers *ws);
/* Takes the messages of the worker that has that control socket; false: none
 * has. */
bool workers_hear(struct workers *ws, int fd);
/* Decides what becomes of the slot of a child that was reaped; false: it is
 * none of these. */
bool workers_reaped(struct workers *ws, pid_t pid, int status, uint64_t now_ms);
/* From here on who is ready accepts (the keeper: workers_admit()), and who dies
 * is replaced. */
void workers_go(struct workers *ws);
/* Whenever a slot gets or loses its worker: the sockets that are its own are
 * served by another one as long as it has none (adopt.c). */
void workers_cover(struct workers *ws);
/* Closes the master's ends of the control pairs: in a child of others. */
void workers_shed(struct workers *ws);
/* Links every worker that has no link to that keeper yet to it: each gets an
 * end of a pair of its own (links.c).  What fails is tried again a second
 * later.
 */
void workers_link(struct workers *ws, struct worker *keeper, uint64_t now_ms);
/* When there is something to link next; UINT64_MAX: nothing. */
uint64_t
workers_link_next(const struct workers *ws, const struct worker *keeper);
/* The link of the worker of that pid to that keeper (0: to any) is lost: it
 * gets another one a second later.  False: there is no such worker. */
bool
workers_unlink(struct workers *ws, pid_t pid, pid_t keeper, uint64_t now_ms);
/* Lets the keeper accept, if it may: after its links, so that whoever asks it
 * is told of all workers. */
void workers_admit(struct workers *keepers, uint64_t now_ms);
/* When that is tried again; UINT64_MAX: it need not be. */
uint64_t workers_admit_next(const struct workers *keepers);
/* Its name in the log: "worker 3", or "keeper". */
#define WORKER_NAME 24
const char *
worker_name(const struct workers *ws, unsigned slot, char text[WORKER_NAME]);
/* Sends every worker the log files, which were opened again: one after the
 * other, as it answers, so that one that does not costs nothing. */
void workers_reopen(struct workers *ws);
/* From here on deaths are expected and nothing is forked; tells every worker.
 * Those that are not ready are killed, unless it is MSG_STOP: they have no
 * channels to finish. */
void workers_leave(struct workers *ws, enum msg_type type, uint32_t arg);
/* Kills every worker that is left (SIGKILL); why completes "was killed: it". */
void workers_kill(struct workers *ws, const char *why);
/* How many slots are in that state. */
unsigned workers_count(const struct workers *ws, enum worker_state state);
/* How many slots have a process. */
unsigned workers_alive(const struct workers *ws);

#endif
