/* registry.c - the table of all modules, from the generated modules.def. */
#include <string.h>

#include "registry.h"

#ifndef REGISTRY_MORE
#define REGISTRY_MORE /* what tests add */
#endif

#ifndef REGISTRY_MORE_EXTENSIONS
#define REGISTRY_MORE_EXTENSIONS
#endif

#define LEFT_OUT(name)
#define MIDDLEWARE(name) extern const struct weir_middleware mw_##name;
#define EXTENSION(name)	 extern const struct weir_extension ext_##name;
#include "modules.def"
#undef EXTENSION
#undef MIDDLEWARE

#define MIDDLEWARE(name)
#define EXTENSION(name) &ext_##name,
const struct weir_extension *const registry_extensions[] = {
#include "modules.def"
	REGISTRY_MORE_EXTENSIONS NULL
};
#undef EXTENSION

#define EXTENSION(name) #name,
static const char *const registry_extension_names[] = {
#include "modules.def"
	NULL
};
#undef EXTENSION
#undef MIDDLEWARE
#define EXTENSION(name)

const struct weir_middleware *const registry_middlewares[] = {
#define MIDDLEWARE(name) &mw_##name,
#include "modules.def"
#undef MIDDLEWARE
	REGISTRY_MORE NULL
};

/* What modules.list calls them, in the same order; those of tests have none. */
static const char *const registry_names[] = {
#define MIDDLEWARE(name) #name,
#include "modules.def"
#undef MIDDLEWARE
	NULL
};
#undef LEFT_OUT

static const char *const registry_absent[] = {
#define MIDDLEWARE(name)
#define LEFT_OUT(name) #name,
#include "modules.def"
#undef LEFT_OUT
#undef MIDDLEWARE
	NULL
};

static int
middleware_check(const struct weir_middleware *mw, const char *name, FILE *err);
static int
extension_check(const struct weir_extension *ext, const char *name, FILE *err);
static int rows_check(
	const struct weir_opt *rows, size_t size, const char *name, FILE *err);

const struct weir_middleware *
registry_find(const char *name)
{
	const struct weir_middleware *const *mw;

	for (mw = registry_middlewares; *mw != NULL; mw++)
		if (strcmp((*mw)->name, name) == 0)
			return *mw;
	return NULL;
}

bool
registry_left_out(const char *name)
{
	size_t i;

	for (i = 0; registry_absent[i] != NULL; i++)
		if (strcmp(registry_absent[i], name) == 0)
			return true;
	return false;
}

int
registry_check(FILE *err)
{
	bool listed = true;
	int rc = 0;
	size_t i;

	for (i = 0; registry_middlewares[i] != NULL; i++) {
		const struct weir_middleware *mw = registry_middlewares[i];

		listed = listed && registry_names[i] != NULL;
		if (middleware_check(mw, listed ? registry_names[i] : mw->name,
			    err) == -1)
			rc = -1;
	}
	listed = true;
	for (i = 0; registry_extensions[i] != NULL; i++) {
		const struct weir_extension *ext = registry_extensions[i];

		listed = listed && registry_extension_names[i] != NULL;
		if (extension_check(ext,
			    listed ? registry_extension_names[i] : ext->name,
			    err) == -1)
			rc = -1;
	}
	return rc;
}

static int
middleware_check(const struct weir_middleware *mw, const char *name, FILE *err)
{
	const struct weir_variable *v;
	int rc = 0;

	if (mw->name == NULL || strcmp(mw->name, name) != 0) {
		fprintf(err,
			"weir: module %s: .name of mw_%s has to be \"%s\", "
			"not %s%s%s\n",
			name, name, name, mw->name != NULL ? "\"" : "",
			mw->name != NULL ? mw->name : "NULL",
			mw->name != NULL ? "\"" : "");
		rc = -1;
	}
	if (mw->help == NULL) {
		fprintf(err,
			"weir: module %s: mw_%s has no .help, one sentence "
			"with its full stop\n",
			name, name);
		rc = -1;
	}
	if ((mw->flags & WEIR_PREREAD) && mw->up == NULL) {
		fprintf(err,
			"weir: module %s: mw_%s has WEIR_PREREAD, but no .up "
			"to be shown bytes\n",
			name, name);
		rc = -1;
	}
	for (v = mw->variables; v != NULL && v->name != NULL; v++)
		if (v->help == NULL || v->get == NULL) {
			fprintf(err,
				"weir: module %s: variable \"%s\" has no %s\n",
				name, v->name,
				v->help == NULL ? ".help" : ".get");
			rc = -1;
		}
	if (rows_check(mw->opts, mw->conf_size, name, err) == -1)
		rc = -1;
	return rc;
}

static int
extension_check(const struct weir_extension *ext, const char *name, FILE *err)
{
	int rc = 0;

	if (ext->name == NULL || strcmp(ext->name, name) != 0) {
		fprintf(err,
			"weir: module %s: .name of ext_%s has to be \"%s\", "
			"not %s%s%s\n",
			name, name, name, ext->name != NULL ? "\"" : "",
			ext->name != NULL ? ext->name : "NULL",
			ext->name != NULL ? "\"" : "");
		rc = -1;
	}
	if (ext->help == NULL) {
		fprintf(err,
			"weir: module %s: ext_%s has no .help, one sentence "
			"with its full stop\n",
			name, name);
		rc = -1;
	}
	if (rows_check(ext->opts, ext->conf_size, name, err) == -1)
		rc = -1;
	return rc;
}

/* size: of the struct that they fill. */
static int
rows_check(
	const struct weir_opt *rows, size_t size, const char *name, FILE *err)
{
	const struct weir_opt *row;
	int rc = 0;

	for (row = rows; row != NULL && row->key != NULL; row++) {
		if (row->help == NULL) {
			fprintf(err,
				"weir: module %s: option \"%s\" has no "
				".help, one sentence with its full stop\n",
				name, row->key);
			rc = -1;
		}
		if (row->off >= size) {
			fprintf(err,
				"weir: module %s: option \"%s\" does not fit "
				"into %zu bytes: .conf_size (.size of a group) "
				"is sizeof the struct that the rows fill\n",
				name, row->key, size);
			rc = -1;
		}
		if (row->rows != NULL &&
			rows_check(row->rows->opts, row->rows->size, name,
				err) == -1)
			rc = -1;
	}
	return rc;
}
