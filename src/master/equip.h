/* equip.h - options of listening sockets that are there already. */
#ifndef MASTER_EQUIP_H
#define MASTER_EQUIP_H

#include <stddef.h>

struct listeners;

/* Would a socket take the options that the kept one i is to have?  0, or -1
 * with errno, and which one not in its info. */
int equip_try(struct listeners *ls, size_t i);
/* The kept socket i gets the options that it has now. */
void equip_kept(struct listeners *ls, size_t i, const struct listeners *older);
/* The inherited socket i gets its options, as far as it takes them; a warning
 * says when it does not. */
void equip_inherited(struct listeners *ls, size_t i);

#endif
