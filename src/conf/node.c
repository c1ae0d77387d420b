/* node.c - a configuration as a tree of values, before options are known. */
#include <stdlib.h>
#include <string.h>

#include <libconfig.h>

#include "conf/node.h"

#define VOID	  "\x01" /* as libconfig reads SCAN_VOID */
#define NEAR_TEXT 60	 /* bytes of a wrong line that are shown */

static struct node *node_convert(struct arena *a, const config_setting_t *s);
static void
parse_error(const config_t *config, const char *text, struct weir_diag *d);

struct node *
node_parse(const char *text, struct weir_diag *d)
{
	struct node *root = NULL;
	config_t config;

	config_init(&config);
	if (config_read_string(&config, text) == CONFIG_TRUE)
		root = node_convert(d->arena, config_root_setting(&config));
	else
		parse_error(&config, text, d);
	config_destroy(&config);
	return root;
}

struct node *
node_new(struct arena *a, enum node_kind kind, const char *name,
	const char *text, struct place place)
{
	struct node *n = arena_alloc(a, sizeof(*n));

	*n = (struct node){
		.kind = kind, .name = name, .text = text, .place = place
	};
	return n;
}

struct node *
node_split(
	struct arena *a, const char *name, const char *text, struct place place)
{
	struct node *list = node_new(a, NODE_LIST, name, NULL, place);
	struct node **end = &list->first;
	size_t n;

	while (*(text += strspn(text, ", ")) != '\0') {
		n = strcspn(text, ", ");
		*end = node_new(
			a, NODE_STRING, NULL, arena_strndup(a, text, n), place);
		end = &(*end)->next;
		text += n;
	}
	return list;
}

struct node *
node_member(const struct node *group, const char *name)
{
	struct node *n;

	for (n = group->first; n != NULL; n = n->next)
		if (n->name != NULL && strcmp(n->name, name) == 0)
			break;
	return n;
}

void
node_set(struct node *group, struct node *member)
{
	struct node **at = &group->first;

	while (*at != NULL && strcmp((*at)->name, member->name) != 0)
		at = &(*at)->next;
	member->next = *at != NULL ? (*at)->next : NULL;
	*at = member;
}

bool
node_has_void(const struct node *node)
{
	const struct node *n;

	for (n = node->first; n != NULL; n = n->next)
		if (node_has_void(n))
			return true;
	return node->kind == NODE_VOID;
}

const char *
node_kind_word(enum node_kind kind)
{
	static const char *const words[] = {
		[NODE_VOID] = "nothing",
		[NODE_BOOL] = "a boolean",
		[NODE_INT] = "an integer",
		[NODE_FLOAT] = "a float",
		[NODE_STRING] = "a string",
		[NODE_LIST] = "a list",
		[NODE_GROUP] = "a group",
	};

	return words[kind];
}

/* The scan has bounded how deep this goes. */
static struct node *
node_convert(struct arena *a, const config_setting_t *s)
{
	struct node *n = arena_alloc(a, sizeof(*n)), **end = &n->first;
	const config_setting_t *member;
	const char *name = config_setting_name(s);
	unsigned i;

	n->name = name != NULL ? arena_strdup(a, name) : NULL;
	n->place.line = config_setting_source_line(s);
	if (n->place.line == 0)
		n->place.line = 1; /* the root has none */
	switch (config_setting_type(s)) {
	case CONFIG_TYPE_BOOL:
		n->kind = NODE_BOOL;
		n->text = config_setting_get_bool(s) ? "true" : "false";
		return n;
	case CONFIG_TYPE_INT:
	case CONFIG_TYPE_INT64:
		n->kind = NODE_INT;
		n->text = arena_printf(a, "%lld", config_setting_get_int64(s));
		return n;
	case CONFIG_TYPE_FLOAT:
		n->kind = NODE_FLOAT;
		n->text = arena_printf(a, "%g", config_setting_get_float(s));
		return n;
	case CONFIG_TYPE_STRING:
		n->text = arena_strdup(a, config_setting_get_string(s));
		n->kind = strcmp(n->text, VOID) == 0 ? NODE_VOID : NODE_STRING;
		return n;
	case CONFIG_TYPE_GROUP:
		n->kind = NODE_GROUP;
		break;
	default:
		n->kind = NODE_LIST;
		break;
	}
	for (i = 0; (member = config_setting_get_elem(s, i)) != NULL; i++) {
		*end = node_convert(a, member);
		end = &(*end)->next;
	}
	return n;
}

/* libconfig says what and in which line, but not near which words. */
static void
parse_error(const config_t *config, const char *text, struct weir_diag *d)
{
	unsigned line = (unsigned)config_error_line(config), i;
	const char *next;
	int n;

	if (line == 0)
		line = 1;
	for (i = 1; i < line && (next = strchr(text, '\n')) != NULL; i++)
		text = next + 1;
	text += strspn(text, " \t");
	n = (int)strcspn(text, "\r\n");
	diag_error(d, &(struct place){ .line = line }, NULL,
		n > 0 ? "%s near \"%.*s\"" : "%s before the end of the file",
		config_error_text(config), n < NEAR_TEXT ? n : NEAR_TEXT, text);
}
