/* operand.h - the values that conditions compare variables with. */
#ifndef CONF_OPERAND_H
#define CONF_OPERAND_H

#include "conf/condition.h"
#include "conf/token.h"

/* "a number", "an IP address", ... */
const char *operand_type(enum weir_value_type type);
/* What stands behind op for a variable of that type: "a number such as 80". */
const char *operand_wanted(enum weir_value_type type, enum condition_op op);
/* Reads a word or string into v; -1 when it is not what is wanted, with *why
 * when there is more to say. */
int operand_set(struct arena *a, struct condition_value *v,
	enum weir_value_type type, enum condition_op op, const struct token *t,
	const char **why);

#endif
