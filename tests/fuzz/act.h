/* act.h - stages that do at each callback what a script of bytes says. */
#ifndef FUZZ_ACT_H
#define FUZZ_ACT_H

#include "lib/rig.h"

#define ACT_TOKEN 0x80 /* emitted bytes have this bit, and: */
#define ACT_STAGE 0x60 /* who emitted it */
#define ACT_COUNT 0x1f /* its number */
#define ACT_FLOOD 3000 /* most bytes at once */
#define ACT_WOKEN 7    /* result of the waits that are woken */

/* The script, and what has come of it in this channel. */
extern struct act {
	const uint8_t *p, *end;
	bool may_breach;
	size_t lost[2];	       /* by direction: bytes that were dropped */
	size_t lost_tokens[2]; /* and emitted ones */
	bool cut[2];	       /* somebody has ended it */
	bool breached;
} act;

/* Both do the same; first has to see client bytes before a route is taken. */
extern const struct weir_middleware act_any, act_first;

/* Starts a script, in a process that knows no ticket. */
void act_start(const uint8_t *p, size_t n);
/* A channel begins: nothing has come of it. */
void act_begin(void);
/* The next number below n of the script; 0 behind its end. */
unsigned act_take(unsigned n);
/* Ends one of the waits, or all of them. */
void act_wake(unsigned i);
void act_wake_all(void);

#endif
