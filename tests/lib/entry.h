/* entry.h - one entry of a chain, or of the extensions, as a file would have
 * it. */
#ifndef LIB_ENTRY_H
#define LIB_ENTRY_H

#include "api/middleware.h"
#include "conf/conf.h"

struct entry {
	struct conf *conf;
	const struct conf_stage *stage; /* NULL: refused */
	char *said;			/* what was said against it */
};

/* Loads { type = "TYPE"; OPTIONS }; "${BACKEND}" in the options becomes the
 * address (NULL: 127.0.0.1:9).  entry_free() in any case. */
void entry_try(struct entry *e, const char *type, const char *options,
	const struct weir_addr *backend);
/* The same, but the test fails when it is refused. */
void entry_load(struct entry *e, const char *type, const char *options,
	const struct weir_addr *backend);
/* { type = "TYPE"; OPTIONS } among the extensions, beside a server that echoes;
 * stage stays NULL, and conf is NULL when it is refused. */
void
entry_try_extension(struct entry *e, const char *type, const char *options);
void entry_free(struct entry *e);

#endif
