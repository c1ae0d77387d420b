/* stats.h - what the extension stats counts, and how it is shown. */
#ifndef STATS_H
#define STATS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "weir.h"

/* Upper bounds of the buckets of all times: microseconds, seconds as text. */
#define BUCKETS(X)                                                             \
	X(100, "0.0001")                                                       \
	X(300, "0.0003")                                                       \
	X(1000, "0.001")                                                       \
	X(3000, "0.003")                                                       \
	X(10000, "0.01")                                                       \
	X(30000, "0.03")                                                       \
	X(100000, "0.1")                                                       \
	X(300000, "0.3")                                                       \
	X(1000000, "1.0")                                                      \
	X(3000000, "3.0")                                                      \
	X(10000000, "10.0")                                                    \
	X(30000000, "30.0")                                                    \
	X(100000000, "100.0")                                                  \
	X(300000000, "300.0")                                                  \
	X(1000000000, "1000.0")                                                \
	X(3000000000, "3000.0")                                                \
	X(10000000000, "10000.0")                                              \
	X(UINT64_MAX, "+Inf")

#define X(us, text) +1
enum { TIME_BUCKETS = 0 BUCKETS(X) };
#undef X

/* A histogram: how often, by bucket, and all of them together. */
struct times {
	uint64_t buckets[TIME_BUCKETS];
	uint64_t sum_us;
};

/* Figures of a server: of its series, in that order, as is all that follows. */
struct server_figures {
	uint64_t accepted;
	uint64_t copied[2], spliced[2], sent[2]; /* struct weir_moved */
	uint64_t ended[WEIR_R_COUNT];
	struct times session, connect, first_byte;
};

/* Of a middleware in the chain of a server. */
struct stage_figures {
	uint64_t calls, bytes, ns;
};

/* Of a backend. */
#define BACKEND_TEXT 16 /* figures that hold its address */
struct backend_figures {
	uint64_t text[BACKEND_TEXT]; /* WEIR_ADDR_TEXT bytes */
	uint64_t used;		     /* the text is whole */
	uint64_t connects, failures, bytes[2];
	uint64_t connect_us; /* of all connects together */
};
_Static_assert(BACKEND_TEXT * 8 == WEIR_ADDR_TEXT, "an address fits");

/* Where a process counts them. */
#define cell_of(cells, type, member)                                           \
	(&(cells)[offsetof(struct type, member) / sizeof(uint64_t)])
#define cells_in(type) (sizeof(struct type) / sizeof(uint64_t))

/* Families of series, and their labels. */
#define FAMILY_SERVER	      "server"	       /* server */
#define FAMILY_ACTIVE	      "active"	       /* server; a gauge */
#define FAMILY_STAGE	      "middleware"     /* server, middleware */
#define FAMILY_STALL	      "stall"	       /* the same; a peak, in ns */
#define FAMILY_EVENTS	      "events"	       /* the same, and all words */
#define FAMILY_BACKEND	      "backend"	       /* number of the place */
#define FAMILY_BACKEND_ACTIVE "backend active" /* the same; a gauge */

#define EVENTS_TEXT  1024 /* of all words of a middleware */
#define EVENT_WORD   64
#define BACKENDS_ALL "other"

struct stats_conf {
	int64_t backends;
	uint32_t stall_ms;
};

/* ---- backends.c: those that this process has seen ------------------------ */

struct backend {
	_Atomic uint64_t *cells, *active;
	struct weir_addr addr; /* len 0: not seen yet by this process */
	uint64_t turn;	       /* at which it was asked for last */
};

struct backends {
	struct backend *v; /* places; the last is that of all others */
	unsigned n;	   /* of them, without the last */
	uint16_t *index;   /* by hash of the address: number + 1 */
	uint16_t *texts;   /* the same by that of the text */
	unsigned nindex;   /* of each: a power of two */
	uint64_t turn;	   /* how often somebody has asked */
	uint64_t full;	   /* until which there is no place */
};

/* Adds the series of n places; -1 with errno. */
int backends_count(struct weir_counters *c, unsigned n);
/* FNV-1a (Fowler, Noll, Vo). */
uint32_t backends_hash(const void *p, size_t n);
/* Goes on with the places of whoever counted there before; -1 with errno. */
int backends_init(struct backends *b, struct weir_counters *c, unsigned n);
void backends_done(struct backends *b);
/* The place of an address.  Who finds none gets one that has not been asked for
 * long, and has no channels, or else that of all others. */
struct backend *backends_find(struct backends *b, const struct weir_addr *addr);

/* ---- totals.c: what all processes have counted --------------------------- */

struct server_total {
	const char *name;
	uint64_t active;
	struct server_figures f;
};

struct stage_total {
	const char *server, *name;
	struct stage_figures f;
	uint64_t longest_ns;
	const char *events; /* words with commas between them */
	uint64_t *counted;  /* for each of them */
};

struct backend_total {
	char address[WEIR_ADDR_TEXT];
	uint64_t connects, failures, bytes[2], connect_us, active;
};

struct totals {
	struct server_total *servers;
	struct stage_total *stages;
	struct backend_total *backends;
	size_t nservers, nstages, nbackends;
	size_t most_backends; /* with a total of their own */
	uint16_t *index;      /* of those, by hash of their text: number + 1 */
};

/* What the middleware counts itself: its series; words is where its label is
 * written.  n is 0 when there is nothing. */
struct weir_series events_series(const char *server, const char *stage,
	const struct weir_middleware *mw, char words[EVENTS_TEXT]);
/* Reads them, of no more backends than that; -1 with ENOMEM.  End with
 * totals_done(). */
int totals_init(struct totals *t, struct weir_counters *c,
	const struct weir_plan *plan, size_t most_backends);
void totals_done(struct totals *t);
/* Takes the next word of a stage's events; false: there are no more. */
bool events_next(const char **events, char word[EVENT_WORD]);
/* How many times there were. */
uint64_t times_count(const struct times *t);

/* ---- text.c: a text that grows ------------------------------------------- */

struct text {
	char *p;
	size_t len, size;
	bool failed; /* memory ran out */
};

void text_add(struct text *t, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* Adds a string as OpenMetrics and JSON want it between two ": \, " and line
 * ends with a \ before them, control characters as \u00NN or as a blank
 * (json: whether they can be), what is not UTF-8 as U+FFFD. */
void text_quote(struct text *t, const char *s, bool json);

/* ---- metrics.c, json.c: pages -------------------------------------------- */

#define METRICS_TYPE                                                           \
	"application/openmetrics-text; version=1.0.0; charset=utf-8"

/* All figures as OpenMetrics text (https://openmetrics.io, 1.0). */
void metrics_write(struct text *t, const struct totals *totals);
/* All figures as JSON; now_ms: since 1970. */
void json_write(struct text *t, const struct totals *totals, uint64_t now_ms);

/* ---- dashboard.c --------------------------------------------------------- */

/* The page for people, at /: it asks for /v1/stats and pages of the core. */
void dashboard_answer(struct weir_service *s, struct weir_request *r);

/* Words of WEIR_DIR: "up", "down". */
extern const char *const stats_directions[2];

#endif
