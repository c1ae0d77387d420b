/* load.h - a load on listeners of the loopback, from a child process that has
 * the clients and their echo servers, counts what becomes of each, and stops by
 * itself. */
#ifndef LIB_LOAD_H
#define LIB_LOAD_H

#include <sys/types.h>

#include <stdbool.h>
#include <stdint.h>

#include "lib/echo.h"

#define LOAD_PORTS    4
#define LOAD_FAILURES 16 /* of which more than their number is known */
#define LOAD_TEXT     160
#define LOAD_TIMES    256 /* classes of how long requests took */
#define LOAD_PACE     20  /* a second: from there on a gap says something */
#ifdef WEIR_DEBUG
#define LOAD_GAP_MS 2000 /* nobody is to wait for that long */
#else
#define LOAD_GAP_MS 1000
#endif

/* X(id, word, what happened to a connection) */
#define LOAD_KINDS(X)                                                          \
	X(REFUSED, "refused", "connect(2) failed: nobody listened")            \
	X(UNSERVED, "unserved",                                                \
		"connected; a reset before any byte came back")                \
	X(RESET, "reset", "a reset after bytes had come back")                 \
	X(SHORT, "short", "FIN before all was echoed, or while it was held")   \
	X(WRONG, "wrong", "a byte that it had not sent, or sent only once")    \
	X(LATE, "late", "a request took longer than late_ms")                  \
	X(OPEN, "open", "did not end when it was to, at the stop")             \
	X(OWN, "own", "our own trouble: no descriptor, no port")

enum load_kind {
#define X(id, word, text) LOAD_##id,
	LOAD_KINDS(X)
#undef X
		LOAD_KINDS_N
};

/* X(id, word, its life) */
#define LOAD_SORTS(X)                                                          \
	X(BRIEF, "brief", "connect, one request, end")                         \
	X(KEPT, "kept", "one connection with many requests, up to the stop")   \
	X(IDLE, "idle", "a request at the start, silence, one at the stop")

enum load_sort {
#define X(id, word, text) LOAD_##id,
	LOAD_SORTS(X)
#undef X
		LOAD_SORTS_N
};

/* What runs; 0 is none of it, but where another default is given. */
struct load_plan {
	uint16_t ports[LOAD_PORTS]; /* taken in turn, up to the first 0 */
	unsigned seconds;	    /* it stops by itself after: 60 */
	unsigned connections[LOAD_SORTS_N]; /* open at once; BRIEF: at most */
	unsigned brief_rate; /* connections a second; 0: as fast as it goes */
	unsigned kept_rate;  /* requests a second of all; 0: the same */
	unsigned bytes_min, bytes_max; /* of a request: 8 to 4096 */
	unsigned late_ms;	       /* 5000 */
};

struct load_failure {
	enum load_kind kind;
	enum load_sort sort;
	unsigned at_ms; /* after the start */
	uint32_t id;	/* of the connection */
	int err;
	char text[LOAD_TEXT]; /* where it was, and more of what happened */
};

struct load_result {
	unsigned asked[LOAD_SORTS_N]; /* connections of the plan */
	bool connects, requests;      /* of the plan, LOAD_PACE at least */
	uint64_t connected;
	uint64_t ok[LOAD_SORTS_N]; /* requests that came back right, in time;
				    * BRIEF: with FIN after them */
	uint64_t failed[LOAD_SORTS_N][LOAD_KINDS_N];
	unsigned standing[2];	    /* KEPT and IDLE that have been answered */
	unsigned unbroken;	    /* IDLE that lived from start to stop */
	uint64_t connect_gap_us;    /* longest from one success to the next, */
	uint64_t request_gap_us;    /* start and stop being such, too */
	uint64_t slowest_us;	    /* of the requests that were ok */
	uint64_t times[LOAD_TIMES]; /* of those, by load_time() */
	uint64_t faults;	    /* that its echo servers were to do */
	uint64_t took_ms, cpu_ms;
	uint64_t turns; /* of its loop, after which it had seen all there was */
	unsigned nfailures;
	struct load_failure failures[LOAD_FAILURES];
};

struct load;

struct load *load_new(void);
/* One more echo server; its port.  A fault may be NULL. */
uint16_t load_echo(struct load *l, const struct echo *fault);
/* Forks; returns when it runs. */
void load_start(struct load *l, const struct load_plan *plan);
/* Waits until all that has happened so far is counted, and all KEPT and IDLE
 * connections, or their successors, have been answered. */
void load_settle(struct load *l);
/* Waits until n more requests have been answered. */
void load_await(struct load *l, uint64_t n);
/* Figures so far, of a load that goes on. */
const struct load_result *load_look(const struct load *l);
/* Lets requests end, and KEPT and IDLE connections prove that they live; waits
 * for that, and frees l. */
void load_stop(struct load *l, struct load_result *r);
/* The same, but when its seconds are over. */
void load_end(struct load *l, struct load_result *r);

/* Is that process a load that runs? */
bool load_is(pid_t pid);

/* All failures of that kind, or of all kinds: LOAD_KINDS_N. */
uint64_t load_failed(const struct load_result *r, enum load_kind kind);
/* All requests that were ok. */
uint64_t load_ok(const struct load_result *r);
/* The class of such a time: 8 for each power of 2. */
unsigned load_time(uint64_t us);
/* So many in a thousand of the requests since before (NULL: the start) took no
 * longer than this, in microseconds, up to an eighth; 0: there were none. */
uint64_t load_took_us(const struct load_result *r,
	const struct load_result *before, unsigned per_mille);
/* Writes the figures as TAP comments, with a label; then the first failures. */
void load_say(const struct load_result *r, const char *label);
/* What is wrong, with the first failures, unless there was none, each sort that
 * was asked for had success, all idle ones are unbroken, and no gap lasted
 * LOAD_GAP_MS: then NULL.  Caller frees. */
char *load_complaint(const struct load_result *r);
/* Fails the test if there is a complaint. */
void load_check(const struct load_result *r);

#endif
