/* call.h - one callback of a middleware, and what it asked for. */
#ifndef ENGINE_CALL_H
#define ENGINE_CALL_H

#include <stdbool.h>

#include "api/channel.h"
#include "engine/wait.h"

struct loop;

/* In debug builds a held call that has acted ends the process, else only its
 * channel.  Tests may want the latter. */
extern bool call_aborts;

/* The call of stage i; the callback runs between enter and leave: then the
 * context of its stage may be touched, else it may not (ASan). */
struct weir_call
call_begin(struct weir_channel *ch, unsigned i, enum hook hook);
void call_enter(struct weir_call *c);
void call_leave(struct weir_call *c);
/* The context of this call's stage may be touched until call_leave(). */
void call_unlock(const struct weir_call *c);
/* Nobody may touch any context of the channel, or everybody may. */
void call_lock_all(struct weir_channel *ch);
void call_unlock_all(struct weir_channel *ch);
/* Makes true what the callback that has just returned asked for.  dirs: bit of
 * the direction whose bytes it was shown, 0 for other callbacks. */
unsigned call_commit(struct weir_channel *ch, unsigned i, unsigned dirs);
/* Shows the stage what others have answered to that meanwhile: once what it has
 * judged has gone on. */
void call_hear(struct weir_channel *ch, unsigned i, unsigned answered);
/* Leaves nothing that the next callback would seem to have asked for. */
void call_forget(struct loop *loop);
/* Has the callback done what a held one may not?  Says so, as a breach. */
bool call_has_acted(struct weir_channel *ch, unsigned i);
/* Stage i ended the channel by its verdict. */
void call_close(struct weir_channel *ch, unsigned i, struct weir_verdict v);
/* Applies the verdict of a callback that is shown no bytes: pass(0) or close.
 */
void call_judge(struct weir_channel *ch, unsigned i, struct weir_verdict v);
/* Stage i asks to wait; returns false when it may not, or cannot. */
bool
call_wait(struct weir_channel *ch, unsigned i, enum hook hook, uint32_t ms);
/* Stage i broke its contract: says so, and ends the channel.  what is borrowed
 * for ever: a literal, which logs show as the detail. */
void call_breach(struct weir_channel *ch, unsigned i, const char *what);

#endif
