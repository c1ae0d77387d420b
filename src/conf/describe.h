/* describe.h - modules and option tables, for people. */
#ifndef CONF_DESCRIBE_H
#define CONF_DESCRIBE_H

#include <stdio.h>

/* --modules: every middleware with its options, variables, callbacks and an
 * example. */
void describe_modules(FILE *out);
/* --man: the option sections of weir.conf(5), as mdoc. */
void describe_man(FILE *out);

#endif
