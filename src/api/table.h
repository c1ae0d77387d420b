/* table.h - tables that all workers share, and that outlive each of them. */
#ifndef WEIR_TABLE_H
#define WEIR_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "channel.h"

#define WEIR_COLUMNS   8   /* of a table */
#define WEIR_KEY_MOST  256 /* bytes */
#define WEIR_CELL_MOST 256 /* bytes of a value */

/* id, word, what a cell of it is. */
#define WEIR_COLUMN_TYPES(X)                                                   \
	X(COUNT, "count")   /* what was added */                               \
	X(RATE, "rate")	    /* what was added in the last window_ms */         \
	X(HELD, "held")	    /* what processes hold; theirs ends with them */   \
	X(TOKENS, "tokens") /* a bucket of burst, filled by rate a second */   \
	X(VALUE, "value")   /* up to size bytes */                             \
	X(PERIOD, "period") /* what was spent since the period began */

enum weir_column_type {
#define X(id, word) WEIR_COLUMN_##id,
	WEIR_COLUMN_TYPES(X)
#undef X
};

/* How tokens come: rate of them in per_ms, while there are fewer than burst. */
struct weir_bucket {
	uint64_t rate;
	uint32_t per_ms; /* not 0 */
	uint64_t burst;	 /* at most UINT64_MAX / 1000 */
};

/* What was taken out of one; zeros: nothing. */
struct weir_tokens {
	uint64_t at_ms;
	uint64_t used; /* thousandths that had not come again then */
	struct weir_bucket last;
};

struct weir_column {
	const char *name;
	enum weir_column_type type;
	uint32_t window_ms; /* of a rate */
	uint32_t size;	    /* of a value */
	uint64_t rate;	    /* of tokens, in a second, and */
	uint64_t burst;	    /* the most, if who draws does not say others */
};

/* What to do when there is no room for a new key: id, word, what it means. */
#define WEIR_FULLS(X)                                                          \
	X(EVICT, "evict")   /* the key used longest ago goes */                \
	X(REFUSE, "refuse") /* the new one gets none, and is refused */        \
	X(ALLOW, "allow")   /* it gets none, and passes */

enum weir_full {
#define X(id, word) WEIR_FULL_##id,
	WEIR_FULLS(X)
#undef X
};

/* A table that an extension wants. */
struct weir_table_spec {
	const char *name; /* behind that of the extension and a dot; NULL: its
			   * own alone */
	const struct weir_column *columns; /* copied, but for their names */
	unsigned ncolumns;
	uint32_t key_most; /* bytes, at most WEIR_KEY_MOST */
	size_t size;	   /* bytes of rows at most */
	uint32_t ttl_ms;   /* since the last use; 0: none */
	enum weir_full full;
	const char *file; /* absolute: kept there over a restart; NULL: not */
	uint32_t save_ms; /* how often it is written; 0: once a minute */
	bool shared; /* with other machines, see below; without a file, from
		      * which what they still know would count twice */
	bool hidden; /* nobody else's business: the API does not show it */
};

struct weir_table;

/* Told of a key; false: no more, please. */
typedef bool weir_key_told(void *arg, struct weir_bytes key);

/* What follows returns 0, or -1 with errno: EINVAL, when there is no such
 * column, or it is of another type; EMSGSIZE, when the key is too long;
 * ETIMEDOUT, when the table cannot say in time; ENOSPC, when it is full and
 * nothing may leave it; else as told. Whether to let somebody pass then is for
 * who asks to decide.  A key that is new begins with zeros and full buckets. */

/* Adds n to a count or a rate; *now, if not NULL, is what it is then. */
int weir_table_add(struct weir_table *t, struct weir_bytes key, unsigned column,
	uint64_t n, uint64_t *now);
/* Holds n, if all then hold no more than most; else EDQUOT, and nothing is
 * changed.  *now, if not NULL, is what all hold. */
int weir_table_hold(struct weir_table *t, struct weir_bytes key,
	unsigned column, uint32_t n, uint64_t most, uint64_t *now);
/* Holds n less; when the table cannot say in time it does so later. */
int weir_table_release(struct weir_table *t, struct weir_bytes key,
	unsigned column, uint32_t n);
/* Takes n tokens, or else, with EDQUOT, none: *wait_ms, if not NULL, is how
 * long until there are so many (UINT64_MAX: never).  b says how they come, from
 * the last draw on; NULL: as the column does.  Who says something else later,
 * as its configuration has changed, finds what was taken before. */
int
weir_table_draw(struct weir_table *t, struct weir_bytes key, unsigned column,
	const struct weir_bucket *b, uint64_t n, uint64_t *wait_ms);
/* Takes *n tokens before they have come: they have in *wait_ms (0: now), and
 * are not to be used sooner.  The longer others wait, the fewer than *n, but 1
 * at least, so that all who come back for more get as many, and soon. */
int
weir_table_book(struct weir_table *t, struct weir_bytes key, unsigned column,
	const struct weir_bucket *b, uint64_t *n, uint64_t *wait_ms);
/* Adds n, or what is left up to most, to what was spent in this period, and
 * says how many these are, in *got, and how long it lasts, in *left_ms.
 * Periods begin at multiples of period_ms since 1970 (UTC).  EDQUOT: nothing is
 * left. */
