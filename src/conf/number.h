/* number.h - numbers of a file that libconfig would read as something else. */
#ifndef CONF_NUMBER_H
#define CONF_NUMBER_H

#include "base/arena.h"

/* Why word is no number that libconfig reads rightly, or NULL; the message
 * lives in the arena. */
const char *number_why(struct arena *a, const char *word);

#endif
