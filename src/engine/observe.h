/* observe.h - extensions that look at all channels of this process. */
#ifndef ENGINE_OBSERVE_H
#define ENGINE_OBSERVE_H

#include <stddef.h>
#include <stdint.h>

#include "api/extension.h"
#include "api/observer.h"

struct conf_server;
struct engine;
struct loop;

/* One of them, and where a channel has its bytes. */
struct observation {
	struct weir_service *service;
	/* That of its observer, or NULL: asked for at each callback. */
	void (*called)(struct weir_service *s, const struct weir_seen *seen,
		const struct weir_called *called);
	size_t own_off;
};

struct observers {
	struct observation *v;
	unsigned n;
	const struct conf_server *servers; /* those of the plan */
	size_t size;			   /* of what each channel has */
	bool times;			   /* somebody wants callbacks timed */
};

/* Those of n services that observe (one without a type is absent); servers: all
 * of the configuration, of which the engines are.  -1 with ENOMEM.  End with
 * observers_done(). */
int observers_init(struct observers *o, struct weir_service *services, size_t n,
	const struct conf_server *servers);
void observers_done(struct observers *o);

/* Asks them where bytes and events of this engine are counted. */
void observe_engine(struct engine *e);

/* The rest is for channels of a loop that is observed. */

void observe_opened(struct weir_channel *ch);
/* A connect begins. */
void observe_dial(struct weir_channel *ch);
/* It has ended, with errno or 0. */
void observe_connected(struct weir_channel *ch, int err);
/* The backend's first bytes were read. */
void observe_answered(struct weir_channel *ch);
void observe_closed(struct weir_channel *ch);
/* A callback begins, and returns; shown: bytes. */
void observe_enter(struct loop *loop);
void observe_leave(const struct weir_call *c);

#endif
