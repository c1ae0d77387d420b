/* generation.h - one configuration that was loaded, and all that runs it. */
#ifndef MASTER_GENERATION_H
#define MASTER_GENERATION_H

#include <sys/queue.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/board.h"
#include "master/listeners.h"
#include "master/logs.h"
#include "master/tables.h"
#include "master/workers.h"

struct conf;

struct generation {
	TAILQ_ENTRY(generation) link;
	unsigned number;
	struct conf *conf; /* ours, if owned */
	bool owned;
	struct listeners listeners;
	struct logs logs;
	struct workers workers;
	struct workers keeper; /* one, or none */
	struct tables tables;
	struct board board;
	uint64_t left_ms;   /* when it was told to drain; UINT64_MAX: not yet */
	uint64_t keeper_ms; /* its keeper is killed then; UINT64_MAX: no */
	uint64_t deadline_ms; /* its workers are killed then; UINT64_MAX: no */
	bool stopped; /* its channels were reset, it should be gone soon */
};

TAILQ_HEAD(generations, generation);

/* What its children run, and what they let go of; called and unlinked: see
 * workers.h. */
struct generation_runs {
	void (*worker)(const struct heritage *);
	void (*keeper)(const struct heritage *);
	void (*shed)(void *arg, const struct workers *own);
	void (*called)(void *arg, struct worker *w);
	void (*unlinked)(void *arg, const struct worker *w, pid_t pid);
};

#define GENERATION_TEXT 128

/* A generation of conf (which is freed with it, if owned; else borrowed) that
 * has nothing open and no process; NULL with errno, conf is the caller's still.
 */
struct generation *
generation_new(unsigned number, struct conf *conf, bool owned);
/* Closes and frees; nothing of it runs any more. */
void generation_free(struct generation *g);
/* Takes its tables in shm, which is made if there is none; 0, or -1, logged. */
int generation_share(struct generation *g, struct shm *shm);
/* Who its processes are (master.c's options), all alike. */
void generation_staff(struct generation *g, const struct drop *drop,
	const struct generation_runs *runs, void *arg);
/* These do as workers_NAME(), for workers and keeper. */
void generation_turn(struct generation *g, uint64_t now_ms);
uint64_t generation_next(const struct generation *g);
bool generation_hear(struct generation *g, int fd);
bool
generation_reaped(struct generation *g, pid_t pid, int status, uint64_t now_ms);
void generation_go(struct generation *g);
void generation_leave(struct generation *g, enum msg_type type, uint32_t arg);
void generation_kill(struct generation *g, const char *why);
unsigned generation_alive(const struct generation *g);
bool generation_failed(const struct generation *g);
/* Have all said READY? */
bool generation_is_ready(const struct generation *g);
/* Tells its keeper to leave, and kills it when it does not in time. */
void generation_retire_keeper(struct generation *g, uint64_t now_ms);
/* How many descriptors the master has open for it, or will have once it is
 * prepared: one a worker, a listener and a log file. */
size_t generation_files(const struct generation *g);
/* Opens its log files again, and sends them to its workers. */
void generation_reopen(struct generation *g);
/* In a child: closes what it has open, which is another's; what own is part of
 * keeps its listeners and log files. */
void generation_shed(struct generation *g, const struct workers *own);
/* One line of figures, for log, status and title: its workers, their channels,
 * and how old the oldest is; now_ms is CLOCK_MONOTONIC. */
void generation_text(const struct generation *g, uint64_t now_ms,
	char text[GENERATION_TEXT]);

#endif
