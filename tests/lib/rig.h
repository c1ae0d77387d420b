/* rig.h - one engine on a loop of its own, driven turn by turn, with real
 * sockets on the loopback as its clients and backends. */
#ifndef LIB_RIG_H
#define LIB_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "engine/channel.h"
#include "base/log.h"
#include "engine/call.h"
#include "engine/engine.h"

#define RIG_TURNS 2000 /* more than anything takes that comes at all */
#define RIG_QUIET 8    /* turns after which what has not come does not come */

struct event;

struct rig {
	struct loop loop;
	struct engine engine;
	struct conf_server server;
	struct conf_listen listen;
	struct conf_stage stages[CONF_STAGES_MAX];
	const struct observers *observers; /* NULL: nobody looks */
	const struct services *services;   /* NULL: no extensions */
	struct event *wake;
	int listener;		  /* of the clients */
	int front_sndbuf;	  /* of accepted sockets; 0: as it is */
	int client_rcvbuf;	  /* of clients; 0: as it is */
	unsigned opened;	  /* channels */
	bool alerts_wanted;	  /* rig_stop() wants one, else none */
	unsigned fds;		  /* open when it started */
	int log;		  /* what was logged */
	enum log_level log_least; /* from this level on */
};

/* What the last close callback was told, and how many there were. */
extern struct rig_ends {
	unsigned n;
	enum weir_reason reason;
	struct weir_facts facts;
} rig_ends;

/* A middleware that connects to the addresses in order: its conf. */
struct rig_dial {
	struct weir_addr to[4];
	unsigned n;
	struct weir_addr source;
	uint32_t timeout_ms;
};
extern const struct weir_middleware rig_dial;

/* Defaults of a server, in the mode that is set (lib/mode.h), no middlewares;
 * then change r->server, add stages. */
void rig_init(struct rig *r);
void rig_add(struct rig *r, const struct weir_middleware *mw, const void *conf);
/* Starts; a last stage notes in rig_ends how channels end. */
void rig_start(struct rig *r);
/* One of its middlewares cannot start, and the log says so. */
void rig_starts_not(struct rig *r, const char *said);
/* Resets what is left; asserts one close callback a channel, no alert in the
 * log and no descriptor left.  The test closes its own before.  A test that
 * failed may leave a rig as it is: that harms no later one. */
void rig_stop(struct rig *r);

/* One turn that does not wait. */
void rig_turn(struct rig *r);
/* As many turns as anything that comes takes. */
void rig_quiet(struct rig *r);
/* A turn that waits for an event, but not for long. */
void rig_turn_wait(struct rig *r);
/* Moves the clock, and lets the limits know. */
void rig_advance(struct rig *r, uint64_t ms);
/* Takes turns until it is true, or fails. */
#define rig_until(r, condition)                                                \
	do {                                                                   \
		int rig_left = RIG_TURNS;                                      \
		while (!(condition) && rig_left-- > 0)                         \
			rig_turn_wait(r);                                      \
		assert_true(condition);                                        \
	} while (0)

/* Opens a channel; its client, non-blocking. */
int rig_client(struct rig *r);
/* The same on a pair of unix sockets. */
int rig_client_unix(struct rig *r);
/* The channel that was opened last, NULL when it is freed. */
struct weir_channel *rig_channel(struct rig *r);
/* A listener on the loopback; at becomes its address. */
int rig_backend(struct weir_addr *at);
/* A port on the loopback where nobody listens. */
void rig_refusing(struct weir_addr *at);
/* Accepts what the engine connects; non-blocking. */
int rig_take(struct rig *r, int listener);
/* A client and its backend, joined through a rig that dials at listener. */
void rig_join(struct rig *r, int listener, int *client, int *server);

/* Sends all of it at once. */
void rig_send(int fd, const void *p, size_t n);
void rig_say(int fd, const char *text);
/* Exactly this text is next. */
void rig_hear(struct rig *r, int fd, const char *text);
/* What can be read at once, at most n bytes: -1 with errno. */
long rig_read(int fd, void *p, size_t n);
/* The end, or a reset, is next. */
void rig_hear_end(struct rig *r, int fd);
void rig_hear_reset(struct rig *r, int fd);
/* Nothing comes. */
void rig_hear_nothing(struct rig *r, int fd);
/* Closes by RST. */
void rig_reset(int *fd);
void rig_close(int *fd);
/* Does the log contain it? */
bool rig_logged(const struct rig *r, const char *text);
/* The first alert of the log, which says who broke which rule, or NULL;
 * borrowed until the next call. */
const char *rig_alert(const struct rig *r);

#endif
