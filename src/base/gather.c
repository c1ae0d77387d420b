/* gather.c - the first rows of many, in some order. */
#include <stdlib.h>
#include <string.h>

#include "base/gather.h"
#include "base/link.h"

#define ROOM_LEAST 64

static int compare(const void *left, const void *right);
static int compare_reverse(const void *left, const void *right);

void
gather_init(struct gather *g, size_t most, bool reverse)
{
	*g = (struct gather){ .most = most, .reverse = reverse };
}

void
gather_done(struct gather *g)
{
	while (g->n > 0)
		free(g->v[--g->n]);
	free(g->v);
	*g = (struct gather){ 0 };
}

bool
gather_wants(const struct gather *g, const struct link_row *row)
{
	return g->most > 0 &&
	       (!g->full || link_row_compare(
				    row, g->v[g->most - 1], g->reverse) < 0);
}

/* Twice as many as are wanted are sorted now and then: less work than a place
 * for each at once. */
static int
gather_grow(struct gather *g)
{
	size_t room = g->room == 0 ? ROOM_LEAST : g->room * 2;
	struct link_row **v;

	if (g->n >= 2 * g->most && g->n >= ROOM_LEAST) {
		gather_sort(g);
		return 0;
	}
	v = reallocarray(g->v, room, sizeof(struct link_row *));
	if (v == NULL)
		return -1;
	g->v = v;
	g->room = room;
	return 0;
}

int
gather_add(struct gather *g, const struct link_row *row)
{
	struct link_row *copy;

	if (!gather_wants(g, row))
		return 0;
	if (g->n == g->room && gather_grow(g) == -1)
		return -1;
	copy = malloc(row->size);
	if (copy == NULL)
		return -1;
	memcpy(copy, row, row->size);
	g->v[g->n++] = copy;
	return 0;
}

void
gather_sort(struct gather *g)
{
	if (g->n > 1)
		qsort(g->v, g->n, sizeof(struct link_row *),
			g->reverse ? compare_reverse : compare);
	while (g->n > g->most)
		free(g->v[--g->n]);
	g->full = g->most > 0 && g->n == g->most;
}

static int
compare(const void *left, const void *right)
{
	return link_row_compare(*(struct link_row *const *)left,
		*(struct link_row *const *)right, false);
}

static int
compare_reverse(const void *left, const void *right)
{
	return link_row_compare(*(struct link_row *const *)left,
		*(struct link_row *const *)right, true);
}
