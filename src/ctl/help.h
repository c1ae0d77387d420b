/* help.h - what the tables of commands and options say. */
#ifndef CTL_HELP_H
#define CTL_HELP_H

#include <stdio.h>

#include "ctl/command.h"

/* Writes how weirctl is used; of one command, or (NULL) of all. */
void help_show(FILE *f, const struct command *command);
/* The lists of weirctl(1), as mdoc(7). */
void help_man(FILE *f);

#endif
