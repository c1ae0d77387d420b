/* connect.h - reaching a backend. */
#ifndef ENGINE_CONNECT_H
#define ENGINE_CONNECT_H

#include <stdint.h>

#include "api/channel.h"

/* What a callback asked for, until it has returned. */
struct dial {
	struct weir_addr to;
	struct weir_addr source;
	uint32_t timeout_ms;
	bool asked;
	bool race; /* client bytes may still decide otherwise */
	bool serve;
};

/* Starts to connect as asked by a stage; the outcome comes with the run. */
void
connect_start(struct weir_channel *ch, const struct dial *dial, unsigned stage);
/* Looks how far a connect is; may join the channel, or try another address. */
void connect_run(struct weir_channel *ch);
/* While nobody has spoken: who does first decides whether this backend is it;
 * a connect that fails leaves all to the client. */
void connect_race(struct weir_channel *ch);
/* The connect under way is over, with err 0 or an errno. */
void connect_finish(struct weir_channel *ch, int err);

#endif
