/* node.h - a configuration as a tree of values, before options are known. */
#ifndef CONF_NODE_H
#define CONF_NODE_H

#include <stdbool.h>

#include "conf/diag.h"

enum node_kind {
	NODE_VOID, /* what was wrong and was reported; taken for nothing */
	NODE_BOOL,
	NODE_INT,
	NODE_FLOAT,
	NODE_STRING,
	NODE_LIST,
	NODE_GROUP
};

/* A scalar has its text ("true", "64", "10m"); lists and groups have members,
 * which in groups have names. */
struct node {
	enum node_kind kind;
	const char *name;
	const char *text;
	struct place place;
	struct node *first, *next;
};

/* Parses the text that a scan gave; NULL after an error in d.  The tree lives
 * in d's arena. */
struct node *node_parse(const char *text, struct weir_diag *d);
/* A new node without members; name and text are borrowed. */
struct node *node_new(struct arena *a, enum node_kind kind, const char *name,
	const char *text, struct place place);
/* A list of strings: the parts of text between commas. */
struct node *node_split(struct arena *a, const char *name, const char *text,
	struct place place);
/* The member of that name, or NULL. */
struct node *node_member(const struct node *group, const char *name);
/* Adds a member, instead of the one of its name when there is one. */
void node_set(struct node *group, struct node *member);
/* Is there a NODE_VOID in it? */
bool node_has_void(const struct node *node);
/* "a string", "a list", ... */
const char *node_kind_word(enum node_kind kind);

#endif
