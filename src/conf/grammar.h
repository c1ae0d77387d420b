/* grammar.h - which token of a configuration may follow which. */
#ifndef CONF_GRAMMAR_H
#define CONF_GRAMMAR_H

#include <stdbool.h>

/* From GRAMMAR_OPEN on: values. */
enum grammar_token {
	GRAMMAR_NAME,
	GRAMMAR_EQUALS,
	GRAMMAR_COMMA,
	GRAMMAR_SEMICOLON,
	GRAMMAR_CLOSE,
	GRAMMAR_OPEN,
	GRAMMAR_BOOL,
	GRAMMAR_INT,
	GRAMMAR_LONG,
	GRAMMAR_FLOAT,
	GRAMMAR_STRING
};

enum grammar_state {
	GRAMMAR_AT_START, /* of a setting, or of a list */
	GRAMMAR_AT_EQUALS,
	GRAMMAR_AT_VALUE,
	GRAMMAR_AT_END /* of a value */
};

/* A group or list that is open; bracket 0: the file itself. */
struct grammar {
	char bracket;
	unsigned line;
	unsigned keys;
	unsigned entries;
	enum grammar_state state;
	enum grammar_token last; /* value */
};

/* Takes one token inside g; NULL, or what is wrong with it there (borrowed for
 * ever).  libconfig leaks strings at a syntax error, so it sees none. */
const char *grammar_step(struct grammar *g, enum grammar_token token);
/* Is a word at this place a value, and no name? */
bool grammar_wants_value(const struct grammar *g);

#endif
