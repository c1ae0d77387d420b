/* id.h - names of channels: GENERATION.SLOT.NUMBER, as 2.0.17. */
#ifndef CTL_ID_H
#define CTL_ID_H

#include <stdbool.h>

/* Is text one? */
bool id_fits(const char *text);

#endif
