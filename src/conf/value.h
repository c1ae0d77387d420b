/* value.h - one scalar of an option row, from text and as text. */
#ifndef CONF_VALUE_H
#define CONF_VALUE_H

#include "api/option.h"
#include "base/arena.h"
#include "conf/node.h"

/* The type of a row's scalars: that of its entries when it is a list. */
enum weir_type value_type(const struct weir_opt *row);
/* Bytes of one scalar of that type. */
size_t value_size(enum weir_type type);
/* "integer", "list of addresses", ...: for people. */
const char *value_word(enum weir_type type);
/* What a scalar of the row looks like: "a time such as \"30s\"", or its
 * choices. Lives in a. */
const char *value_wanted(struct arena *a, const struct weir_opt *row);
/* "1..65535" in the units of the row, or NULL when it has no range. */
const char *value_range(struct arena *a, const struct weir_opt *row);
/* Reads text into a scalar; strings are borrowed.  NULL, or why it cannot be
 * (lives in a). */
const char *value_set(struct arena *a, const struct weir_opt *row,
	const char *text, void *field);
/* A scalar as text that value_set() takes; lives in a or is borrowed. */
const char *
value_text(struct arena *a, const struct weir_opt *row, const void *field);
#endif
