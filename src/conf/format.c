/* format.c - text with variables, compiled at load. */
#include <string.h>

#include "conf/format.h"

#define FORMAT_MAX 256 /* parts */

static const char *variable_add(struct weir_format *f,
	const struct variable_scope *s, const char *at, const char **why);
static bool is_quoted(const struct weir_format *f);
static void part_add(struct weir_format *f, const struct variable_scope *s,
	struct format_part part);

int
format_compile(struct weir_format *f, const struct variable_scope *s,
	struct variable_fault *fault)
{
	const char *p = f->text, *at, *why = NULL;
	size_t n;

	while (*p != '\0') {
		n = strcspn(p, "%");
		/* Of "%%" one stays. */
		n += p[n] == '%' && p[n + 1] == '%';
		if (n > 0)
			part_add(f, s,
				(struct format_part){ .text = p, .len = n });
		at = p + n;
		if (n > 0 && at[-1] == '%') {
			p = at + 1;
			continue;
		}
		p = at;
		if (*at == '%')
			p = variable_add(f, s, at, &why);
		if (p == NULL) {
			*fault = (struct variable_fault){
				(size_t)(at - f->text) + 1, why
			};
			return -1;
		}
	}
	return 0;
}

size_t
weir_format_variables(const struct weir_format *f)
{
	const char *p = f != NULL ? f->text : "";
	size_t n = 0;

	while ((p = strchr(p, '%')) != NULL) {
		n += p[1] == '{';
		p += p[1] != '\0' ? 2 : 1;
	}
	return n;
}

/* The variable whose "%" is at; what is behind it, or NULL. */
static const char *
variable_add(struct weir_format *f, const struct variable_scope *s,
	const char *at, const char **why)
{
	const struct variable *var;
	const char *end;
	bool again = false;
	size_t i;

	*why = "\"%\" begins a variable, \"%{NAME}\"; write \"%%\" for a "
	       "percent sign";
	if (at[1] != '{')
		return NULL;
	*why = "\"%{\" has no \"}\" behind it";
	end = strchr(at, '}');
	if (end == NULL)
		return NULL;
	*why = "there are more than 256 parts";
	if (f->n >= FORMAT_MAX)
		return NULL;
	var = variable_find(s, at + 2, (size_t)(end - at) - 2, why);
	if (var == NULL)
		return NULL;
	for (i = 0; i < f->n && !again; i++)
		again = f->parts[i].var != NULL &&
			strcmp(f->parts[i].var->name, var->name) == 0;
	part_add(f, s,
		(struct format_part){
			.var = var, .again = again, .quoted = is_quoted(f) });
	return end + 1;
}

/* Is what follows the literals so far in quotes? */
static bool
is_quoted(const struct weir_format *f)
{
	bool quoted = false;
	size_t i, j;

	for (i = 0; i < f->n; i++)
		for (j = 0; j < f->parts[i].len; j++)
			quoted ^= f->parts[i].text[j] == '"';
	return quoted;
}

static void
part_add(struct weir_format *f, const struct variable_scope *s,
	struct format_part part)
{
	f->parts = arena_grow(s->arena, f->parts, f->n, sizeof(*f->parts));
	f->parts[f->n++] = part;
}
