/* closing.h - the last moments of a channel whose reason is fixed. */
#ifndef ENGINE_CLOSING_H
#define ENGINE_CLOSING_H

struct weir_channel;

/* Writes, waits or drops as its ending asks; kills it when there is nothing
 * left to wait for. */
void closing_run(struct weir_channel *ch);

#endif
