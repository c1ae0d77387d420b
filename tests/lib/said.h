/* said.h - what weir says about the options of a middleware. */
#ifndef LIB_SAID_H
#define LIB_SAID_H

/* A server with this one middleware is refused, and want is among what is said;
 * empty: it is taken, and nothing is said. */
void said_of(const char *type, const char *options, const char *want);

#endif
