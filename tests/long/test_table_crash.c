/* test_table_crash.c - what tests/unit/test_table_crash.c does, 10,000 times.
 */
#define ROUNDS 10000

#include "unit/test_table_crash.c"
