/* registry.c - the table of all modules, from the generated modules.def. */
#include <string.h>

#include "registry.h"

#define MIDDLEWARE(name) extern const struct weir_middleware mw_##name;
#include "modules.def"
#undef MIDDLEWARE

const struct weir_middleware *const registry_middlewares[] = {
#define MIDDLEWARE(name) &mw_##name,
#include "modules.def"
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
