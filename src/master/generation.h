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
	struct board board;
	uint64_t left_ms; /* when it was told to drain; UINT64_MAX: not yet */
	uint64_t deadline_ms; /* its workers are killed then; UINT64_MAX: no */
	bool stopped; /* its channels were reset, it should be gone soon */
};

TAILQ_HEAD(generations, generation);

#define GENERATION_TEXT 128

/* A generation of conf (which is freed with it, if owned; else borrowed) that
 * has nothing open and no process; NULL with errno, conf is the caller's still.
 */
struct generation *
generation_new(unsigned number, struct conf *conf, bool owned);
/* Closes and frees; nothing of it runs any more. */
void generation_free(struct generation *g);
/* How many descriptors the master has open for it, or will have once it is
 * prepared: one a worker, a listener and a log file. */
size_t generation_files(const struct generation *g);
/* Opens its log files again, and sends them to its workers. */
void generation_reopen(struct generation *g);
/* In a child: closes what it has open, which is another's. */
void generation_shed(struct generation *g);
/* One line of figures, for log, status and title: its workers, their channels,
 * and how old the oldest is; now_ms is CLOCK_MONOTONIC. */
void generation_text(const struct generation *g, uint64_t now_ms,
	char text[GENERATION_TEXT]);

#endif
