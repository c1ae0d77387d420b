/* test_shared_faults.c - what tests/process/test_shared_faults.c does, with
 * 1,000 deaths of each kind. */
#define KILLS	     1000
#define ROUNDS	     20
#define WATCHDOG_SEC 3600

#include "process/test_shared_faults.c"
