/* equip.h - options of listening sockets that are there already. */
#ifndef MASTER_EQUIP_H
#define MASTER_EQUIP_H

#include <stddef.h>

struct listeners;

/* Would a socket with the options that the kept one i has so far take those
 * that it is to have?  0, or -1 with errno, and which one not in its info. */
int equip_try(struct listeners *ls, size_t i);
/* The kept socket i gets the options that it has now, one error for each that
 * it cannot have; the next configuration tries those again. */
void equip_kept(struct listeners *ls, size_t i);
/* The inherited socket i gets its options and loses all others, as far as it
 * takes that; a warning for each that it does not. */
void equip_inherited(struct listeners *ls, size_t i);

#endif
