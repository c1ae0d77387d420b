/* test_shared_starts.c - what tests/process/test_shared_starts.c does, with 200
 * starts. */
#define STARTS	     200
#define WATCHDOG_SEC 600

#include "process/test_shared_starts.c"
