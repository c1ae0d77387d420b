/* dial.h - a socket that connects, with options and a source address. */
#ifndef ENGINE_DIAL_H
#define ENGINE_DIAL_H

#include <stdbool.h>

#include "api/channel.h"
#include "base/sockopt.h"

struct dial;

/* What could not be done for a connect that failed at once. */
struct fault {
	struct weir_addr source; /* len 0: the kernel's choice */
	enum sockopt_id option;	 /* which could not be set */
	bool binding;		 /* the source could not be bound */
	bool mismatch;		 /* the client's is of another family */
};

/* A socket that connects (connect(2)) from the source that was asked for, or
 * from one of the server's; the caller's to close.  -1 with errno and *fault
 * when that failed at once. */
int dial_open(const struct weir_channel *ch, const struct dial *dial,
	struct fault *fault);
/* May bytes go with the first packet (TCP_FASTOPEN_CONNECT, tcp(7))?  Then the
 * socket can be written before it is connected. */
bool dial_is_fast(const struct weir_channel *ch);
/* Is it something of our own that failed, not the peer or the net? */
bool fault_is_ours(const struct fault *fault, int err);
/* What failed, for people: borrowed, or in text. */
const char *
fault_why(const struct fault *fault, int err, char text[static SOCKOPT_WHY]);

#endif
