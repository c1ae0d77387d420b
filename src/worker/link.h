/* link.h - the worker's ends of its pairs with keepers: they ask, it answers in
 * slices, and waits for none of them. */
#ifndef WORKER_LINK_H
#define WORKER_LINK_H

#include <sys/queue.h>

#include <stdbool.h>
#include <stddef.h>

struct acceptor;
struct engine;
struct heritage;
struct link;
struct loop;

struct links {
	LIST_HEAD(, link) all;
	unsigned n;
	struct loop *loop;
	const struct heritage *heritage;
	struct acceptor *acceptor;
	struct engine *engines; /* in order of the servers */
	size_t nengines;
};

/* None yet.  Lets the clients of servers that are paused wait. */
void links_init(struct links *ls, struct loop *loop, const struct heritage *h,
	struct acceptor *acceptor, struct engine *engines, size_t nengines);
void links_done(struct links *ls);
/* Lets the clients of paused servers wait, and no others: as it is now. */
void links_look(struct links *ls);
/* A keeper's pair, which is taken in any case: says hello, looks once more who
 * is paused, and answers from now on. */
void links_add(struct links *ls, int fd);

#endif
