/* describe.h - option tables and effective settings, for people. */
#ifndef CONF_DESCRIBE_H
#define CONF_DESCRIBE_H

#include <stdio.h>

struct conf;

/* -T: every effective setting with its default and where it was set. */
void describe_settings(FILE *out, const struct conf *conf);
/* --modules: every middleware with its options. */
void describe_modules(FILE *out);
/* --man: the option sections of weir.conf(5), as mdoc. */
void describe_man(FILE *out);

#endif
