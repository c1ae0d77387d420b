/* claim.h - columns of tables that middlewares count in: whether they are there
 * and go together. */
#ifndef CONF_CLAIM_H
#define CONF_CLAIM_H

#include "conf/option.h"

struct conf_entry;

/* One of an entry, as it was written. */
struct claim;

/* Those of a configuration; zeros: none yet. */
struct claims {
	struct claim *v;
	size_t n;
	bool unsure; /* something is wrong with the tables */
};

/* Keeps what the entry of that stage claims, if l->claims is not NULL, once its
 * column is there; server names it in the list of its server. */
void claims_keep(struct option_loader *l, const struct conf_entry *e,
	const struct conf_stage *stage, const char *server);
/* Reports which of all that were kept spoil one another. */
void claims_check(struct option_loader *l);

#endif
