/* crowd.h - clients and servers at both ends of a relay, who send and read as
 * chance has it, half-close, leave with bytes unread, reset; each byte names
 * its connection (lib/tag.h), and comes in its place or not at all. */
#ifndef LIB_CROWD_H
#define LIB_CROWD_H

#include <stdint.h>

struct crowd {
	uint16_t port;	    /* of the relay */
	int backend;	    /* listens, non-blocking; where it connects to */
	unsigned channels;  /* in all */
	unsigned bytes_log; /* 2 to the power of: what an end sends at most */
};

/* Runs them all to their ends.  Fails when a byte is not that of its own
 * channel, when a channel loses bytes, or its end, that nobody has broken, and
 * when nothing moves for 2 s.  Says its seed; CHAOS_SEED in the environment
 * repeats what chance has chosen. */
void crowd_run(const struct crowd *crowd);

#endif
