/* traces.h - what a weir that has ended left in its directory. */
#ifndef LIB_TRACES_H
#define LIB_TRACES_H

#include <stddef.h>

#define TRACES_WHY 2048

/* Looks at every file of dir: a unix socket or a pidfile that stayed, lines
 * with [alert] but those that have one of the expected texts, an expected text
 * that never came, output of a sanitizer.  NULL, or what is wrong in why. */
const char *traces_find(const char *dir, const char *const *alerts,
	size_t nalerts, char why[static TRACES_WHY]);
/* Prints every text file of dir on stderr. */
void traces_show(const char *dir);
/* Removes dir and its files. */
void traces_remove(const char *dir);

#endif
