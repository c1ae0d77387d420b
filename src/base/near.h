/* near.h - the known word that was probably meant. */
#ifndef BASE_NEAR_H
#define BASE_NEAR_H

#include <stddef.h>

/* Starts as { .word = what was written }. */
struct near {
	const char *word;
	const char *best; /* NULL: nothing is near */
	size_t distance;
};

/* Takes candidate when it is nearer than all before (edit distance, at most a
 * third of the word); borrowed. */
void near_try(struct near *n, const char *candidate);

#endif
