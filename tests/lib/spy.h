/* spy.h - the variables of a middleware, as they are when its channel closes.
 */
#ifndef LIB_SPY_H
#define LIB_SPY_H

#include "api/middleware.h"

/* The middleware, but its variables are noted at every close; one at a time. */
const struct weir_middleware *spy_on(const struct weir_middleware *mw);
/* What was noted last: "-" when there is no value.  Borrowed until then. */
const char *spy_text(const char *name);

#endif
