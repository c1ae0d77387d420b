/* splice.h - bytes of a flow that nobody looks at, past us: splice(2). */
#ifndef ENGINE_SPLICE_H
#define ENGINE_SPLICE_H

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>

#include "api/channel.h"

/* For tests: of what may be spliced or copied, a lot decides each time. */
extern bool splice_dices;

/* Are the next bytes of this direction to be spliced: may they, and is it worth
 * while? */
bool splice_is_due(struct weir_channel *ch, enum weir_dir dir);
/* Moves what the source has, and a pipe takes, to one that is the flow's from
 * then on: how many bytes, 0 when none (who reads then sees why), -1 with errno
 * (EAGAIN: the socket is empty). */
ssize_t splice_read(struct weir_channel *ch, enum weir_dir dir);
/* Moves what is in the pipe of the flow to the sink: how many bytes, or -1 with
 * errno (EAGAIN: the socket is full); an empty pipe goes back to its pool. */
ssize_t splice_write(struct weir_channel *ch, enum weir_dir dir);
/* A read that copied has brought n bytes. */
void splice_watch(struct weir_channel *ch, enum weir_dir dir, size_t n);
/* Gives the pipe back, and the bytes in it are lost. */
void splice_drop(struct weir_channel *ch, enum weir_dir dir);

#endif
