/* token.c - the words of a condition. */
#include <string.h>

#include "conf/token.h"

#define SHOWN 64 /* bytes of a token that are shown */
#define WORD                                                                   \
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.:/-"

/* The longer ones come first. */
static const struct row {
	const char *text;
	enum token_kind kind;
	const char *why;
} rows[] = {
	{ "==", TOKEN_COMPARE, NULL },
	{ "!=", TOKEN_COMPARE, NULL },
	{ "<=", TOKEN_COMPARE, NULL },
	{ ">=", TOKEN_COMPARE, NULL },
	{ "<", TOKEN_COMPARE, NULL },
	{ ">", TOKEN_COMPARE, NULL },
	{ "(", TOKEN_OPEN, NULL },
	{ ")", TOKEN_CLOSE, NULL },
	{ "[", TOKEN_LIST, NULL },
	{ "]", TOKEN_LIST_END, NULL },
	{ ",", TOKEN_COMMA, NULL },
	{ "=", TOKEN_BAD, "write \"==\" to compare" },
	{ "!", TOKEN_BAD, "write \"not\"" },
	{ "&", TOKEN_BAD, "write \"and\"" },
	{ "|", TOKEN_BAD, "write \"or\"" },
	{ "%", TOKEN_BAD, "names in a condition stand without \"%{ }\"" },
	{ "\"", TOKEN_BAD, "a string stands in single quotes" },
	{ "", TOKEN_BAD, "this character has no meaning here" },
};

static size_t string_length(const char *text);

struct token
token_read(const char *text)
{
	struct token t = { .at = text + strspn(text, " \t\r\n") };
	const struct row *row = rows;

	if (*t.at == '\0')
		return t;
	t.len = strspn(t.at, WORD);
	if (t.len > 0) {
		t.kind = TOKEN_WORD;
		return t;
	}
	if (*t.at == '\'') {
		t.len = string_length(t.at);
		t.kind = t.len > 0 ? TOKEN_STRING : TOKEN_BAD;
		t.why = "the string has no single quote at its end";
		return t;
	}
	while (strncmp(t.at, row->text, strlen(row->text)) != 0)
		row++;
	t.kind = row->kind;
	t.len = strlen(row->text);
	t.why = row->why;
	return t;
}

bool
token_is(const struct token *t, const char *word)
{
	return (t->kind == TOKEN_WORD || t->kind == TOKEN_COMPARE) &&
	       t->len == strlen(word) && memcmp(t->at, word, t->len) == 0;
}

const char *
token_text(struct arena *a, const struct token *t)
{
	char *text, *to;
	size_t i;

	if (t->kind != TOKEN_STRING)
		return arena_strndup(a, t->at, t->len);
	text = to = arena_alloc(a, t->len);
	for (i = 1; i + 1 < t->len; i++) {
		*to++ = t->at[i];
		i += t->at[i] == '\'';
	}
	return text;
}

const char *
token_shown(struct arena *a, const struct token *t)
{
	int n = t->len < SHOWN ? (int)t->len : SHOWN;

	if (t->kind == TOKEN_END)
		return "the end";
	return arena_printf(a, "\"%.*s\"", n, t->at);
}

/* With both quotes, or 0 when the last is missing. */
static size_t
string_length(const char *text)
{
	const char *p = text + 1;

	while ((p = strchr(p, '\'')) != NULL && p[1] == '\'')
		p += 2;
	return p != NULL ? (size_t)(p - text) + 1 : 0;
}
