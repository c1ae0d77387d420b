/* test_keeper_many.c - what tests/process/test_keeper_many.c does, with 10,000
 * channels. */
#define CHANNELS     9990
#define KEYS	     9999
#define WATCHDOG_SEC 600

#include "process/test_keeper_many.c"
