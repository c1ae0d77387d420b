/* channel.h - what a middleware may ask of, and do to, its channel. */
#ifndef WEIR_CHANNEL_H
#define WEIR_CHANNEL_H

#include <sys/socket.h>
#include <sys/un.h>
#include <netinet/in.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "verdict.h"

struct weir_channel;

/* Direction of bytes: up = frontend to backend, down = backend to frontend. */
enum weir_dir { WEIR_UP, WEIR_DOWN };

/* Which end of the channel, or nobody but weir itself. */
enum weir_side { WEIR_FRONTEND, WEIR_BACKEND, WEIR_SELF };

/* An IPv4, IPv6 or unix stream address; len 0 means none. */
struct weir_addr {
	socklen_t len;
	union {
		struct sockaddr sa;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
		struct sockaddr_un un;
	};
};

#define WEIR_ADDR_TEXT 128 /* bytes that any address takes as text */

/* Contiguous, valid during the call only; eof: nothing will ever follow.  p is
 * never NULL. */
struct weir_bytes {
	const uint8_t *p;
	size_t len;
	bool eof;
};

struct weir_call {
	struct weir_channel *ch;
	const void *conf; /* your conf_size bytes, read-only, shared */
	/* your ctx_size bytes, zeroed when the channel opens; NULL: of none */
	void *ctx;
	void *state; /* your state_size bytes of this worker, from its start */
	int result;  /* of the wait that is over; else 0 */
	uint16_t stage, hook; /* the engine's own */
};

/* Names one wait, and may outlive its channel. */
struct weir_ticket {
	void *loop; /* all are the engine's own */
	uint32_t slot, age, serial;
};

/* How to reach a backend; a zero field means the server's own setting. */
struct weir_dial {
	const struct weir_addr *source; /* local address, or NULL */
	uint32_t timeout_ms;
};

/* What is known of a channel; all pointers are borrowed until it is freed. */
struct weir_facts {
	uint64_t id;
	const char *server;
	const char *listen;	 /* as configured */
	struct weir_addr client; /* peer of the frontend */
	struct weir_addr target; /* chosen backend; len 0: none */
	uint64_t up_bytes;	 /* read from the frontend */
	uint64_t down_bytes;	 /* written to the frontend */
	uint64_t age_ms;
	enum weir_reason reason; /* WEIR_R_NONE while open */
	enum weir_side ended_by;
	int err;	    /* errno of the first failure, or 0 */
	const char *detail; /* time limit, weir_why(), or rule broken; NULL */
	const char *module; /* middleware that ended it, or NULL */
	uint64_t ended_ms;  /* age at its first end; 0 while open */
	bool awaited;	    /* client bytes are, before a backend is chosen */
};

/* Sends bytes ahead of the ones being judged: they enter the chain after this
 * middleware in that direction.  Copies; failure closes the channel. */
void weir_emit(struct weir_call *c, enum weir_dir dir, const void *p, size_t n);
/* Ends that direction after what was emitted, the judged bytes included only
 * if they have passed before: what comes from its source later is read and
 * dropped.  A second end does nothing. */
void weir_end(struct weir_call *c, enum weir_dir dir);
/* Chooses the backend; .connected tells the outcome.  Copies the address.
 * how may be NULL.  From route, from up before that, and from connected
 * after a failure.  From timer while client bytes are waited for: a race, which
 * the first side to speak decides. */
void weir_connect(struct weir_call *c, const struct weir_addr *to,
	const struct weir_dial *how);
/* Answers the channel here, without a backend.  From route, and from up before
 * that. */
void weir_serve(struct weir_call *c);
/* Says that the backend may be chosen, as far as this middleware cares, though
 * it waits for more bytes itself. */
void weir_ready(struct weir_call *c);
/* Takes back a detach: later bytes of that direction are shown again. */
void weir_attach(struct weir_call *c, enum weir_dir dir);
/* A ticket for the wait that this up, down, open or close is going to return;
 * it may be woken at once. */
struct weir_ticket weir_ticket(const struct weir_call *c);
/* Ends the wait that the ticket was made for, if it lasts still: the first one
 * counts.  Only queues, so it may be called from anywhere in the worker. */
void weir_wake(struct weir_ticket ticket, int result);
/* Calls .timer once, so many ms from now; each middleware has one timer in a
 * channel, which a later call moves, and 0 stops.  It comes later when what
 * timers have emitted cannot be written. */
void weir_timer(struct weir_call *c, uint32_t ms);
/* Tells .signal of every middleware of every channel that this server has in
 * this worker, soon.  The name is borrowed for ever: a literal of your own. */
void weir_signal(struct weir_call *c, const char *event);
/* Why the verdict that follows ends the channel: a literal for the log. */
void weir_why(struct weir_call *c, const char *text);
/* Adds n to the counter at that place of the middleware's .counters, for this
 * entry of the chain; the extension stats shows it as
 * weir_middleware_events_total.  Without that extension it does nothing. */
void weir_count(const struct weir_call *c, unsigned index, uint64_t n);
/* Address of our end of that side's connection, or of its peer's; len 0 when
 * there is none. */
void
weir_local(const struct weir_call *c, enum weir_side side, struct weir_addr *a);
void
weir_peer(const struct weir_call *c, enum weir_side side, struct weir_addr *a);
/* Fills what is known of the channel now. */
void weir_facts(const struct weir_call *c, struct weir_facts *facts);
/* Address as "127.0.0.1:80", "[::1]:80" or "unix:/path"; returns text. */
const char *
weir_addr_text(const struct weir_addr *a, char text[static WEIR_ADDR_TEXT]);
/* Is it TCP with port 0, which nothing can be reached at? */
bool weir_addr_lacks_port(const struct weir_addr *a);
/* Is its port a low one, which only a process with CAP_NET_BIND_SERVICE may
 * bind (ip_unprivileged_port_start of ip(7))? */
bool weir_addr_is_low(const struct weir_addr *a);
/* One line at level info, with server, middleware and channel in front. */
void weir_log(const struct weir_call *c, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#endif
