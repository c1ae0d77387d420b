/* format.h - text with variables, compiled at load. */
#ifndef CONF_FORMAT_H
#define CONF_FORMAT_H

#include "conf/variable.h"

/* A literal, or a variable. */
struct format_part {
	const struct variable *var; /* NULL: a literal */
	const char *text;
	size_t len;
	bool again;  /* a variable that an earlier part has too */
	bool quoted; /* a variable between two " of literals */
};

struct weir_format {
	const char *text; /* as written */
	struct format_part *parts;
	size_t n;
};

/* Compiles f->text, "%{NAME}" and "%%", in the scope's arena, which it borrows
 * names from; -1 with *fault. */
int format_compile(struct weir_format *f, const struct variable_scope *s,
	struct variable_fault *fault);

#endif
