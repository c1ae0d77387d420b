/* conn.h - one connection of the API, from its first to its last moment: of
 * evhttp, which does not tell when that is. */
#ifndef KEEPER_CONN_H
#define KEEPER_CONN_H

#include <sys/queue.h>

#include <stdbool.h>
#include <stdint.h>

struct bufferevent;
struct evbuffer_cb_entry;
struct side;

struct conn {
	TAILQ_ENTRY(conn) link; /* of the web's */
	struct side *side;
	/* A reference: its socket stays open until we let it go, and so its
	 * number is nobody else's while libevent has events of it. */
	struct bufferevent *bev;
	struct evbuffer_cb_entry *watch;
	uint64_t since_ms; /* a whole request is waited for; 0: it is here */
	uint64_t
		sent_ms; /* the answer must be read by then; 0: there is none */
	bool mends;	 /* an answer of evhttp is made one of ours */
};

/* One that comes, with a reference to its bufferevent; NULL without memory. */
struct conn *conn_new(struct bufferevent *bev, struct side *side);
/* Has evhttp freed it? */
bool conn_is_over(const struct conn *c);
/* Once evhttp has. */
void conn_free(struct conn *c);
/* Closes it as if its other side had. */
void conn_end(struct conn *c);

#endif
