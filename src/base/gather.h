/* gather.h - the first rows of many, in some order, in bounded memory. */
#ifndef BASE_GATHER_H
#define BASE_GATHER_H

#include <stdbool.h>
#include <stddef.h>

struct link_row;

struct gather {
	struct link_row **v; /* its own copies */
	size_t n;
	size_t room;
	size_t most; /* that are wanted */
	bool reverse;
	bool full; /* v[most - 1] is the last of those that are wanted */
};

/* Wants the first most rows, by link_row_compare(). */
void gather_init(struct gather *g, size_t most, bool reverse);
void gather_done(struct gather *g);
/* Can it be one of the first?  Its texts do not count. */
bool gather_wants(const struct gather *g, const struct link_row *row);
/* Adds a copy, which others may push out; -1 with ENOMEM. */
int gather_add(struct gather *g, const struct link_row *row);
/* Puts them in order, and drops those that are too many. */
void gather_sort(struct gather *g);

#endif
