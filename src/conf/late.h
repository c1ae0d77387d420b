/* late.h - options that can be compiled only when the whole chain is known. */
#ifndef CONF_LATE_H
#define CONF_LATE_H

#include "conf/option.h"
#include "conf/variable.h"

/* One of them, its object made but empty. */
struct option_late {
	const struct weir_opt *row;
	void *object; /* struct weir_format or struct weir_condition */
	struct place place;
	const char *path; /* as in messages */
};

/* Is a row of that type compiled late? */
bool late_is(enum weir_type type);
/* Makes the object of a text; both live in a, or text is borrowed. */
const void *late_new(struct arena *a, enum weir_type type, const char *text);
/* The text of an object, as written. */
const char *late_text(enum weir_type type, const void *object);
/* Keeps the object of a field of that row until late_compile(); what is NULL
 * needs none. */
void late_keep(struct option_loader *l, const struct weir_opt *row,
	const void *field, const struct place *place, const char *path);
/* Compiles it; errors go to l->diag, and -1. */
int late_compile(struct option_loader *l, const struct option_late *late,
	const struct variable_scope *scope);
/* Takes the condition on an entry for that stage of the scope, when it can be
 * decided before the stage has to act. */
void late_when(struct option_loader *l, const struct option_late *late,
	const struct variable_scope *scope, struct conf_stage *stage);

/* Reports variables of a compiled format that are not known yet when that stage
 * of the scope wants it, as WEIR_FOR_OPEN and WEIR_FOR_BYTES say. */
void late_moment(struct option_loader *l, const struct option_late *late,
	const struct variable_scope *scope, unsigned stage);

#endif
