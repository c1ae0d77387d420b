/* share.h - several sockets at one address, one for each worker. */
#ifndef MASTER_SHARE_H
#define MASTER_SHARE_H

#include <stddef.h>

struct listeners;

/* Lets others be bound at the address of listener i (SO_REUSEPORT of
 * socket(7)), and notes it if none could before; 0, or -1 with errno. */
int share_open(struct listeners *ls, size_t i);
/* Lets it be again what it was before share_open(). */
void share_shut(struct listeners *ls, size_t i);
/* There can be no more than there are at the address of head, which is why:
 * workers share those, and what is not bound there is listed no more.  Warns.
 */
void share_end(struct listeners *ls, size_t head, const char *why);

#endif
