/* expand.c - ${NAME} in the strings of a tree of values. */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/expand.h"

#define EXPAND_MAX 65536 /* bytes of a string with its variables */

static const char *text_expand(struct arena *a, const char *text,
	char *const *environ, const char **why);
static const char *variable_value(struct arena *a, const char **text,
	char *const *environ, const char **why);

void
expand_tree(struct node *node, char *const *environ, struct weir_diag *d)
{
	const char *why = NULL, *text;
	struct node *n;

	for (n = node->first; n != NULL; n = n->next) {
		expand_tree(n, environ, d);
		if (n->kind != NODE_STRING || strchr(n->text, '$') == NULL)
			continue;
		text = text_expand(d->arena, n->text, environ, &why);
		if (text != NULL)
			n->text = text;
		else
			diag_error(d, &n->place, NULL, "\"%.64s\": %s", n->text,
				why);
	}
}

static const char *
text_expand(struct arena *a, const char *text, char *const *environ,
	const char **why)
{
	const char *dollar, *value;
	char *buf = NULL, *out = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&buf, &len);

	if (f == NULL)
		err(1, "reading the configuration");
	*why = NULL;
	while (*why == NULL && (dollar = strchr(text, '$')) != NULL) {
		fwrite(text, 1, (size_t)(dollar - text), f);
		text = dollar + 1;
		if (*text == '{') {
			value = variable_value(a, &text, environ, why);
			if (value != NULL)
				fputs(value, f);
		} else {
			text += *text == '$';
			fputc('$', f);
		}
		if (ftell(f) > EXPAND_MAX)
			*why = "longer than 64k with its variables replaced";
	}
	fputs(text, f);
	if (fclose(f) != 0)
		err(1, "reading the configuration");
	if (*why == NULL)
		out = arena_strdup(a, buf);
	free(buf);
	return out;
}

/* Value of the variable whose "{NAME}" *text is at; *text moves behind it. */
static const char *
variable_value(struct arena *a, const char **text, char *const *environ,
	const char **why)
{
	const char *name = *text + 1, *end = strchr(name, '}'), *other = NULL;
	size_t n = strcspn(name, ":}");

	*why = "\"${\" wants NAME} or NAME:-text}; write \"$$\" for a dollar "
	       "sign";
	if (end == NULL || n == 0)
		return NULL;
	if (name[n] == ':' && name[n + 1] != '-')
		return NULL;
	*why = NULL;
	*text = end + 1;
	if (name[n] == ':')
		other = arena_strndup(
			a, name + n + 2, (size_t)(end - name) - n - 2);
	for (; environ != NULL && *environ != NULL; environ++)
		if (strncmp(*environ, name, n) == 0 && (*environ)[n] == '=')
			break;
	if (environ != NULL && *environ != NULL &&
		((*environ)[n + 1] != '\0' || other == NULL))
		return *environ + n + 1;
	if (other == NULL)
		*why = arena_printf(a,
			"environment variable %.*s is not set (write "
			"\"${%.*s:-text}\" for a default)",
			(int)n, name, (int)n, name);
	return other;
}
