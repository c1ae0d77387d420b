/* registry.h - the table of all modules, from the generated modules.def. */
#ifndef REGISTRY_H
#define REGISTRY_H

#include <stdbool.h>
#include <stdio.h>

#include "api/extension.h"
#include "api/middleware.h"

/* Every middleware of this build, by name; ends with NULL. */
extern const struct weir_middleware *const registry_middlewares[];
/* Every extension. */
extern const struct weir_extension *const registry_extensions[];

/* The middleware of that name, or NULL. */
const struct weir_middleware *registry_find(const char *name);
/* Is that a module which this build was configured without? */
bool registry_left_out(const char *name);

/* Does every descriptor have what nothing can do without?  0, or -1 when one
 * does not: err is told whose it is, and what is wrong with it. */
int registry_check(FILE *err);

#endif
