/* pair.h - a rig with one client and one backend, for tests that need no
 * more: their fixture, and its parts by short names. */
#ifndef LIB_PAIR_H
#define LIB_PAIR_H

#include "lib/rig.h"

extern struct rig rig;
extern struct rig_dial dial; /* its first address is the listener's */
extern int listener, client, server;

/* cmocka's setup and teardown of each test. */
int pair_start(void **state);
int pair_stop(void **state);
/* Starts the rig, whose chain ends with the dial, and opens a channel. */
void pair_join(void);

#endif
