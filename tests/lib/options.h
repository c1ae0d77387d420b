/* options.h - options of sockets, as the kernel says them. */
#ifndef LIB_OPTIONS_H
#define LIB_OPTIONS_H

#include <stdbool.h>

struct sockopts;

/* Value of an option that is an int (getsockopt(2)). */
int option_of(int fd, int level, int name);
/* Adds each option that any connection may have, with a value that none has by
 * itself. */
void options_add(struct sockopts *o);
/* Fails unless fd has all of these values; or, not set, none of them. */
void options_expect(int fd, bool set);

#endif
