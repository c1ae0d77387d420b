/* variable.h - what is known of a channel, by name: for logs and conditions. */
#ifndef WEIR_VARIABLE_H
#define WEIR_VARIABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "channel.h"
#include "option.h"

/* id, word, from when on a variable has its value. */
#define WEIR_MOMENTS(X)                                                        \
	X(OPEN, "open")	  /* the connection is accepted */                     \
	X(ROUTE, "route") /* client bytes were seen, as far as asked for */    \
	X(CONNECT, "connect") /* the backend is connected */                   \
	X(CLOSE, "close")     /* it is over */

enum weir_moment {
#define X(id, word) WEIR_AT_##id,
	WEIR_MOMENTS(X)
#undef X
		WEIR_MOMENT_COUNT
};

enum weir_value_type {
	WEIR_VALUE_NONE, /* not known, or there is none: "-" in a log */
	WEIR_VALUE_NUMBER,
	WEIR_VALUE_TEXT,
	WEIR_VALUE_ADDR,
	WEIR_VALUE_BOOL
};

/* A value; text is borrowed for as long as the call lasts. */
struct weir_value {
	enum weir_value_type type;
	uint64_t number; /* of a bool: 0 or 1 */
	const char *text;
	size_t len;
	struct weir_addr addr;
};

/* A middleware's variable; its whole name is NAME.name, where NAME is that of
 * the entry in the chain. */
struct weir_variable {
	const char *name;
	enum weir_value_type type;
	enum weir_moment since;
	const char *help; /* one sentence with its full stop */
	void (*get)(const struct weir_call *c, struct weir_value *v);
};

struct weir_format;
struct weir_condition;

/* How a value is written so that no peer can forge a line. */
enum weir_escape {
	WEIR_ESCAPE_PLAIN, /* \xNN for what is not printable, " and \ */
	WEIR_ESCAPE_JSON   /* RFC 8259, section 7 */
};

/* Writes the text of a format for this channel, at most size bytes with the NUL
 * behind it, cut if need be; its length. */
size_t weir_format_text(const struct weir_call *c, const struct weir_format *f,
	enum weir_escape escape, char *text, size_t size);
/* Is the condition true now?  What is not known yet equals nothing. */
bool
weir_condition_holds(const struct weir_call *c, const struct weir_condition *k);
/* Value of the variable of that name ("client.addr", "NAME.name") for this
 * channel; NONE when there is no such variable. */
void weir_variable_get(
	const struct weir_call *c, const char *name, struct weir_value *v);

/* Writes a whole line (without its end) to a log file: it may wait in a buffer
 * for wait_ms.  Never blocks: a line that cannot be written is dropped, and
 * counted. */
void weir_line(const struct weir_call *c, const struct weir_logfile *to,
	const char *line, size_t len, uint32_t wait_ms);

#endif
