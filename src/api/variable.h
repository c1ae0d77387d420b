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

/* id, word */
#define WEIR_VALUES(X)                                                         \
	X(NONE, "nothing")  /* not known, or there is none: "-" in a log */    \
	X(NUMBER, "number") /* .number */                                      \
	X(TEXT, "text")	    /* .len bytes at .text, any bytes */               \
	X(ADDR, "address")  /* .addr with its port: "127.0.0.1:80" */          \
	X(IP, "IP address") /* .addr without its port: "127.0.0.1" */          \
	X(BOOL, "boolean")  /* .number, 0 or 1 */

enum weir_value_type {
#define X(id, word) WEIR_VALUE_##id,
	WEIR_VALUES(X)
#undef X
		WEIR_VALUE_COUNT
};

/* A value; text is borrowed for as long as the call lasts, or in room: then a
 * copy of the struct has no text of its own. */
struct weir_value {
	enum weir_value_type type;
	uint64_t number;
	const char *text;
	size_t len;
	struct weir_addr addr;
	char room[64]; /* for text that .get makes */
};

/* A middleware's variable; its whole name is NAME.name, where NAME is that of
 * the entry in the chain. */
struct weir_variable {
	const char *name; /* letters, digits, "_", "." and "-" */
	enum weir_value_type type;
	enum weir_moment since;
	const char *help; /* one sentence with its full stop */
	/* Called at any moment, also before .open and where a condition has
	 * left the middleware out: its context is zeroed then.  *v is NONE and
	 * stays so when there is no value, or becomes one of that type. */
	void (*get)(const struct weir_call *c, struct weir_value *v);
};

struct weir_format;
struct weir_condition;

/* How a value is written so that no peer can forge a line, or a field of it:
 * plain, blanks too are \xnn where a variable is not between two " of its
 * format. */
enum weir_escape {
	WEIR_ESCAPE_PLAIN, /* \xnn for what is not printable, " and \ */
	WEIR_ESCAPE_JSON   /* RFC 8259, section 7 */
};

/* Writes the text of a format for this channel, at most size bytes with the NUL
 * behind it, cut if need be (never inside an escape); its length.  Of each
 * value at most 1024 bytes, then "...".  f NULL: an empty text. */
size_t weir_format_text(const struct weir_call *c, const struct weir_format *f,
	enum weir_escape escape, char *text, size_t size);
/* Writes one JSON object with a member for each variable of the format, named
 * as it is: numbers and booleans bare, null for what there is not.  At most
 * size bytes with the NUL; members that do not fit are left out.  Its length;
 * 0 when not even {} fits. */
size_t weir_format_json(const struct weir_call *c, const struct weir_format *f,
	char *text, size_t size);
/* How many variables the text of a format names; also for .check, when none is
 * compiled yet.  f NULL: 0. */
size_t weir_format_variables(const struct weir_format *f);
/* Is the condition true now?  What is not known yet equals nothing, so every
 * comparison with it is false, != too.  k NULL: true. */
bool
weir_condition_holds(const struct weir_call *c, const struct weir_condition *k);
/* Value of the variable of that name ("client.addr", "NAME.name") for this
 * channel; NONE when there is no such variable. */
void weir_variable_get(
	const struct weir_call *c, const char *name, struct weir_value *v);

#define WEIR_LINE_MAX 4000 /* bytes of a line in a log file */

/* Writes a whole line (without its end) to a log file: it may wait in a buffer
 * for wait_ms, but not for syslog.  One longer than WEIR_LINE_MAX is cut and
 * ends in "...".  Never blocks: a line that cannot be written is dropped, and
 * counted. */
void weir_line(const struct weir_call *c, const struct weir_logfile *to,
	const char *line, size_t len, uint32_t wait_ms);

#endif
