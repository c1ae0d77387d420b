/* grammar.c - which token of a configuration may follow which. */
#include <stddef.h>
#include <string.h>

#include "conf/grammar.h"

static const char *value_step(struct grammar *g, enum grammar_token token);
static bool is_list(const struct grammar *g);

const char *
grammar_step(struct grammar *g, enum grammar_token token)
{
	if (token == GRAMMAR_STRING && g->state == GRAMMAR_AT_END &&
		g->last == GRAMMAR_STRING)
		return NULL; /* joined */
	if (token == GRAMMAR_CLOSE &&
		(g->state == GRAMMAR_AT_START || g->state == GRAMMAR_AT_END))
		return NULL;
	switch (g->state) {
	case GRAMMAR_AT_START:
		if (is_list(g))
			return value_step(g, token);
		break;
	case GRAMMAR_AT_EQUALS:
		if (token != GRAMMAR_EQUALS)
			return "\"=\" is missing";
		g->keys++;
		g->state = GRAMMAR_AT_VALUE;
		return NULL;
	case GRAMMAR_AT_VALUE:
		return value_step(g, token);
	case GRAMMAR_AT_END:
		if (is_list(g) && token != GRAMMAR_COMMA)
			return "\",\" is missing";
		if (token == GRAMMAR_COMMA || token == GRAMMAR_SEMICOLON) {
			g->state = is_list(g) ? GRAMMAR_AT_VALUE
					      : GRAMMAR_AT_START;
			return NULL;
		}
		break;
	}
	if (token != GRAMMAR_NAME)
		return "a name is missing";
	g->state = GRAMMAR_AT_EQUALS;
	return NULL;
}

unsigned
grammar_key(struct grammar *g, struct arena *a, const char *word, unsigned line)
{
	const struct grammar_key *k;
	struct grammar_key *key;

	if (g->twice)
		return 0;
	for (k = g->known; k != NULL; k = k->next)
		if (strcmp(k->word, word) == 0) {
			g->twice = true;
			return k->line;
		}
	key = arena_alloc(a, sizeof(*key));
	*key = (struct grammar_key){ g->known, word, line };
	g->known = key;
	return 0;
}

bool
grammar_wants_value(const struct grammar *g)
{
	return is_list(g) || g->state == GRAMMAR_AT_VALUE;
}

static const char *
value_step(struct grammar *g, enum grammar_token token)
{
	if (token < GRAMMAR_OPEN)
		return "a value is missing";
	if (g->bracket == '[' && token == GRAMMAR_OPEN)
		return "\"[ ]\" holds single values only (write \"( )\")";
	if (g->bracket == '[' && g->entries > 0 && token != g->last)
		return "\"[ ]\" holds values of one kind only (write \"( )\")";
	g->entries += is_list(g);
	g->last = token;
	g->state = GRAMMAR_AT_END;
	return NULL;
}

static bool
is_list(const struct grammar *g)
{
	return g->bracket == '(' || g->bracket == '[';
}
