/* pair.h - a rig with one client and one backend, for tests that need no
 * more: their fixture, and its parts by short names. */
#ifndef LIB_PAIR_H
#define LIB_PAIR_H

#include "lib/mode.h"
#include "lib/rig.h"

extern struct rig rig;
extern struct rig_dial dial; /* its first address is the listener's */
extern int listener, client, server;

/* cmocka's setup and teardown of each test. */
int pair_start(void **state);
int pair_stop(void **state);
/* A test in one mode, or in each. */
#define pair_mode_test(f, word) mode_test(f, word, pair_start, pair_stop)
#define pair_tests(f)		mode_tests(f, pair_start, pair_stop)
/* Starts the rig, whose chain ends with the dial, and opens a channel. */
void pair_join(void);
/* That direction of the channel that was opened last. */
struct flow *pair_flow(enum weir_dir dir);
/* Carries bytes offset to offset + n of the stream (lib/stream.h) from one of
 * the sockets to the other, or fails. */
void pair_carry(int from, int to, uint64_t offset, uint64_t n);

#endif
