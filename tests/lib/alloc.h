/* alloc.h - makes one allocation fail; for programs linked with WRAP_ALLOC. */
#ifndef LIB_ALLOC_H
#define LIB_ALLOC_H

#include <stdbool.h>

/* From now on the nth allocation of weir's own code fails, once; 0: none. */
void alloc_fail_at(unsigned nth);
/* Has it failed since?  Then, or not, no later one will. */
bool alloc_failed(void);

#endif
