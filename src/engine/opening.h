/* opening.h - the first moments of a channel, until its backend is chosen. */
#ifndef ENGINE_OPENING_H
#define ENGINE_OPENING_H

struct dial;
struct weir_channel;

/* Opens who needs no client bytes for it; then the route comes, or the preread
 * before it. */
void opening_open(struct weir_channel *ch);
/* Opens the others and chooses a backend, once client bytes have been seen. */
void opening_route(struct weir_channel *ch);
/* A stage has chosen a backend, or to serve; the first one wins.  Put off until
 * all middlewares are opened. */
void opening_choose(
	struct weir_channel *ch, const struct dial *dial, unsigned stage);

#endif
