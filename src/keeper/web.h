/* web.h - HTTP on the sockets of the API: who is let in, how many, how long. */
#ifndef KEEPER_WEB_H
#define KEEPER_WEB_H

#include <sys/queue.h>
#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct event;
struct evhttp;
struct evhttp_bound_socket;
struct evhttp_request;
struct weir_keeper;
struct weir_request;

#define WEB_CONNECTIONS 256	/* at a time, 3 of 4 over TCP; others wait */
#define WEB_LEAST	8	/* likewise, where few files may be open */
#define WEB_SPARE_FILES 16	/* that are open besides */
#define WEB_HEADERS	16384	/* bytes of a request line and headers */
#define WEB_BODY	1048576 /* bytes */
#define WEB_UNREAD	8388608 /* bytes of answers, before long ones wait */
#define WEB_IDLE_MS	10000	/* without a whole request */
#define WEB_REQUEST_MS	90000	/* until it is answered */
#define WEB_READ_MS	20000	/* that a client has to read an answer... */
#define WEB_READ_RATE	64	/* ...and one more for so many bytes */

/* What a connection may do. */
enum web_level {
	WEB_NOTHING, /* who it is cannot be told */
	WEB_READS,
	WEB_OPERATES
};

struct conn;

/* Sockets of one kind. */
struct side {
	struct web *web;
	struct evhttp *http;
	size_t nconns, most;
	bool full;
};

struct web_socket {
	struct side *side;
	struct evhttp_bound_socket *bound;
};

struct web {
	struct weir_keeper *keeper;
	struct side tcp, local; /* local: unix sockets */
	uid_t *operators;
	size_t noperators;
	struct web_socket *sockets;
	size_t nsockets;
	TAILQ_HEAD(, conn) conns;	     /* oldest first */
	size_t nconns;			     /* of both sides */
	TAILQ_HEAD(, weir_request) requests; /* that are not answered yet */
	struct event *tick;
	uint64_t due_ms;   /* when that comes next */
	bool open;	   /* accepts, if there is room */
	bool scant;	   /* there are too few descriptors */
	uint64_t pause_ms; /* until then nobody is accepted */
	uint64_t word_ms;  /* when that may be said again */
};

/* Knows the sockets of the heritage, accepts nobody yet; -1 with errno. */
int web_init(struct web *w, struct weir_keeper *k);
void web_done(struct web *w);
void web_open(struct web *w);
/* Accepts nobody any more, ends streams. */
void web_close(struct web *w);
/* Is all answered, and all that was said sent? */
bool web_is_quiet(const struct web *w);
/* Bytes of answers that clients have not read yet. */
size_t web_unread(const struct web *w);
/* What whoever sent it may do: nothing over TCP with a token that is not ours;
 * who that is, in words.
 */
enum web_level web_level(struct web *w, struct evhttp_request *req,
	bool *unix_peer, char *who, size_t size);
/* Looks up who may operate, once: their names may be far away.  -1 with errno.
 */
int web_name_operators(struct web *w);
/* It gets an answer of n bytes, not in pieces. */
void web_answers(struct web *w, struct evhttp_request *req, size_t n);
/* Its connection is asked for another request. */
void web_answered(struct web *w, struct evhttp_request *req);

#endif
