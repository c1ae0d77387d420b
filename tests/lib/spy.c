/* spy.c - the variables of a middleware, as they are when its channel closes.
 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "lib/spy.h"

#define VARIABLES 8

static const struct weir_middleware *real;
static struct weir_middleware spied;
static char texts[VARIABLES][WEIR_ADDR_TEXT];

static void
value_note(const struct weir_value *v, char text[static WEIR_ADDR_TEXT])
{
	switch (v->type) {
	case WEIR_VALUE_NUMBER:
	case WEIR_VALUE_BOOL:
		snprintf(text, WEIR_ADDR_TEXT, "%" PRIu64, v->number);
		break;
	case WEIR_VALUE_TEXT:
		snprintf(text, WEIR_ADDR_TEXT, "%.*s", (int)v->len, v->text);
		break;
	case WEIR_VALUE_ADDR:
		weir_addr_text(&v->addr, text);
		break;
	default:
		snprintf(text, WEIR_ADDR_TEXT, "-");
	}
}

static struct weir_verdict
spy_close(struct weir_call *c, enum weir_reason reason)
{
	int i;

	for (i = 0; real->variables[i].name != NULL; i++) {
		struct weir_value v = { 0 };

		real->variables[i].get(c, &v);
		assert_true(v.type == WEIR_VALUE_NONE ||
			    v.type == real->variables[i].type);
		value_note(&v, texts[i]);
	}
	return real->close != NULL ? real->close(c, reason) : weir_pass(0);
}

const struct weir_middleware *
spy_on(const struct weir_middleware *mw)
{
	real = mw;
	spied = *mw;
	spied.close = spy_close;
	return &spied;
}

const char *
spy_text(const char *name)
{
	int i;

	for (i = 0; real->variables[i].name != NULL && i < VARIABLES; i++)
		if (strcmp(real->variables[i].name, name) == 0)
			return texts[i];
	fail_msg("there is no variable %s", name);
	return NULL;
}
