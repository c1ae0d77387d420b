/* link.h - what a keeper asks of a worker, and is answered: packets of one
 * SOCK_SEQPACKET pair (unix(7)), which a worker fills in slices. */
#ifndef BASE_LINK_H
#define BASE_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/option.h"

#define LINK_VERSION	1     /* of all this */
#define LINK_PACKET	16384 /* bytes of a packet, at most */
#define LINK_NAME	64    /* of a filter's text, with its NUL */
#define LINK_ASKS	64    /* questions of a link at a time */
#define LINK_TRACE_MOST 1024  /* bytes of a read or write that can be shown */
#define LINK_RATE_MOST	10000 /* ms between two samples */

/* id, word, what the keeper sends, and what answers it. */
#define LINK_TYPES(X)                                                          \
	X(HELLO, "hello")     /* the worker's first word: link_hello */        \
	X(FIGURES, "figures") /* link_head; link_figures */                    \
	X(LIST, "list")	      /* link_list; link_rows until one is the last */ \
	X(KILL, "kill")	      /* link_name; link_done: ENOENT, no such one */  \
	X(TRACE, "trace")     /* link_trace; link_events until END */          \
	X(LOOK, "look")	      /* link_head: see who is paused; link_done */    \
	X(LISTENERS,                                                           \
		"listeners") /* link_head; link_listeners, till the last */    \
	X(END, "end")	     /* link_head: that question is forgotten */       \
	X(DONE, "done")	     /* the worker's: link_done */

enum link_type {
#define X(id, word) LINK_##id,
	LINK_TYPES(X)
#undef X
		LINK_TYPE_COUNT
};

/* id, word: what rows are sorted by. */
#define LINK_SORTS(X)                                                          \
	X(ID, "id")                                                            \
	X(AGE, "age")                                                          \
	X(IDLE, "idle")                                                        \
	X(UP_BYTES, "up_bytes")                                                \
	X(DOWN_BYTES, "down_bytes")                                            \
	X(RATE, "rate")

enum link_sort {
#define X(id, word) LINK_SORT_##id,
	LINK_SORTS(X)
#undef X
		LINK_SORT_COUNT
};

/* Begins every packet. */
struct link_head {
	uint32_t type; /* enum link_type */
	uint32_t ask;  /* the keeper's number of its question; 0: none */
};

struct link_hello {
	struct link_head head;
	uint32_t version;
	uint32_t generation;
	uint32_t slot;
	int32_t pid;
};

struct link_done {
	struct link_head head;
	int32_t err; /* errno; 0: it is done */
	uint32_t n;  /* how many channels it was done to */
};

/* id, word: what a worker does. */
#define LINK_STATES(X)                                                         \
	X(READY, "ready")     /* was not told to accept yet */                 \
	X(ACCEPTS, "accepts") /* serves */                                     \
	X(DRAINS, "drains")   /* lets its channels finish */

enum link_state {
#define X(id, word) LINK_STATE_##id,
	LINK_STATES(X)
#undef X
		LINK_STATE_COUNT
};

struct link_figures {
	struct link_head head;
	uint64_t channels;
	uint64_t oldest_ms; /* age */
	uint64_t copied_bytes, spliced_bytes;
	uint64_t turns;
	uint32_t state; /* enum link_state */
	uint32_t padding;
};

struct link_list {
	struct link_head head;
	uint64_t min_age_ms, min_idle_ms;
	uint32_t limit;		 /* rows, at most */
	uint32_t rate_ms;	 /* between two samples; 0: over its life */
	struct weir_cidr client; /* all: of everybody */
	uint8_t sort;		 /* enum link_sort */
	bool reverse;
	char state[LINK_NAME];	 /* "": any */
	char server[LINK_NAME];	 /* "": any */
	char backend[LINK_NAME]; /* part of its address; "": any */
};

/* id: texts of a row, one behind the other with their NUL. */
#define LINK_TEXTS(X)                                                          \
	X(SERVER)                                                              \
	X(LISTEN)                                                              \
	X(CLIENT)                                                              \
	X(LOCAL)                                                               \
	X(BACKEND)                                                             \
	X(STATE)                                                               \
	X(UP_STATE)                                                            \
	X(DOWN_STATE)                                                          \
	X(HOLDER) /* middleware that holds or waits; "": none */               \
	X(HOOK)	  /* its callback */

enum link_text {
#define X(id) LINK_TEXT_##id,
	LINK_TEXTS(X)
#undef X
		LINK_TEXT_COUNT
};

/* One channel. */
struct link_row {
	uint32_t size; /* of this and its texts, in whole 8 bytes */
	uint32_t generation, slot;
	uint8_t splice[2]; /* by direction: bytes go past weir */
	uint16_t padding;
	uint64_t id;
	uint64_t key; /* what it is sorted by */
	uint64_t age_ms, idle_ms;
	uint64_t holder_ms; /* since when that one does */
	uint64_t bytes[2];  /* by direction: read from the source */
	uint64_t rates[2];  /* a second */
	uint64_t held[2];   /* read, but not written yet */
	char texts[];
};

/* Then n rows. */
struct link_rows {
	struct link_head head;
	uint32_t n;
	uint32_t last;	/* no more follow */
	uint64_t total; /* that fit the filter, so far */
};

struct link_name {
	struct link_head head;
	uint64_t id;
};

struct link_trace {
	struct link_head head;
	uint64_t id;		 /* 0: all of that network */
	struct weir_cidr client; /* and those that come later */
	uint32_t bytes;		 /* of what is read and written, to show */
};

/* Then n events; without any it only says that the channel was found. */
struct link_events {
	struct link_head head;
	uint32_t n;
	uint32_t padding;
	uint64_t lost; /* that there was no room for, before these */
};

struct link_event {
	uint32_t size; /* of this and its data, in whole 8 bytes */
	uint32_t len;  /* of the data */
	uint64_t id;
	uint64_t age_ms;
	uint64_t n;   /* bytes that were read or written */
	int32_t err;  /* errno, or 0 */
	uint8_t side; /* 0: of the frontend, 1: the backend, 2: of none */
	bool spliced; /* past weir: there is no data */
	uint16_t padding;
	char what[48]; /* in words */
	uint8_t data[];
};

/* One socket of a server. */
struct link_listener {
	char server[LINK_NAME];	      /* may be cut */
	char address[WEIR_ADDR_TEXT]; /* that it has */
	char listen[WEIR_ADDR_TEXT];  /* as configured */
	uint32_t queued;	      /* that wait; UINT32_MAX: not known */
	bool paused, closed;
	uint16_t padding;
};

struct link_listeners {
	struct link_head head;
	uint32_t n;
	uint32_t last; /* no more follow */
	struct link_listener v[];
};

/* Is p a whole packet of that type, from a socket that gave n bytes? */
bool link_fits(const void *p, size_t n, enum link_type type);
/* How many bytes a row of these texts takes. */
size_t link_row_size(const char *const texts[static LINK_TEXT_COUNT]);
/* Writes a row with its texts to where size bytes are: those of its size. */
void
link_row_write(struct link_row *to, size_t size, const struct link_row *row,
	const char *const texts[static LINK_TEXT_COUNT]);
/* Its texts, borrowed; false: it is none that fits in n bytes. */
bool link_row_texts(const struct link_row *row, size_t n,
	const char *texts[static LINK_TEXT_COUNT]);
/* Does row a come before row b, by that order? */
int link_row_compare(
	const struct link_row *a, const struct link_row *b, bool reverse);
/* The sort of that word; -1: there is none. */
int link_sort_find(const char *word);
/* Word of a state of workers. */
const char *link_state_word(uint32_t state);

#endif
