/* test_keeper_faults.c - what tests/process/test_keeper_faults.c does, with 100
 * deaths. */
#define KILLS	     100
#define CALM	     5000
#define WATCHDOG_SEC 600

#include "process/test_keeper_faults.c"
