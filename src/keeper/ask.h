/* ask.h - one question to workers, and what they answer until its time is up.
 */
#ifndef KEEPER_ASK_H
#define KEEPER_ASK_H

#include <sys/queue.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "base/link.h"

#define ASK_MS 1000 /* that workers have to answer */

/* How many questions there may be at a time, all together, for one more to go
 * out: fewer than a worker takes. */
#define ASKS_TCP    32 /* of somebody far away */
#define ASKS_MOST   48
#define ASKS_URGENT 56

struct event;
struct weir_keeper;
struct member;

/* What one worker owes. */
struct owed {
	TAILQ_ENTRY(owed) link;
	struct member *member; /* NULL: it is gone */
	uint32_t generation, slot;
	int32_t pid;
	bool known;    /* these are */
	bool answered; /* wholly */
	uint64_t answer_ms;
};

struct ask {
	TAILQ_ENTRY(ask) link;
	struct weir_keeper *keeper;
	uint32_t number;
	bool follows;  /* workers that come later are asked, too */
	bool queued;   /* not sent yet: others are under way */
	bool urgent;   /* goes to the workers before it ends in any case */
	unsigned most; /* under way at a time, for it to go */
	uint64_t since_ms;
	struct event *deadline;
	TAILQ_HEAD(, owed) owed;
	size_t waits; /* how many have not answered wholly */
	size_t size;
	void *question; /* of size bytes */
	/* A packet of n bytes; true: this worker has said all. */
	bool (*told)(struct ask *a, const struct owed *from,
		const struct link_head *p, size_t n);
	/* All have, or their time is up; may end it. */
	void (*over)(struct ask *a);
	void *arg;
};

TAILQ_HEAD(ask_head, ask);

/* What to ask of whom. */
struct ask_options {
	const void *question; /* begins with a struct link_head */
	size_t size;
	struct member *only; /* NULL: all that there are */
	uint32_t ms;	     /* until over() is called; 0: never */
	unsigned most;	     /* ASKS_...; 0: ASKS_MOST */
	bool (*told)(struct ask *, const struct owed *,
		const struct link_head *, size_t);
	void (*over)(struct ask *);
	void *arg;
};

/* Asks.  When too many are under way it waits until they are not, which its
 * time is running for already.  over() is called later, never from in here.
 * NULL with errno (EBUSY: too many, and it has no time to end).  End it with
 * ask_end(). */
struct ask *ask_begin(struct weir_keeper *k, const struct ask_options *o);
/* Tells the workers that nobody waits any more, and frees it. */
void ask_end(struct ask *a);
/* Those who have not answered, as the API shows them; NULL without memory. */
json_t *ask_silent(const struct ask *a);

/* For members: one has said something, is there, or is gone. */
void asks_told(
	struct weir_keeper *k, const struct member *m, const void *p, size_t n);
void asks_join(struct weir_keeper *k, struct member *m);
void asks_forget(struct weir_keeper *k, const struct member *m);
void asks_done(struct weir_keeper *k);

#endif