int weir_table_spend(struct weir_table *t, struct weir_bytes key,
	unsigned column, uint64_t period_ms, uint64_t n, uint64_t most,
	uint64_t *got, uint64_t *left_ms);
/* Gives back n tokens, or what was spent in this period, that was not used. */
int weir_table_refund(struct weir_table *t, struct weir_bytes key,
	unsigned column, uint64_t n);
/* The column of that name, if it is of that type; else -1 with ENOENT or
 * EINVAL. */
int weir_table_column(const struct weir_table *t, const char *name,
	enum weir_column_type type);
/* Stores a value; EMSGSIZE: it is too long. */
int weir_table_set(struct weir_table *t, struct weir_bytes key, unsigned column,
	struct weir_bytes value);
/* The same, in a key that ends in ms (UINT64_MAX: never), whatever the table's
 * ttl says: nobody sees it without its end. */
int weir_table_store(struct weir_table *t, struct weir_bytes key,
	unsigned column, struct weir_bytes value, uint64_t ms);
/* Copies a value of at most size bytes, and how long it is: what of size is
 * behind that stays as it was; ENOENT: there is no such key. */
int weir_table_get(struct weir_table *t, struct weir_bytes key, unsigned column,
	void *value, size_t size, size_t *len);
/* A count, a rate, what is held or is left of tokens; ENOENT: there is no such
 * key. */
int weir_table_read(struct weir_table *t, struct weir_bytes key,
	unsigned column, uint64_t *now);
/* Lets the key end in ms, whatever the table's ttl says; ENOENT. */
int weir_table_expire(struct weir_table *t, struct weir_bytes key, uint64_t ms);
/* All but what is held; ENOENT: there was none. */
int weir_table_delete(struct weir_table *t, struct weir_bytes key);
/* How long until the key ends by itself; UINT64_MAX: never; ENOENT. */
int weir_table_left(struct weir_table *t, struct weir_bytes key, uint64_t *ms);
/* Tells of each key, until told says false; told may not use the table.
 * ETIMEDOUT: those of a part that another process hangs in were left out. */
int weir_table_walk(struct weir_table *t, weir_key_told *told, void *arg);
/* Is somebody to pass of whom the table could not say, for lack of room or
 * of time?  As it is configured. */
bool weir_table_allows(const struct weir_table *t);

/* A table may be shared with other machines, by an extension that carries what
 * a row has here to them, and back what these have, which is added to what
 * everybody above reads and is held to.  It is state that is carried, never a
 * difference: to say it twice does no harm, and what was lost is said again. */

/* What one machine has in a column of a row, or some have together.  Values are
 * not shared. */
struct weir_share {
	uint64_t epoch;	 /* of a rate, the number of its window; of a period,
			  * when  it ends (ms since 1970); of tokens, how many
			  * come in  1,000,000 ms */
	uint64_t n;	 /* of tokens: drawn ever */
	uint64_t before; /* of a rate, in the window before; of a period, its
			  * length (ms); of tokens, drawn since the bucket was
			  * full */
	uint64_t at_ms;	 /* of tokens, when that was (ms since 1970) */
};
/* What all others have of a row. */
struct weir_others {
	uint64_t as_of; /* when it was so; grows, in us */
	bool more;	/* less than what is known is not news */
	const struct weir_share *columns; /* at_ms: 0; before of tokens: what
					   * has not come again */
};
typedef bool weir_table_told(void *arg, struct weir_bytes key,
	const struct weir_share *columns, unsigned n);

bool weir_table_is_shared(const struct weir_table *t);
/* A random number, this table's as long as it is in memory. */
uint64_t weir_table_self(const struct weir_table *t);
/* Of how many parts it is. */
unsigned weir_table_parts(const struct weir_table *t);
/* Another one than before when processes have come or gone: what they held may
 * have ended. */
uint64_t weir_table_turn(const struct weir_table *t);
/* Tells of each row of a part that was changed here since (0: ever); *since
 * becomes now.  gone: also of those whose holds have ended with a process, and
 * of those that others hold.  How many rows it has looked at; -1 with
 * ETIMEDOUT.  told may not use the table. */
int weir_table_changes(struct weir_table *t, unsigned part, uint64_t *since,
	bool gone, weir_table_told *told, void *arg);
/* Others have that; -1 with errno. */
int weir_table_others(struct weir_table *t, struct weir_bytes key,
	const struct weir_others *others);
/* Looks at the wall's clock, which may have been set: epochs go by it from now
 * on.  What it is now (ms since 1970). */
uint64_t weir_table_clock(struct weir_table *t);
/* What others hold counts for ms from now on. */
void weir_table_fresh(struct weir_table *t, uint32_t ms);

/* The same as weir_table_draw() and weir_table_book() for a bucket of your own;
 * the latter returns how long to wait.  now_ms: of any clock. */
bool weir_tokens_draw(struct weir_tokens *tokens, const struct weir_bucket *b,
	uint64_t n, uint64_t now_ms, uint64_t *wait_ms);
uint64_t weir_tokens_book(struct weir_tokens *tokens,
	const struct weir_bucket *b, uint64_t *n, uint64_t now_ms);

#endif
