/* option.h - option rows filled from a tree of values. */
#ifndef CONF_OPTION_H
#define CONF_OPTION_H

#include <stdbool.h>
#include <stddef.h>

#include "api/option.h"
#include "base/arena.h"
#include "conf/conf.h"
#include "conf/diag.h"
#include "conf/node.h"

struct claims;

/* One load of a configuration. */
struct option_loader {
	struct arena *arena; /* of what is filled */
	struct weir_diag *diag;
	struct conf_setting *settings;
	size_t nsettings;
	struct option_late *late; /* what waits for the chain */
	size_t nlate;
	const struct weir_list *extensions; /* NULL: not known */
	struct claims *claims;		    /* NULL: nobody asks */
};

/* A group that is being read, and its names. */
struct option_scope {
	const struct node *group;
	const char *path;    /* in messages: "servers.pg.listen[0]" */
	const char *setting; /* in settings, as -o takes it */
};

/* Fills conf, which rows describe, from the scope's group: defaults, nested
 * groups and settings too.  Errors go to l->diag. */
void option_load(struct option_loader *l, const struct weir_opt *rows,
	const struct option_scope *scope, void *conf);
/* Reports members of the scope's group that are no key of rows or more (may
 * be NULL). */
void option_unknown(struct option_loader *l, const struct weir_opt *rows,
	const struct weir_opt *more, const struct option_scope *scope);
/* The row of that key (of n bytes), or NULL; rows may be NULL. */
const struct weir_opt *
option_find(const struct weir_opt *rows, const char *key, size_t n);
/* " (did you mean \"to\"?)", where else it belongs, or which keys there are;
 * lives in a. */
const char *option_hint(struct arena *a, const struct weir_opt *rows,
	const struct weir_opt *more, const char *key);
/* Makes node a list of groups in place: a scalar becomes a list of one, a bare
 * string the group of its shorthand. */
void
option_entries(struct arena *a, const struct weir_opt *row, struct node *node);
/* Is type a list of scalars?  Of groups? */
bool option_is_list(enum weir_type type);
bool option_is_groups(enum weir_type type);
/* One more setting of -T. */
void option_setting(struct option_loader *l, const char *path,
	const char *value, const char *def, const struct place *place);

#endif
