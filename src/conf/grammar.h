/* grammar.h - which token of a configuration may follow which. */
#ifndef CONF_GRAMMAR_H
#define CONF_GRAMMAR_H

#include <stdbool.h>

#include "base/arena.h"

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

/* A name that stands in a group already. */
struct grammar_key {
	const struct grammar_key *next;
	const char *word;
	unsigned line;
};

/* A group or list that is open; bracket 0: the file itself. */
struct grammar {
	char bracket;
	unsigned line;
	unsigned keys;
	unsigned entries;
	enum grammar_state state;
	enum grammar_token last; /* value */
	const struct grammar_key *known;
	bool twice; /* one of them was, and it was said */
};

/* Takes one token inside g; NULL, or what is wrong with it there (borrowed for
 * ever).  libconfig leaks strings at a syntax error, so it sees none. */
const char *grammar_step(struct grammar *g, enum grammar_token token);
/* The line that has that name in g already, told once a group, or 0 and it is
 * known from now on; word must live as long as a. */
unsigned grammar_key(
	struct grammar *g, struct arena *a, const char *word, unsigned line);
/* Is a word at this place a value, and no name? */
bool grammar_wants_value(const struct grammar *g);

#endif
