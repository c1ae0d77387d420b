/* complete.h - what may stand next on a command line, for shells. */
#ifndef CTL_COMPLETE_H
#define CTL_COMPLETE_H

/* How a shell asks: weirctl --complete WORD..., the last one is unfinished. */
#define COMPLETE_WORD "--complete"

/* Writes the words that the last one can become, one a line; names of what runs
 * are asked of the API, which may be silent.  CTL_FINE. */
int complete_run(int n, char *const *words);

#endif
