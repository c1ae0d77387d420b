/* limiter.h - what middlewares have in common that limit something by a key, in
 * a table that all workers share. */
#ifndef WEIR_LIMITER_H
#define WEIR_LIMITER_H

#include "extension.h"
#include "middleware.h"
#include "table.h"

/* A part of their conf. */
struct weir_limiter {
	const char *table;
	const struct weir_format *key; /* NULL: the client's address */
	int64_t prefix4, prefix6;
	bool dry_run;
	int refuse; /* enum weir_manner */
};

/* What one counts in a column of its table, for .claim.  Others may count there
 * as well, if they count the same, and it comes again as fast. */
struct weir_claim {
	const struct weir_limiter *by; /* whose table and key */
	const char *column, *option;   /* its name, and the option for that */
	enum weir_column_type type;
	const char *counts;	   /* what, as in "new channels" */
	struct weir_bucket bucket; /* of tokens */
	uint64_t period_ms;	   /* of a period */
};

/* A part of their state. */
struct weir_limiter_state {
	struct weir_table *table;
	const char *name; /* of the entry, and */
	const char *server;
	uint64_t next_words_ms[2];
};

/* Whose channel it is: a part of their ctx. */
struct weir_limiter_key {
	uint16_t len; /* 0: not known yet */
	uint8_t room[46];
	uint8_t *more; /* instead, of a long one */
};

/* Their counters begin with these: id, word, of which one is counted. */
#define WEIR_LIMITED(X)                                                        \
	X(REFUSED, "refused") /* who was refused, or ended */                  \
	X(DRY_RUN, "dry_run") /* who would have been */                        \
	X(UNKNOWN, "unknown") /* of whom the table could not say */

enum weir_limited {
#define X(id, word) WEIR_LIMITED_##id,
	WEIR_LIMITED(X)
#undef X
		WEIR_LIMITED_COUNT
};

extern const char *const weir_limiter_types[];

/* Rows of struct weir_limiter l in struct S: first "table", then the others;
 * when: the key is wanted, WEIR_FOR_OPEN or WEIR_FOR_BYTES. */
#define WEIR_LIMITER_TABLE(S, l)                                               \
	WEIR_STRING("table", S, l.table, .def = "table",                       \
		.flags = WEIR_NAMES_EXTENSION, .choices = weir_limiter_types,  \
		.help = "Which entry of extensions, of type table, keeps "     \
			"count: for all workers, and over reloads.  Entries "  \
			"of several servers that name the same table and "     \
			"column count together what has the same key; two "    \
			"whose rates or periods differ need a column each.")
#define WEIR_LIMITER_ROWS(S, l, when)                                          \
	WEIR_FORMAT("key", S, l.key, .flags = WEIR_OPTIONAL | (when),          \
		.help = "What channels are counted by: a text with "           \
			"variables that are known by then; without "           \
			"one, the client's address.  Where there is nothing "  \
			"it is \"-\"."),                                       \
		WEIR_INT("prefix4", S, l.prefix4, .def = "32", .min = 0,       \
			.max = 32,                                             \
			.help = "Clients whose IPv4 addresses begin with so "  \
				"many same bits count as one."),               \
		WEIR_INT("prefix6", S, l.prefix6, .def = "64", .min = 0,       \
			.max = 128,                                            \
			.help = "The same for IPv6, where one client has "     \
				"many addresses."),                            \
		WEIR_BOOL("dry_run", S, l.dry_run, .def = "false",             \
			.help = "Counts and logs, at most once a second, but " \
				"refuses nobody."),                            \
		WEIR_CHOICE("refuse", S, l.refuse, .def = "close",             \
			.choices = weir_manner_words,                          \
			.help = "How the client sees that it is refused: an "  \
				"end, a reset, or nothing at all.")

/* For .start: finds the table; -1 with errno, and a line in the log, when there
 * is none. */
int weir_limiter_start(struct weir_limiter_state *st,
	const struct weir_limiter *l, const struct weir_instance *in);
/* For .start: the table's column of that name and type; -1 likewise. */
int weir_limiter_column(const struct weir_limiter_state *st, const char *name,
	enum weir_column_type type);
/* The key of this channel as it is now; of no length when memory runs out.
 * Made once, and kept until weir_limiter_free(), for .close. */
struct weir_bytes weir_limiter_key(const struct weir_call *c,
	const struct weir_limiter *l, struct weir_limiter_key *key);
/* The one that was made; of no length if none was. */
struct weir_bytes weir_limiter_kept(const struct weir_limiter_key *key);
void weir_limiter_free(struct weir_limiter_key *key);
/* Is the channel to end, for it is beyond its limit (errno EDQUOT), or because
 * of whatever else errno says that the table could not?  Counts and logs it. */
bool weir_limiter_refuses(struct weir_call *c, const struct weir_limiter *l,
	struct weir_limiter_state *st, const char *why);
/* Is it no answer in time (errno ETIMEDOUT)?  A channel that was let in is not
 * ended by that: it goes on, by itself, until the table answers again.  Counts
 * and logs it; errno stays. */
bool
weir_limiter_hangs(const struct weir_call *c, struct weir_limiter_state *st);
/* The verdict on a channel of which that was true. */
struct weir_verdict weir_limiter_end(const struct weir_limiter *l);

#endif
