/* decide.c - whether conditions hold for a channel. */
#include <string.h>

#include "base/addr.h"
#include "conf/condition.h"
#include "conf/reading.h"

static bool node_holds(struct reading *r, const struct condition_node *n);
static bool test_holds(struct reading *r, const struct condition_node *n);
static bool value_fits(enum condition_op op, const struct weir_value *v,
	const struct condition_value *with);
static bool same(enum condition_op op, const struct weir_value *v,
	const struct condition_value *with);
static bool text_fits(enum condition_op op, const struct weir_value *v,
	const struct condition_value *with);
static bool addr_same(const struct weir_addr *a, const struct weir_addr *b);

bool
weir_condition_holds(const struct weir_call *c, const struct weir_condition *k)
{
	struct reading r = { .c = c };

	return k == NULL || node_holds(&r, k->root);
}

/* The compiler has bounded how deep this goes. */
static bool
node_holds(struct reading *r, const struct condition_node *n)
{
	const struct condition_node *part;
	struct weir_value v;

	switch (n->kind) {
	case CONDITION_OR:
		for (part = n->first; part != NULL; part = part->next)
			if (node_holds(r, part))
				return true;
		return false;
	case CONDITION_AND:
		for (part = n->first; part != NULL; part = part->next)
			if (!node_holds(r, part))
				return false;
		return true;
	case CONDITION_NOT:
		return !node_holds(r, n->first);
	case CONDITION_TEST:
		return test_holds(r, n);
	case CONDITION_TRUE:
		reading_get(r, n->var, &v);
		return v.type == WEIR_VALUE_BOOL && v.number != 0;
	}
	return false;
}

static bool
test_holds(struct reading *r, const struct condition_node *n)
{
	struct weir_value v;
	size_t i;

	reading_get(r, n->var, &v);
	if (v.type == WEIR_VALUE_NONE)
		return false;
	for (i = 0; i < n->n; i++)
		if (value_fits(n->op, &v, &n->values[i]))
			return true;
	return false;
}

static bool
value_fits(enum condition_op op, const struct weir_value *v,
	const struct condition_value *with)
{
	switch (op) {
	case CONDITION_EQUAL:
	case CONDITION_IN:
		return same(op, v, with);
	case CONDITION_OTHER:
		return !same(op, v, with);
	case CONDITION_LESS:
		return v->number < with->number;
	case CONDITION_AT_MOST:
		return v->number <= with->number;
	case CONDITION_MORE:
		return v->number > with->number;
	case CONDITION_AT_LEAST:
		return v->number >= with->number;
	case CONDITION_STARTS:
	case CONDITION_ENDS:
		return text_fits(op, v, with);
	case CONDITION_OP_COUNT:
		break;
	}
	return false;
}

static bool
same(enum condition_op op, const struct weir_value *v,
	const struct condition_value *with)
{
	switch (v->type) {
	case WEIR_VALUE_TEXT:
		return v->len == with->len &&
		       memcmp(v->text, with->text, v->len) == 0;
	case WEIR_VALUE_IP:
		return weir_cidr_has(&with->net, &v->addr);
	case WEIR_VALUE_ADDR:
		return op == CONDITION_IN ? weir_cidr_has(&with->net, &v->addr)
					  : addr_same(&v->addr, &with->addr);
	default:
		return (v->number != 0) == (with->number != 0) &&
		       (v->type == WEIR_VALUE_BOOL ||
			       v->number == with->number);
	}
}

static bool
text_fits(enum condition_op op, const struct weir_value *v,
	const struct condition_value *with)
{
	char room[WEIR_ADDR_TEXT];
	const char *text = v->text;
	size_t len = v->len;

	if (v->type != WEIR_VALUE_TEXT) {
		text = reading_addr_text(v, room);
		len = strlen(text);
	}
	if (len < with->len)
		return false;
	if (op == CONDITION_ENDS)
		text += len - with->len;
	return memcmp(text, with->text, with->len) == 0;
}

/* An IPv4 address is the same when it is v4-mapped. */
static bool
addr_same(const struct weir_addr *a, const struct weir_addr *b)
{
	struct in6_addr left, right;

	if (!reading_ip(a, &left) || !reading_ip(b, &right))
		return addr_equal(a, b);
	return memcmp(&left, &right, sizeof(left)) == 0 &&
	       reading_port(a) == reading_port(b);
}
