/* token.h - the words of a condition. */
#ifndef CONF_TOKEN_H
#define CONF_TOKEN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"

enum token_kind {
	TOKEN_END,
	TOKEN_WORD,   /* a name, number, address, network or keyword */
	TOKEN_STRING, /* with its single quotes */
	TOKEN_COMPARE,
	TOKEN_OPEN,
	TOKEN_CLOSE,
	TOKEN_LIST,
	TOKEN_LIST_END,
	TOKEN_COMMA,
	TOKEN_BAD
};

/* Borrows the text it was read from. */
struct token {
	enum token_kind kind;
	const char *at;
	size_t len;
	const char *why; /* of TOKEN_BAD; borrowed for ever */
};

/* The first token of text. */
struct token token_read(const char *text);
/* Is it that word, or that comparison? */
bool token_is(const struct token *t, const char *word);
/* What a string means, '' in it being one quote, or a word as it is; in a. */
const char *token_text(struct arena *a, const struct token *t);
/* It as a message shows it: in quotes and cut, or "the end"; in a. */
const char *token_shown(struct arena *a, const struct token *t);

#endif
