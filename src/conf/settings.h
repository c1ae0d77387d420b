/* settings.h - effective settings, for people. */
#ifndef CONF_SETTINGS_H
#define CONF_SETTINGS_H

#include <stdio.h>

struct conf;

/* -T: every effective setting with its default and where it was set. */
void settings_show(FILE *out, const struct conf *conf);

#endif
