/* call.h - one callback of a middleware, and what it asked for. */
#ifndef ENGINE_CALL_H
#define ENGINE_CALL_H

#include "api/channel.h"

struct loop;

/* The call of stage i; the caller sets loop->calling while it runs. */
struct weir_call call_begin(struct weir_channel *ch, unsigned i);
/* Makes true what the callback that has just returned asked for.  dirs: bit of
 * the direction whose bytes it was shown, 0 for other callbacks. */
void call_commit(struct weir_channel *ch, unsigned i, unsigned dirs);
/* Leaves nothing that the next callback would seem to have asked for. */
void call_forget(struct loop *loop);
/* Stage i ended the channel by its verdict. */
void call_close(struct weir_channel *ch, unsigned i, enum weir_reason reason);
/* Stage i broke its contract: says so, and ends the channel. */
void call_breach(struct weir_channel *ch, unsigned i, const char *what);

#endif
