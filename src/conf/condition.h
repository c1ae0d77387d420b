/* condition.h - an expression over variables, compiled at load. */
#ifndef CONF_CONDITION_H
#define CONF_CONDITION_H

#include "conf/variable.h"

#define CONDITION_DEPTH 32  /* levels of "(" and "not" */
#define CONDITION_PARTS 256 /* tests, values and groups of one condition */

#define CONDITION_NAMED                                                        \
	(1U << WEIR_VALUE_TEXT | 1U << WEIR_VALUE_ADDR | 1U << WEIR_VALUE_IP)
#define CONDITION_COUNTED (1U << WEIR_VALUE_NUMBER)
#define CONDITION_ANY                                                          \
	(CONDITION_NAMED | CONDITION_COUNTED | 1U << WEIR_VALUE_BOOL)

/* id, word, types of variables that it takes */
#define CONDITION_OPS(X)                                                       \
	X(EQUAL, "==", CONDITION_ANY)                                          \
	X(OTHER, "!=", CONDITION_ANY)                                          \
	X(LESS, "<", CONDITION_COUNTED)                                        \
	X(AT_MOST, "<=", CONDITION_COUNTED)                                    \
	X(MORE, ">", CONDITION_COUNTED)                                        \
	X(AT_LEAST, ">=", CONDITION_COUNTED)                                   \
	X(STARTS, "starts", CONDITION_NAMED)                                   \
	X(ENDS, "ends", CONDITION_NAMED)                                       \
	X(IN, "in", CONDITION_NAMED | CONDITION_COUNTED)

enum condition_op {
#define X(id, word, types) CONDITION_##id,
	CONDITION_OPS(X)
#undef X
		CONDITION_OP_COUNT
};

enum condition_kind {
	CONDITION_OR,	/* one of its nodes holds */
	CONDITION_AND,	/* all of them do */
	CONDITION_NOT,	/* its only node does not */
	CONDITION_TEST, /* var op one of values */
	CONDITION_TRUE	/* var, a boolean */
};

struct condition_value {
	uint64_t number; /* of a boolean too */
	const char *text;
	size_t len;
	struct weir_addr addr;
	struct weir_cidr net; /* of an IP address, and behind "in" */
};

struct condition_node {
	enum condition_kind kind;
	struct condition_node *first, *next;
	const struct variable *var;
	enum condition_op op;
	struct condition_value *values;
	size_t n;
};

/* A variable where it stands. */
struct condition_use {
	const struct variable *var;
	size_t column;
};

struct weir_condition {
	const char *text; /* as written */
	const struct condition_node *root;
	struct condition_use *uses;
	size_t n;
};

/* Compiles k->text in the scope's arena; -1 with *fault. */
int condition_compile(struct weir_condition *k, const struct variable_scope *s,
	struct variable_fault *fault);

#endif
