/* entry.h - a list of modules in a configuration: what middlewares and
 * extensions have in common. */
#ifndef CONF_ENTRY_H
#define CONF_ENTRY_H

#include "conf/late.h"
#include "conf/option.h"

/* A module, as far as its options go. */
struct entry_type {
	const void *module; /* NULL: none */
	const char *name;
	const struct weir_opt *opts;
	size_t conf_size;
	int (*check)(const void *conf, struct weir_diag *d);
};

/* Options of every entry; a kind has rows for some of them. */
struct entry_common {
	const char *type;
	const char *name;
	int64_t order;
	bool enabled;
	bool optional;
	const struct weir_condition *when;
};

struct entry_kind {
	const char *word;	     /* "middleware" */
	const char *one;	     /* "a middleware" */
	const struct weir_opt *rows; /* of struct entry_common */
	/* The i-th of this build; module is NULL when there are no more. */
	struct entry_type (*type)(size_t i);
};

/* One entry as written. */
struct conf_entry {
	const struct node *node;
	struct entry_common common;
	struct entry_type type;
	const char *name; /* its own, or the type's */
	const char *path; /* in messages */
	const void *conf;
	struct conf_setting *settings;
	size_t nsettings;
	struct option_late *late;
	size_t nlate;
	bool failed; /* something is wrong with it */
};

/* What a list came to. */
struct entries {
	struct conf_entry *all;
	struct conf_entry **chain; /* those that stay, by order */
	size_t n;		   /* of the chain */
	bool incomplete;	   /* not all could be read */
};

/* Reads the entries of node, as row says: replaced by name, without the
 * disabled ones, sorted by order, checked; their settings go to l. */
void entries_load(struct option_loader *l, const struct entry_kind *kind,
	const struct weir_opt *row, const struct node *node,
	const struct option_scope *scope, struct entries *es);
/* Rows of the entry's type, or NULL when it has none. */
const struct weir_opt *
entry_type_rows(const struct entry_kind *kind, const struct node *entry);
/* Is name made of letters, digits, "_", "." and "-" only? */
bool entry_is_name(const char *name);

/* "type", "name", "order" and "enabled", which every kind has. */
#define ENTRY_ROWS(what)                                                       \
	WEIR_STRING("type", struct entry_common, type, .flags = WEIR_OPTIONAL, \
		.help = "Which " what " this is."),                            \
		WEIR_STRING("name", struct entry_common, name,                 \
			.flags = WEIR_OPTIONAL,                                \
			.help = "Its own name, else it has that of its type; " \
				"an entry that gives a name takes the place "  \
				"of the first earlier one that has it."),      \
		WEIR_BOOL("enabled", struct entry_common, enabled,             \
			.def = "true",                                         \
			.help = "With false the entry is as if not written, "  \
				"and so is the first earlier one of its "      \
				"name; without a type there must be one.")

#endif
