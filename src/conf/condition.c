/* condition.c - an expression over variables, compiled at load. */
#include <stdarg.h>
#include <string.h>
#include <strings.h>

#include "base/near.h"
#include "conf/condition.h"
#include "conf/operand.h"
#include "conf/token.h"

struct parser {
	struct weir_condition *k;
	const struct variable_scope *scope;
	struct token now;
	unsigned depth, parts;
	struct variable_fault *fault;
};

typedef struct condition_node *parse(struct parser *p);

static const struct op_row {
	const char *word;
	unsigned types;
} ops[] = {
#define X(id, word, types) { word, types },
	CONDITION_OPS(X)
#undef X
};

static const char value_first[] =
	"the variable comes first, as in \"client.port > 1024\"";

static parse any_parse, all_parse, not_parse, group_parse, test_parse;
static struct condition_node *series_parse(struct parser *p,
	enum condition_kind kind, const char *word, parse *part);
static int op_parse(struct parser *p, struct condition_node *test);
static int values_parse(struct parser *p, struct condition_node *test);
static int value_parse(struct parser *p, struct condition_node *test);
static const char *op_why(struct parser *p, const struct variable *var);
static const char *name_why(struct parser *p, const char *why);
static const char *keyword_why(struct parser *p);
static const char *
list_why(struct parser *p, const struct condition_node *test);
static struct condition_node *
node_add(struct parser *p, enum condition_kind kind);
static bool part_fits(struct parser *p);
static bool level_fits(struct parser *p);
static void step(struct parser *p);
static void *fail_at(struct parser *p, const char *at, const char *why);
static void *fail(struct parser *p, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
static void *fail_wanted(struct parser *p, const char *wanted);

int
condition_compile(struct weir_condition *k, const struct variable_scope *s,
	struct variable_fault *fault)
{
	struct parser p = {
		.k = k, .scope = s, .now = token_read(k->text), .fault = fault
	};
	const struct condition_node *root = any_parse(&p);

	if (root != NULL && p.now.kind != TOKEN_END)
		root = fail_wanted(&p, "\"and\", \"or\" or the end");
	k->root = root;
	return root != NULL ? 0 : -1;
}

static struct condition_node *
any_parse(struct parser *p)
{
	return series_parse(p, CONDITION_OR, "or", all_parse);
}

static struct condition_node *
all_parse(struct parser *p)
{
	return series_parse(p, CONDITION_AND, "and", not_parse);
}

/* One part, or a node of all that the word stands between. */
static struct condition_node *
series_parse(struct parser *p, enum condition_kind kind, const char *word,
	parse *part)
{
	struct condition_node *first = part(p), *series, **end;

	if (first == NULL || !token_is(&p->now, word))
		return first;
	series = node_add(p, kind);
	if (series == NULL)
		return NULL;
	series->first = first;
	for (end = &first->next; token_is(&p->now, word); end = &(*end)->next) {
		step(p);
		*end = part(p);
		if (*end == NULL)
			return NULL;
	}
	return series;
}

static struct condition_node *
not_parse(struct parser *p)
{
	struct condition_node *node;

	if (p->now.kind == TOKEN_OPEN)
		return group_parse(p);
	if (!token_is(&p->now, "not"))
		return test_parse(p);
	if (!level_fits(p))
		return NULL;
	node = node_add(p, CONDITION_NOT);
	if (node == NULL)
		return NULL;
	step(p);
	node->first = not_parse(p);
	p->depth--;
	return node->first != NULL ? node : NULL;
}

static struct condition_node *
group_parse(struct parser *p)
{
	struct condition_node *node;

	if (!level_fits(p))
		return NULL;
	step(p);
	node = any_parse(p);
	if (node == NULL)
		return NULL;
	if (p->now.kind != TOKEN_CLOSE)
		return fail_wanted(p, "\"and\", \"or\" or \")\"");
	step(p);
	p->depth--;
	return node;
}

static struct condition_node *
test_parse(struct parser *p)
{
	struct condition_node *test;
	struct weir_condition *k = p->k;
	const char *why;

	if (p->now.kind == TOKEN_STRING)
		return fail_at(p, p->now.at, value_first);
	if (p->now.kind != TOKEN_WORD || token_is(&p->now, "and") ||
		token_is(&p->now, "or"))
		return fail_wanted(p, "a variable, \"not\" or \"(\"");
	test = node_add(p, CONDITION_TEST);
	if (test == NULL)
		return NULL;
	test->var = variable_find(p->scope, p->now.at, p->now.len, &why);
	if (test->var == NULL)
		return fail_at(
			p, p->now.at, why != NULL ? name_why(p, why) : NULL);
	k->uses = arena_grow(p->scope->arena, k->uses, k->n, sizeof(*k->uses));
	k->uses[k->n++] = (struct condition_use){ test->var,
		(size_t)(p->now.at - k->text) + 1 };
	step(p);
	if (op_parse(p, test) == -1)
		return NULL;
	if (test->kind == CONDITION_TEST && values_parse(p, test) == -1)
		return NULL;
	return test;
}

/* The operator behind the variable; a boolean needs none. */
static int
op_parse(struct parser *p, struct condition_node *test)
{
	enum weir_value_type type = test->var->row->type;
	size_t i;

	for (i = 0; i < CONDITION_OP_COUNT; i++)
		if (token_is(&p->now, ops[i].word))
			break;
	if (i == CONDITION_OP_COUNT && type == WEIR_VALUE_BOOL) {
		test->kind = CONDITION_TRUE;
		return 0;
	}
	if (i == CONDITION_OP_COUNT || (ops[i].types & 1U << type) == 0) {
		if (p->now.kind == TOKEN_BAD)
			fail_wanted(p, NULL);
		else
			fail_at(p, p->now.at, op_why(p, test->var));
		return -1;
	}
	test->op = (enum condition_op)i;
	step(p);
	return 0;
}

/* Why the token is no operator for that variable. */
static const char *
op_why(struct parser *p, const struct variable *var)
{
	struct arena *a = p->scope->arena;
	struct near near = { .word = token_text(a, &p->now) };
	const char *all = "", *hint = keyword_why(p);
	size_t i;

	if (hint != NULL)
		return hint;
	if (token_is(&p->now, "not"))
		return arena_printf(a,
			"\"not\" goes ahead: write \"not %s in ...\"",
			var->name);
	hint = "";
	for (i = 0; i < CONDITION_OP_COUNT; i++) {
		if ((ops[i].types & 1U << var->row->type) == 0)
			continue;
		all = arena_printf(a, "%s%s\"%s\"", all,
			*all != '\0' ? ", " : "", ops[i].word);
		if (p->now.kind == TOKEN_WORD)
			near_try(&near, ops[i].word);
	}
	if (near.best != NULL)
		hint = arena_printf(a, " (did you mean \"%s\"?)", near.best);
	return arena_printf(a, "\"%s\" is %s and takes %s, not %s%s", var->name,
		operand_type(var->row->type), all, token_shown(a, &p->now),
		hint);
}

/* One value, or behind "in" a list of them. */
static int
values_parse(struct parser *p, struct condition_node *test)
{
	if (test->op != CONDITION_IN || p->now.kind != TOKEN_LIST)
		return value_parse(p, test);
	do {
		step(p);
		if (value_parse(p, test) == -1)
			return -1;
	} while (p->now.kind == TOKEN_COMMA);
	if (p->now.kind != TOKEN_LIST_END) {
		fail_wanted(p, "\",\" or \"]\"");
		return -1;
	}
	step(p);
	return 0;
}

static int
value_parse(struct parser *p, struct condition_node *test)
{
	struct arena *a = p->scope->arena;
	struct condition_value v = { 0 };
	const char *why = NULL, *wanted;

	wanted = operand_wanted(test->var->row->type, test->op);
	if (p->now.kind != TOKEN_WORD && p->now.kind != TOKEN_STRING) {
		why = list_why(p, test);
		if (why != NULL)
			fail_at(p, p->now.at, why);
		else
			fail_wanted(p, wanted);
		return -1;
	}
	if (operand_set(a, &v, test->var->row->type, test->op, &p->now, &why) ==
		-1) {
		if (why != NULL)
			fail(p, "%s: %s", token_shown(a, &p->now), why);
		else
			fail_wanted(p, wanted);
		return -1;
	}
	if (!part_fits(p))
		return -1;
	test->values =
		arena_grow(a, test->values, test->n, sizeof(*test->values));
	test->values[test->n++] = v;
	step(p);
	return 0;
}

/* Why the token, of which there is no variable, is none: why, or better. */
static const char *
name_why(struct parser *p, const char *why)
{
	const char *keyword = keyword_why(p);

	if (keyword != NULL)
		return keyword;
	if (token_is(&p->now, "true") || token_is(&p->now, "false"))
		return arena_printf(p->scope->arena,
			"%s alone is no condition; a variable is compared with "
			"it",
			token_shown(p->scope->arena, &p->now));
	if ((*p->now.at >= '0' && *p->now.at <= '9') ||
		memchr(p->now.at, ':', p->now.len) != NULL)
		return value_first;
	return why;
}

/* What is said of a keyword that is not in small letters; NULL: it is none. */
static const char *
keyword_why(struct parser *p)
{
	static const char *const words[] = { "and", "or", "not", "in", "starts",
		"ends", "true", "false" };
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (p->now.kind == TOKEN_WORD && !token_is(&p->now, words[i]) &&
			strlen(words[i]) == p->now.len &&
			strncasecmp(words[i], p->now.at, p->now.len) == 0)
			return arena_printf(p->scope->arena,
				"write \"%s\", in small letters", words[i]);
	return NULL;
}

/* What is said of a bracket where a value should be; NULL: nothing. */
static const char *
list_why(struct parser *p, const struct condition_node *test)
{
	const char *end = strchr(p->now.at, ']');

	if (p->now.kind == TOKEN_OPEN && test->op == CONDITION_IN)
		return "a list stands in square brackets, \"[ ]\"";
	if (p->now.kind != TOKEN_LIST || test->op == CONDITION_IN)
		return NULL;
	if (test->var->row->type == WEIR_VALUE_ADDR && end != NULL &&
		end[1] == ':')
		return "an address with brackets stands in single quotes, as "
		       "'[::1]:80'";
	if ((ops[CONDITION_IN].types & 1U << test->var->row->type) == 0)
		return NULL;
	return arena_printf(p->scope->arena,
		"a list is compared by \"in\": write \"%s%s in [...]\"",
		test->op == CONDITION_OTHER ? "not " : "", test->var->name);
}

static struct condition_node *
node_add(struct parser *p, enum condition_kind kind)
{
	struct condition_node *node;

	if (!part_fits(p))
		return NULL;
	node = arena_alloc(p->scope->arena, sizeof(*node));
	node->kind = kind;
	return node;
}

static bool
part_fits(struct parser *p)
{
	if (p->parts++ < CONDITION_PARTS)
		return true;
	fail(p, "there are more than %d parts", CONDITION_PARTS);
	return false;
}

static bool
level_fits(struct parser *p)
{
	if (p->depth++ < CONDITION_DEPTH)
		return true;
	fail(p, "\"(\" and \"not\" are more than %d levels deep",
		CONDITION_DEPTH);
	return false;
}

static void
step(struct parser *p)
{
	p->now = token_read(p->now.at + p->now.len);
}

/* These return NULL, for the parsers. */
static void *
fail_at(struct parser *p, const char *at, const char *why)
{
	*p->fault =
		(struct variable_fault){ (size_t)(at - p->k->text) + 1, why };
	return NULL;
}

static void *
fail(struct parser *p, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fail_at(p, p->now.at, arena_vprintf(p->scope->arena, fmt, ap));
	va_end(ap);
	return NULL;
}

static void *
fail_wanted(struct parser *p, const char *wanted)
{
	const char *keyword = keyword_why(p);

	if (p->now.kind == TOKEN_BAD || keyword != NULL)
		return fail_at(
			p, p->now.at, keyword != NULL ? keyword : p->now.why);
	return fail(p, "wants %s, not %s", wanted,
		token_shown(p->scope->arena, &p->now));
}
