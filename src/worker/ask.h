/* ask.h - one question of a keeper, while it is answered in slices. */
#ifndef WORKER_ASK_H
#define WORKER_ASK_H

#include <sys/queue.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/link.h"

#define ASK_LOOKS 256 /* channels looked at in a slice */
#define ASK_ROWS  20  /* of these told of: more can be felt by who waits */

struct acceptor;
struct ask;
struct heritage;
struct link;
struct links;
struct loop;

/* What is sent next. */
struct packet {
	size_t len;
	union {
		struct link_head head;
		struct link_done done;
		struct link_rows rows;
		struct link_events events;
		struct link_figures figures;
		struct link_hello hello;
		uint8_t bytes[LINK_PACKET];
	};
};

enum ask_turn {
	ASK_GOES_ON, /* wants another turn soon */
	ASK_SLEEPS,  /* says itself when, with link_wake() */
	ASK_IS_DONE  /* and can be freed */
};

struct ask {
	TAILQ_ENTRY(ask) next; /* of the link, in the order of their turns */
	struct link *link;
	struct loop *loop;
	uint32_t number;
	bool sleeps;
	/* A slice: fills the packet or leaves it empty. */
	enum ask_turn (*turn)(struct ask *a, struct packet *out);
	/* Frees the whole. */
	void (*end)(struct ask *a);
};

/* Gives it another turn, which may be called from anywhere. */
void ask_wake(struct ask *a);
/* Fills the packet with the last word. */
void
ask_say(const struct ask *a, struct packet *out, int err, uint32_t channels);

/* Questions about all channels, those of one network, or one.  NULL with
 * ENOMEM; link, loop and number are for the caller to fill in. */
struct ask *listing_new(const struct link_list *q, const struct heritage *h);
struct ask *killing_new(const struct link_name *q);
/* About the sockets of servers. */
struct ask *listening_new(const struct acceptor *acceptor);
struct ask *tracing_new(const struct link_trace *q, struct loop *loop);

#endif
