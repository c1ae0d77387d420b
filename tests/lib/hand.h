/* hand.h - the hand that moves the clock of other processes. */
#ifndef LIB_HAND_H
#define LIB_HAND_H

#include <stdint.h>

/* Makes the file that clock_attach() takes; NULL with errno. */
int64_t *hand_open(const char *path);
/* Whoever is attached is ms further from now on. */
void hand_move(int64_t *hand, int64_t ms);
void hand_close(int64_t *hand);

#endif
