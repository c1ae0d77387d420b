/* accept.h - taking connections from the listeners, a few a turn. */
#ifndef WORKER_ACCEPT_H
#define WORKER_ACCEPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/engine.h"
#include "engine/poller.h"

struct board;
struct board_line;
struct board_watch;
struct event;
struct heritage;

struct listener {
	struct poll_source source; /* first: the poller hands it back */
	struct acceptor *acceptor;
	struct engine *engine;
	int fd; /* -1: closed */
	uint16_t listen;
	uint16_t slot; /* whose it is, unless shared */
	bool shared;   /* with all other workers */
	bool ours;     /* shared, of this slot, or adopted */
	bool waits;    /* its server is paused: clients stay in the backlog */
	bool polled;   /* in the poller's set */
};

struct acceptor {
	struct loop *loop;
	const struct board *board; /* NULL: nobody to share with */
	struct board_line *line;   /* our own there */
	struct board_watch *watch; /* the others */
	size_t channels_most;	   /* accepting waits while there are so many */
	struct listener *listeners;
	size_t n;
	struct event *resume; /* ends a pause */
	struct event *back;   /* ends an absence */
	bool open;
	bool paused;	  /* no connection can be taken now */
	bool full;	  /* there are as many channels as there may be */
	bool away;	  /* from shared listeners: others have less to do */
	bool closed;	  /* as soon as nobody waits any more */
	uint64_t left_ms; /* until then, once, what they left is taken */
	uint64_t next_word_ms; /* when to complain again */
};

/* Knows all listeners of the heritage, accepts nothing yet; engines in order of
 * the servers.  No limit of channels is set.  -1 with errno. */
int acceptor_init(struct acceptor *a, struct loop *loop, struct engine *engines,
	const struct heritage *h);
/* Accepts from now on. */
void acceptor_open(struct acceptor *a);
/* After each turn: goes on when there is room again. */
void acceptor_turn(struct acceptor *a);
/* Accepts what was meant for that slot as well, or does so no more. */
void acceptor_adopt(struct acceptor *a, unsigned slot, bool adopt);
/* Lets the clients of that server wait in the backlog, or does so no more. */
void acceptor_hold(struct acceptor *a, const struct engine *e, bool hold);
/* Accepts what is queued, then closes all listeners: for a drain.  What cannot
 * be accepted for lack of descriptors is, when there are some again. */
void acceptor_close(struct acceptor *a);
/* Are all listeners closed? */
bool acceptor_is_closed(const struct acceptor *a);
void acceptor_done(struct acceptor *a);

#endif
