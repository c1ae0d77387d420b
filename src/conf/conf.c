/* conf.c - a configuration file as one immutable struct. */
#include <string.h>

#include "conf/claim.h"
#include "conf/conf.h"
#include "conf/core.h"
#include "conf/expand.h"
#include "conf/logfile.h"
#include "conf/override.h"
#include "conf/scan.h"

/* A conf and the memory that all of it lives in. */
struct owner {
	struct conf conf;
	struct arena arena;
};

static struct conf *conf_build(struct weir_diag *d, const char *file,
	const char *text, const struct conf_overrides *over, FILE *err);
static struct conf *
conf_fill(struct weir_diag *d, struct node *root, const char *file);

struct conf *
conf_load(const char *file, const struct conf_overrides *over, FILE *err)
{
	return conf_load_texts(file, over, NULL, err);
}

struct conf *
conf_load_texts(const char *file, const struct conf_overrides *over,
	struct texts *texts, FILE *err)
{
	struct arena arena = { NULL };
	struct weir_diag d = { .arena = &arena, .texts = texts };

	return conf_build(&d, file, scan_file(file, &d), over, err);
}

struct conf *
conf_parse(const char *file, const char *text, size_t len,
	const struct conf_overrides *over, FILE *err)
{
	struct arena arena = { NULL };
	struct weir_diag d = { .arena = &arena };

	return conf_build(&d, file, scan_text(file, text, len, &d), over, err);
}

void
conf_free(struct conf *conf)
{
	struct arena arena;

	if (conf == NULL)
		return;
	/* The conf lies in its own arena. */
	arena = ((struct owner *)conf)->arena;
	arena_free(&arena);
}

/* From expanded text (NULL: d has errors); frees d's arena. */
static struct conf *
conf_build(struct weir_diag *d, const char *file, const char *text,
	const struct conf_overrides *over, FILE *err)
{
	struct node *root = text != NULL ? node_parse(text, d) : NULL;
	struct conf *conf = NULL;

	if (root != NULL) {
		expand_tree(root, over != NULL ? over->environ : NULL, d);
		core_name_servers(root, d);
		override_apply(root, over, d, err);
		conf = conf_fill(d, root, file);
	}
	diag_print(d, err);
	arena_free(d->arena);
	return conf;
}

static struct conf *
conf_fill(struct weir_diag *d, struct node *root, const char *file)
{
	struct arena arena = { NULL };
	struct owner *owner = arena_alloc(&arena, sizeof(*owner));
	struct option_loader l = { .arena = &arena, .diag = d };
	struct claims claims = { .v = NULL };
	struct option_scope top = { root, "", "" };
	struct conf *conf = &owner->conf;

	l.extensions = &conf->extensions;
	l.claims = &claims;
	conf->file = arena_strdup(&arena, file);
	option_unknown(&l, core_rows, NULL, &top);
	option_load(&l, core_rows, &top, conf);
	core_check(&l, root, conf);
	conf->settings =
		(struct weir_list){ .n = l.nsettings, .v = l.settings };
	if (d->errors == 0)
		logfile_number(&arena, conf);
	owner->arena = arena;
	if (d->errors == 0)
		return conf;
	conf_free(conf);
	return NULL;
}
