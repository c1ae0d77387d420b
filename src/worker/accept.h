/* accept.h - taking connections from the listeners, a few a turn. */
#ifndef WORKER_ACCEPT_H
#define WORKER_ACCEPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/engine.h"
#include "engine/poller.h"

struct event;
struct heritage;

struct listener {
	struct poll_source source; /* first: the poller hands it back */
	struct acceptor *acceptor;
	struct engine *engine;
	int fd; /* -1: closed */
	uint16_t listen;
};

struct acceptor {
	struct loop *loop;
	struct listener *listeners;
	size_t n;
	struct event *resume; /* ends a pause */
	bool paused;	      /* no connection can be taken now */
	bool open;
	uint64_t next_word_ms; /* when to complain again */
};

/* Knows all listeners of the heritage, accepts nothing yet; engines in order of
 * the servers.  -1 with errno. */
int acceptor_init(struct acceptor *a, struct loop *loop, struct engine *engines,
	const struct heritage *h);
/* Accepts from now on. */
void acceptor_open(struct acceptor *a);
/* Accepts what is queued, then closes all listeners: for a drain. */
void acceptor_close(struct acceptor *a);
void acceptor_done(struct acceptor *a);

#endif
