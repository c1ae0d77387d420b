/* registry.c - the table of all modules, from the generated modules.def. */
#include <string.h>

#include "registry.h"

#ifndef REGISTRY_MORE
#define REGISTRY_MORE /* what tests add */
#endif

#define LEFT_OUT(name)
#define MIDDLEWARE(name) extern const struct weir_middleware mw_##name;
#include "modules.def"
#undef MIDDLEWARE

const struct weir_middleware *const registry_middlewares[] = {
#define MIDDLEWARE(name) &mw_##name,
#include "modules.def"
#undef MIDDLEWARE
	REGISTRY_MORE NULL
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
