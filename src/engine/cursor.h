/* cursor.h - a place among the channels of a worker, which may be freed
 * meanwhile. */
#ifndef ENGINE_CURSOR_H
#define ENGINE_CURSOR_H

#include <sys/queue.h>

#include <stdint.h>

struct engine;
struct loop;
struct weir_channel;

struct cursor {
	LIST_ENTRY(cursor) link; /* of the loop */
	struct loop *loop;	 /* NULL: not begun */
	struct engine *engine;	 /* NULL: at the end */
	struct weir_channel *at; /* whom cursor_next() tells */
	uint64_t last_id;	 /* who comes later is not told */
	uint32_t nengine;	 /* number of the engine, from 0 on */
};

/* Begins with the oldest channel of the first engine. */
void cursor_begin(struct cursor *c, struct loop *loop);
/* The next one, each engine's in the order of their ids; NULL: there are no
 * more. */
struct weir_channel *cursor_next(struct cursor *c);
void cursor_end(struct cursor *c);
/* That channel is freed. */
void cursors_forget(struct weir_channel *ch);

#endif
