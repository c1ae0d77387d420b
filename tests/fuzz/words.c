/* words.c - writes a dictionary for libFuzzer: what configurations are made of.
 */
#include <stdio.h>

#include "conf/condition.h"
#include "conf/core.h"
#include "conf/variable.h"
#include "registry.h"

#define DEPTH 4 /* of groups in groups */

static const char *const others[] = { "@include", "true", "false", "off", "and",
	"or", "not", "all", "${HOME}", "${NONE:-", "unix:/", "127.0.0.1:1",
	"[::1]:1", "10.0.0.0/8", "%{", "%%", "type", "order", "enabled", "name",
	"when", " = ", "( { ", " } );", "[ ", "0x7fffffffL", "1.5e3", "30s",
	"64k", "servers[0].", "\\x", "/*", "*/", NULL };

/* Quotes and backslashes are the only bytes that need more. */
static void
word(const char *text)
{
	putchar('"');
	for (; *text != '\0'; text++)
		printf(*text == '"' || *text == '\\' ? "\\%c" : "%c", *text);
	puts("\"");
}

static void
words(const char *const *list)
{
	for (; list != NULL && *list != NULL; list++)
		word(*list);
}

static void
rows(const struct weir_opt *row, int depth)
{
	for (; row != NULL && row->key != NULL; row++) {
		word(row->key);
		if (row->def != NULL && *row->def != '\0')
			word(row->def);
		words(row->choices);
		if (row->rows != NULL && depth > 0)
			rows(row->rows->opts, depth - 1);
	}
}

int
main(void)
{
#define X(id, op, types) op,
	static const char *const ops[] = { CONDITION_OPS(X) NULL };
#undef X
	const struct weir_middleware *const *mw = registry_middlewares;
	const struct weir_variable *v = variable_rows;

	words(others);
	words(ops);
	rows(core_rows, DEPTH);
	for (; v->name != NULL; v++)
		word(v->name);
	for (; *mw != NULL; mw++) {
		word((*mw)->name);
		rows((*mw)->opts, DEPTH);
		for (v = (*mw)->variables; v != NULL && v->name != NULL; v++)
			word(v->name);
	}
	return ferror(stdout) != 0;
}
