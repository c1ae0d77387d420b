/* services.h - the extensions of a configuration inside one process. */
#ifndef ENGINE_SERVICES_H
#define ENGINE_SERVICES_H

#include <stddef.h>
#include <stdint.h>

#include "api/extension.h"

struct event;
struct heritage;

struct services {
	struct weir_service *v; /* state NULL and type NULL: absent */
	struct weir_table **tables;
	size_t ntables;
	size_t n;
	struct event *settle;
};

/* Starts them in order, and takes part in their tables as the heritage's owner;
 * an optional one that cannot is logged and absent.  -1 with errno, logged, all
 * stopped again. */
int services_init(struct services *s, const struct heritage *h,
	enum weir_process process, struct event_base *base);
/* Stops them in reverse order. */
void services_done(struct services *s);
/* The one of that name, or NULL. */
struct weir_service *services_find(const struct services *s, const char *name);
/* Stops one that could not go on, and says so: it is absent from here on. */
void services_drop(struct services *s, struct weir_service *service, int err);

#endif
