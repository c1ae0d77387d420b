/* echo.h - servers on the loopback that send back what they get, or do one
 * thing wrong; part of an epoll loop that also serves others. */
#ifndef LIB_ECHO_H
#define LIB_ECHO_H

#include <stdint.h>

/* X(id, what a connection with that fault sees of it) */
#define ECHO_FAULTS(X)                                                         \
	X(NONE, "no fault: all comes back")                                    \
	X(DROPS, "a reset for its first bytes")                                \
	X(RESETS, "half of its first bytes, then a reset")                     \
	X(CLOSES, "half of its first bytes, then FIN")                         \
	X(STALLS, "nothing")                                                   \
	X(GARBLES, "its bytes, but one of them is another")                    \
	X(CROSSES, "bytes that another connection has sent")                   \
	X(REPEATS, "its first bytes twice")                                    \
	X(HIDES, "nothing: nobody listens for while_ms after at_ms")

enum echo_fault {
#define X(id, text) ECHO_##id,
	ECHO_FAULTS(X)
#undef X
};

/* What happens when the descriptor is ready; first member of what it is. */
struct echo_wire {
	int fd;
	void (*ready)(struct echo_wire *w, uint32_t events);
};

struct echo {
	struct echo_wire wire; /* listens */
	uint16_t port;
	enum echo_fault fault; /* of each every-th connection; 0: of none */
	unsigned every;
	unsigned at_ms, while_ms;
	unsigned connections;
	uint64_t faults; /* done so far */
	int epoll;
	int64_t start_ms; /* of the loop */
};

/* Listens on a port of its own; fails the test if it cannot. */
void echo_listen(struct echo *e);
/* Serves from now on, in this epoll set, whose data are struct echo_wire. */
int echo_join(struct echo *e, int epoll, int64_t now_ms);
/* To be called every few milliseconds. */
void echo_tick(struct echo *e, int64_t now_ms);

#endif
