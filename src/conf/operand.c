/* operand.c - the values that conditions compare variables with. */
#include <string.h>

#include "base/addr.h"
#include "api/option.h"
#include "base/units.h"
#include "conf/network.h"
#include "conf/operand.h"

enum form { FORM_NUMBER, FORM_TEXT, FORM_ADDR, FORM_IP, FORM_NET, FORM_BOOL };

static enum form form_of(enum weir_value_type type, enum condition_op op);
static int number_set(struct condition_value *v, const struct token *t,
	const char *text, const char **why);
static int
ip_set(struct condition_value *v, const char *text, const char **why);

const char *
operand_type(enum weir_value_type type)
{
	static const char *const words[] = {
		[WEIR_VALUE_NONE] = "nothing",
		[WEIR_VALUE_NUMBER] = "a number",
		[WEIR_VALUE_TEXT] = "a text",
		[WEIR_VALUE_ADDR] = "an address",
		[WEIR_VALUE_IP] = "an IP address",
		[WEIR_VALUE_BOOL] = "a boolean",
	};

	return words[type];
}

const char *
operand_wanted(enum weir_value_type type, enum condition_op op)
{
	static const char *const words[] = {
		[FORM_NUMBER] = "a number such as 80",
		[FORM_TEXT] = "a string in single quotes",
		[FORM_ADDR] = "an address such as 127.0.0.1:80",
		[FORM_IP] = "an IP address such as 127.0.0.1",
		[FORM_NET] = "a network such as 10.0.0.0/8",
		[FORM_BOOL] = "true or false",
	};

	return words[form_of(type, op)];
}

int
operand_set(struct arena *a, struct condition_value *v,
	enum weir_value_type type, enum condition_op op, const struct token *t,
	const char **why)
{
	const char *text = token_text(a, t);

	*why = NULL;
	switch (form_of(type, op)) {
	case FORM_NUMBER:
		return number_set(v, t, text, why);
	case FORM_TEXT:
		v->text = text;
		v->len = strlen(text);
		return t->kind == TOKEN_STRING ? 0 : -1;
	case FORM_ADDR:
		return addr_parse(&v->addr, text, why);
	case FORM_IP:
		return ip_set(v, text, why);
	case FORM_NET:
		return network_parse(a, &v->net, text, why);
	case FORM_BOOL:
		v->number = token_is(t, "true");
		return v->number != 0 || token_is(t, "false") ? 0 : -1;
	}
	return -1;
}

static enum form
form_of(enum weir_value_type type, enum condition_op op)
{
	if (type == WEIR_VALUE_BOOL)
		return FORM_BOOL;
	if (type == WEIR_VALUE_NUMBER)
		return FORM_NUMBER;
	if (type == WEIR_VALUE_TEXT || op == CONDITION_STARTS ||
		op == CONDITION_ENDS)
		return FORM_TEXT;
	if (op == CONDITION_IN)
		return FORM_NET;
	return type == WEIR_VALUE_IP ? FORM_IP : FORM_ADDR;
}

static int
number_set(struct condition_value *v, const struct token *t, const char *text,
	const char **why)
{
	int64_t n;

	if (t->kind != TOKEN_WORD || *text < '0' || *text > '9' ||
		units_int(text, &n, why) == -1)
		return -1;
	v->number = (uint64_t)n;
	return 0;
}

static int
ip_set(struct condition_value *v, const char *text, const char **why)
{
	if (strchr(text, '/') != NULL) {
		*why = "write \"in\" for a network";
		return -1;
	}
	/* But not "all". */
	if (weir_cidr_parse(&v->net, text, why) == 0 && v->net.bits == 128)
		return 0;
	*why = NULL;
	return -1;
}
