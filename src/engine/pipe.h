/* pipe.h - pipes that splice(2) needs: a pool, bounded, of empty ones. */
#ifndef ENGINE_PIPE_H
#define ENGINE_PIPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PIPES_MOST 256 /* of a worker, that carry bytes at a time */

struct pipe {
	struct pipe *next;
	int from, to; /* pipe(2): what is written to "to" is read at "from" */
	size_t len;   /* bytes in it */
	size_t size;  /* that it takes at most (F_GETPIPE_SZ) */
};

struct pipes {
	struct pipe *empty;
	size_t kept;	   /* how many those are */
	size_t least;	   /* that there were since the last trim */
	size_t open;	   /* these, and those that carry bytes */
	size_t most;	   /* that may be open at a time; 0: none */
	uint64_t retry_ms; /* none is made before, as that failed */
};

/* An empty one, made if need be; NULL when none is to be had: whoever wanted
 * it copies.  End it with pipes_give(). */
struct pipe *pipes_take(struct pipes *ps);
/* Takes it back; closes it if it still has bytes. */
void pipes_give(struct pipes *ps, struct pipe *p);
/* Closes those that nobody has needed since the last call; true: there are
 * more. */
bool pipes_trim(struct pipes *ps);
/* Closes all that are empty. */
void pipes_done(struct pipes *ps);

#endif
