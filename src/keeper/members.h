/* members.h - the keeper's ends of its pairs with workers, of all generations.
 */
#ifndef KEEPER_MEMBERS_H
#define KEEPER_MEMBERS_H

#include <sys/queue.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/link.h"

struct ask;
struct event;
struct weir_keeper;
struct letter;

struct member {
	TAILQ_ENTRY(member) link;
	struct weir_keeper *keeper;
	int fd;
	struct event *reads, *writes;
	bool full;  /* too much waits for it: its link ends */
	bool known; /* it has said hello: what follows is true */
	uint32_t generation, slot;
	int32_t pid;		      /* from the master; 0: not known yet */
	TAILQ_HEAD(, letter) letters; /* that wait for room */
	unsigned nletters;
};

TAILQ_HEAD(member_head, member);

/* A worker's pair, which is taken in any case; pid: its, or 0.  When it is lost
 * (fd -1: that is at once) the master makes another one. */
void members_add(struct weir_keeper *k, int fd, int32_t pid);
void members_done(struct weir_keeper *k);
/* Sends a packet, at once or later; -1 with errno: never. */
int member_send(struct member *m, const void *p, size_t n);
/* The one that has said so; NULL: there is none. */
struct member *
members_find(const struct weir_keeper *k, uint32_t generation, uint32_t slot);

#endif
