/* registry.h - the table of all modules, from the generated modules.def. */
#ifndef REGISTRY_H
#define REGISTRY_H

#include "api/middleware.h"

/* Every middleware of this build, by name; ends with NULL. */
extern const struct weir_middleware *const registry_middlewares[];

/* The middleware of that name, or NULL. */
const struct weir_middleware *registry_find(const char *name);

#endif
